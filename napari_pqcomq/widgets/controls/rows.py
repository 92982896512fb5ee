"""Widgets side by side."""

from __future__ import annotations

from qtpy.QtWidgets import QHBoxLayout, QLabel, QWidget


def row(*widgets: QWidget) -> QHBoxLayout:
    """Widgets that share the width; labels take what they need."""
    layout = QHBoxLayout()
    for widget in widgets:
        layout.addWidget(widget, 0 if isinstance(widget, QLabel) else 1)
    return layout


def shown_or_hidden(layout: QHBoxLayout) -> QWidget:
    """A row that can be hidden."""
    widget = QWidget()
    layout.setContentsMargins(0, 0, 0, 0)
    widget.setLayout(layout)
    return widget
