"""The dock: what napari opens, put together from its panels, what is on screen, the work, and what guides the user."""
