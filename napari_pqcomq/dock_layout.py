"""Where the dock's parts stand: the settings scroll, what to press stays in sight."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from pqcomq.comparison.wording import RESEARCH_ONLY

if TYPE_CHECKING:
    from napari_pqcomq.dock import CompareWidget

_WIDTH = 310
_MARGIN = 6
_SHORT_ENTRY = 8


class Buttons(QWidget):
    """Compare, Close comparison, the hint line and the line on research use."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.compare, self.close = QPushButton("Compare"), QPushButton("Close comparison")
        self.hint = QLabel()
        self.hint.setWordWrap(True)
        research = QLabel(RESEARCH_ONLY)
        research.setWordWrap(True)
        research.setEnabled(False)
        row = QHBoxLayout()
        row.addWidget(self.compare)
        row.addWidget(self.close)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self.hint)
        column.addWidget(research)


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
    column.addStretch(1)
    scroll = QScrollArea()
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    for box in settings.findChildren(QComboBox):  # long entries must not make the dock wide
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.setMinimumContentsLength(_SHORT_ENTRY)
    scroll.setWidget(settings)
    whole = QVBoxLayout(dock)
    whole.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
    whole.addWidget(scroll, 1)
    whole.addWidget(dock.progress)
    whole.addWidget(dock.buttons)
    dock.setMinimumWidth(_WIDTH)
