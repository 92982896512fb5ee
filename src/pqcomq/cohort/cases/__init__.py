"""Which cases a data set holds, what cannot be scored of them, and their images and labels."""
