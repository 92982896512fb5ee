"""Tools that take the mouse on the picture."""
