"""The results in a dock of their own below the pictures, so that neither they nor the settings need scrolling."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractButton, QDockWidget, QMainWindow, QWidget

from napari_pqcomq.results.result_tabs import ResultTabs
from napari_pqcomq.translation import tr
from napari_pqcomq.widgets.controls.focus_ring import show_focus

_HEIGHT = 256
"""Pixels: the table of figures with its header, and six verdicts with the sentences about one, without scrolling."""
_MOST = 1 / 3
"""Of the window's height: the pictures need the most of a small one, as a screen scaled by one and a half has."""


class ResultsDock(QDockWidget):
    """Stands below the pictures while there is a result; the dock with the settings keeps its full height.

    Args:
        tabs: the panels of the results.
        inside: a widget of the window, mounted sooner or later.
    """

    def __init__(self, tabs: ResultTabs, inside: QWidget) -> None:
        super().__init__(tr("Results"), inside)
        self.setObjectName("pqcomq results")
        self.setFeatures(
            QDockWidget.DockWidgetFeature.DockWidgetMovable | QDockWidget.DockWidgetFeature.DockWidgetFloatable
        )
        for button in self.findChildren(QAbstractButton):  # Qt's own, in the title
            button.setToolTip(tr("Take the results out of the window, or put them back."))
        show_focus(self)  # before the panels are in it, or Qt would style them twice
        self.setWidget(tabs)
        self._inside = inside
        self.setVisible(False)
        tabs.revealed.connect(self._show)

    def tell(self, name: str, *, is_of_before: bool) -> None:
        """Say in the title what the figures are about.

        Args:
            name: of the object, empty where there is none.
            is_of_before: its prompt has been changed since.
        """
        told = tr("Results · {name}", name=name) if name else tr("Results")
        if name and is_of_before:
            told = tr("Results · {name}, of the prompt before; Compare brings those of now", name=name)
        self.setWindowTitle(told)

    def release(self) -> None:
        """Leave the window."""
        window = self.parentWidget()
        if isinstance(window, QMainWindow):
            window.removeDockWidget(self)
        self.setVisible(False)
        self.setParent(None)
        self.deleteLater()

    def _show(self, shown: bool) -> None:
        window = self._inside.window()
        if shown and isinstance(window, QMainWindow) and self.parentWidget() is not window:
            window.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)
            window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, self)
            height = min(_HEIGHT, round(_MOST * window.height()))
            window.resizeDocks([self], [height], Qt.Orientation.Vertical)
        self.setVisible(shown)
