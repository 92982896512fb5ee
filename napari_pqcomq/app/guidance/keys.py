"""The dock's keys in force, their list over the window, and what Esc lays down."""

from __future__ import annotations

from qtpy.QtCore import QObject
from qtpy.QtWidgets import QWidget

from napari_pqcomq.app.guidance.key_bindings import key_bindings
from napari_pqcomq.app.on_screen.navigation import Navigation
from napari_pqcomq.app.panels.panels import Panels
from napari_pqcomq.app.results.correcting import Correcting
from napari_pqcomq.layers import naparis_tools
from napari_pqcomq.setup.mouse_panel import MOUSE
from napari_pqcomq.widgets.dock.help_overlay import HelpOverlay
from napari_pqcomq.widgets.napari_window.shortcuts import Shortcuts


class Keys(QObject):
    """Has the keys in force while the window has the focus.

    Args:
        panels: of the dock.
        navigation: of the dock.
        correcting: of the dock.
        dock: whose window it is.

    Attributes:
        shortcuts: those in force.
        help: all of them, over the window.
    """

    def __init__(self, panels: Panels, navigation: Navigation, correcting: Correcting, dock: QWidget) -> None:
        super().__init__(dock)
        self._panels, self._correcting = panels, correcting
        bindings = key_bindings(panels, navigation, correcting, self._toggle_help, self._escape)
        self.shortcuts = Shortcuts(dock, bindings, self._is_editing)
        self.help = HelpOverlay(dock, bindings, MOUSE)

    def release(self) -> None:
        """Take the list out of the window."""
        self.help.setParent(None)
        self.help.deleteLater()

    def _is_editing(self) -> bool:
        """Whether the active layer is edited with napari's own tools, and the list of keys does not lie over it."""
        return naparis_tools.is_in_hand(self._panels.viewer) and not self.help.isVisible()

    def _toggle_help(self) -> None:
        self.help.toggle()

    def _escape(self) -> None:
        """Close the list of keys; where it is closed, leave the mouse without a tool."""
        if not self.help.isHidden():
            self.help.toggle()
            return
        self._correcting.tool.take(None)
        self._panels.prompts.lay_down()
        naparis_tools.lay_down(self._panels.viewer)
