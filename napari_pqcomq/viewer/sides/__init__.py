"""The layers of a comparison's sides, and the user's own beside them."""
