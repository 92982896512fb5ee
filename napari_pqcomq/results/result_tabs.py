"""The results area of the dock: one tab for each way of reading a finished comparison."""

from __future__ import annotations

from qtpy.QtCore import QSize
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QSizePolicy, QTabWidget, QWidget


class ResultTabs(QTabWidget):
    """Panels behind tabs, out of sight until :meth:`reveal`: before the first result there is nothing to read."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setUsesScrollButtons(True)
        self.setDocumentMode(True)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.currentChanged.connect(lambda _index: self.updateGeometry())
        self.setVisible(False)

    def add_panel(self, title: str, panel: QWidget, tooltip: str = "") -> None:
        """Add a panel as the last tab."""
        self.setTabToolTip(self.addTab(panel, title), tooltip)

    def reveal(self) -> None:
        """Bring the tabs into sight, as high as they need to be now."""
        self.setVisible(True)
        self.updateGeometry()

    def isolate(self, panel: QWidget | None) -> None:
        """Put every other panel out of sight, or with None bring all back."""
        for index in range(self.count()):
            self.setTabVisible(index, panel is None or self.widget(index) is panel)
        if panel is not None:
            self.setCurrentWidget(panel)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 (Qt's name)
        """Texts wrap at another place in another width."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.updateGeometry()

    def heightForWidth(self, width: int) -> int:  # noqa: N802 (Qt's name)
        """See :meth:`sizeHint`; Qt's own is that of the highest tab."""
        return self._fitted(QSize(width, 0), self.currentWidget(), "sizeHint").height()

    def sizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        """As high as the tab in sight needs: the dock scrolls, not the tab in it."""
        return self._fitted(super().sizeHint(), self.currentWidget(), "sizeHint")

    def minimumSizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        """See :meth:`sizeHint`."""
        return self._fitted(super().minimumSizeHint(), self.currentWidget(), "minimumSizeHint")

    def _fitted(self, size: QSize, page: QWidget | None, which: str) -> QSize:
        if page is not None:
            wrapped = page.heightForWidth(size.width()) if page.hasHeightForWidth() else 0
            wanted = max(wrapped or getattr(page, which)().height(), page.minimumHeight())
            size.setHeight(wanted + self.tabBar().sizeHint().height() + 4)
        return size
