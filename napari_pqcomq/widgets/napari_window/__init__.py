"""What speaks to napari: its events, docks, notices and keys, and how its canvas is redrawn and freed."""
