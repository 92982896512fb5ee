"""Masks that follow a box while it is drawn or moved."""
