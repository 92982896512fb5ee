"""The control with the keyboard's focus is seen in either theme: napari's own style does not show it."""

from __future__ import annotations

from qtpy.QtWidgets import QWidget

FOCUS_COLOUR = "#56B4E9"
_KINDS = (
    "QPushButton",
    "QToolButton",
    "QComboBox",
    "QAbstractSpinBox",
    "QLineEdit",
    "QCheckBox",
    "QAbstractItemView",
    "QTabBar",
)


def show_focus(root: QWidget) -> None:
    """Draw a ring round whatever has the focus in a widget."""
    rules = (f"{kind}:focus {{ border: 2px solid {FOCUS_COLOUR}; }}" for kind in _KINDS)
    root.setStyleSheet(" ".join(rules))
