"""Where the dock's parts stand: the settings scroll, what to press stays in sight."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import QComboBox, QFrame, QScrollArea, QVBoxLayout, QWidget

from napari_pqcomq.widgets.collapsible import Collapsible

if TYPE_CHECKING:
    from napari_pqcomq.app.compare_widget import CompareWidget

_MARGIN = 6
_SHORT_ENTRY = 8
_READABLE_WIDTH = 360


class _Column(QScrollArea):
    """Scrolls up and down only, so it is never narrower than what stands in it."""

    def __init__(self, content: QWidget) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(content)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        """Wide enough for the content and the scroll bar beside it."""
        bar = self.verticalScrollBar().sizeHint().width() + _MARGIN
        width = self.widget().minimumSizeHint().width() + bar
        return QSize(max(width, _READABLE_WIDTH), super().minimumSizeHint().height())


def lay_out(dock: CompareWidget) -> None:
    """Arrange the dock's panels, one above the other."""
    settings = QWidget()
    column = QVBoxLayout(settings)
    column.setContentsMargins(0, 0, _MARGIN, 0)
    for panel in (
        dock.volume_panel,
        dock.model_panel,
        dock.weights_panel,
        dock.prompt_panel,
        dock.truth_panel,
    ):
        column.addWidget(panel)
    column.addWidget(dock.results)
    column.addWidget(Collapsible("Session and report", dock.desk.sessions))
    column.addWidget(Collapsible("Keys", dock.shortcuts.table()))
    column.addStretch(1)
    for box in settings.findChildren(QComboBox):  # long entries must not make the dock wide
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.setMinimumContentsLength(_SHORT_ENTRY)
    whole = QVBoxLayout(dock)
    whole.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
    whole.addWidget(_Column(settings), 1)
    whole.addWidget(dock.view_bar)
    whole.addWidget(dock.progress)
    whole.addWidget(dock.buttons)
