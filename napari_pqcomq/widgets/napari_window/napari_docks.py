"""Room for the picture: napari's own docks out of the way and back."""

from __future__ import annotations

from qtpy.QtWidgets import QDockWidget, QWidget

_NAPARIS = ("layer list", "layer controls")
_ROOMY_PIXELS = 1700
"""Windows at least this wide have room for the docks beside two pictures."""


class NapariDocks:
    """napari's layer list and layer controls in a widget's window."""

    def __init__(self, widget: QWidget) -> None:
        self._widget = widget
        self._hidden: list[QDockWidget] = []

    def make_room(self) -> None:
        """Hide them where the window is narrow."""
        if self._widget.window().width() < _ROOMY_PIXELS:
            found = [dock for dock in self._found() if dock.isVisible()]
            self._hidden += found
            for dock in found:
                dock.setVisible(False)

    def restore(self) -> None:
        """Show again what was hidden for room."""
        for dock in self._hidden:
            dock.setVisible(True)
        self._hidden = []

    def toggle(self) -> None:
        """Hide them if either is seen, else show both."""
        docks = self._found()
        seen = any(dock.isVisible() for dock in docks)
        for dock in docks:
            dock.setVisible(not seen)

    def _found(self) -> list[QDockWidget]:
        docks = self._widget.window().findChildren(QDockWidget)
        return [dock for dock in docks if str(getattr(dock, "name", "")).lower() in _NAPARIS]
