"""The dock: its panels put together, the order of the work, its keys and its layout."""
