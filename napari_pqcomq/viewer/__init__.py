"""The comparison on napari's canvas: sides, views, planes, text overlays."""
