"""The tools' buttons, and all that belongs to them."""
