"""Room for the picture: napari's own docks out of the way and back."""

from __future__ import annotations

from napari.utils.notifications import show_info
from qtpy.QtWidgets import QDockWidget, QWidget

from napari_pqcomq.translation import tr

_NAPARIS = ("layer list", "layer controls")
_ROOMY_PIXELS = 1700
"""Windows at least this wide have room for the docks beside two pictures."""


class NapariDocks:
    """napari's layer list and layer controls in a widget's window."""

    def __init__(self, widget: QWidget) -> None:
        self._widget = widget
        self._hidden: list[QDockWidget] = []
        self._is_asked_for = False

    def fit_screen(self) -> None:
        """Put them away where the window would be wider than its screen, and say so, unless the user asked for them."""
        window = self._widget.window()
        room = window.screen().availableSize()
        is_too_wide = window.minimumSizeHint().width() > room.width()
        if is_too_wide and not self._is_asked_for and self._put_away():
            layout = window.layout()
            assert layout is not None  # noqa: S101 (a main window's own)
            layout.activate()  # it still stands on the size before
            window.resize(window.size().boundedTo(room))
            show_info(
                tr(
                    "The screen is too narrow for napari's layer list and controls beside the dock, so they are put "
                    "away; N shows them."
                )
            )

    def make_room(self) -> None:
        """Hide them where the window is narrow."""
        if self._widget.window().width() < _ROOMY_PIXELS:
            self._hidden += self._put_away()

    def restore(self) -> None:
        """Show again what was hidden for room."""
        for dock in self._hidden:
            dock.setVisible(True)
        self._hidden = []

    def toggle(self) -> None:
        """Hide them if either is seen, else show both."""
        self._is_asked_for = True
        docks = self._found()
        seen = any(dock.isVisible() for dock in docks)
        for dock in docks:
            dock.setVisible(not seen)

    def _put_away(self) -> list[QDockWidget]:
        """Hide those that are seen; these."""
        seen = [dock for dock in self._found() if dock.isVisible()]
        for dock in seen:
            dock.setVisible(False)
        return seen

    def _found(self) -> list[QDockWidget]:
        docks = self._widget.window().findChildren(QDockWidget)
        return [dock for dock in docks if str(getattr(dock, "name", "")).lower() in _NAPARIS]
