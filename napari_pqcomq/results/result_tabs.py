"""The results area: one tab for each way of reading a finished comparison."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFrame, QScrollArea, QTabWidget, QWidget


class ResultTabs(QTabWidget):
    """Panels behind tabs, out of sight until :meth:`reveal`: before the first result there is nothing to read.

    Attributes:
        revealed: emitted with True when there is something to read, with False when there is no longer.
    """

    revealed = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setUsesScrollButtons(True)
        self.setDocumentMode(True)
        self.tabBar().setFocusPolicy(Qt.FocusPolicy.TabFocus)  # by keyboard: the arrows belong to the picture
        self.setVisible(False)

    def add_panel(self, title: str, panel: QWidget, tooltip: str = "") -> None:
        """Add a panel as the last tab; in a window lower than it is made for it scrolls."""
        area = QScrollArea()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setWidget(panel)
        self.setTabToolTip(self.addTab(area, title), tooltip)

    def reveal(self) -> None:
        """Bring the tabs into sight."""
        self.setVisible(True)
        self.revealed.emit(True)

    def conceal(self) -> None:
        """Put the tabs out of sight: there is nothing to read."""
        self.setVisible(False)
        self.revealed.emit(False)

    def open_panel(self, panel: QWidget) -> None:
        """Open the tab of a panel."""
        self.setCurrentIndex(self._index(panel))

    def shows(self, panel: QWidget) -> bool:
        """Whether the tab of a panel is the open one."""
        return self.currentIndex() == self._index(panel)

    def isolate(self, panel: QWidget | None) -> None:
        """Put every other panel out of sight, or with None bring all back."""
        shown = None if panel is None else self._index(panel)
        for index in range(self.count()):
            self.setTabVisible(index, shown in (None, index))
        if shown is not None:
            self.setCurrentIndex(shown)

    def _index(self, panel: QWidget) -> int:
        pages = ((index, self.widget(index)) for index in range(self.count()))
        return next(index for index, page in pages if page is not None and page.isAncestorOf(panel))
