"""napari's own tools: the brush on labels, shapes and points to be drawn, which work on the active layer."""

from __future__ import annotations

from napari.components import ViewerModel

_RESTING = ("pan_zoom", "transform")
"""Modes of a layer in which a drag changes nothing on it."""


def is_in_hand(viewer: ViewerModel) -> bool:
    """Whether a drag of the mouse would draw on the active layer."""
    mode = getattr(viewer.layers.selection.active, "mode", _RESTING[0])
    return str(mode) not in _RESTING


def lay_down(viewer: ViewerModel) -> None:
    """Let a drag of the mouse draw on no layer: another tool is taken up, and one drag is not for two."""
    active = viewer.layers.selection.active
    if active is not None and is_in_hand(viewer):
        active.mode = _RESTING[0]
