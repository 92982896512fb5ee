"""Volumes and masks as napari layers, and back."""
