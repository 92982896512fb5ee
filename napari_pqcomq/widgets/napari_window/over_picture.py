"""Widgets that stand over napari's picture, below what napari itself shows there."""

from __future__ import annotations

from qtpy.QtWidgets import QDialog, QWidget


def stand_below_messages(widget: QWidget) -> None:
    """Have napari's messages and its list of activities drawn over a new widget of the canvas.

    Qt draws the newest child last, so that a scale bar made after a message would cover its words.

    Args:
        widget: a child of the canvas; it stands above those that were given before it.
    """
    canvas = widget.parentWidget()
    shown = [] if canvas is None else [each for each in canvas.children() if isinstance(each, QDialog)]
    if shown:  # the lowest comes first; messages are dialogs, too
        widget.stackUnder(shown[0])
