"""What to press next: Compare, Live, Close, and the hint beside them."""

from __future__ import annotations

from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from pqcomq.comparison.text import RESEARCH_ONLY


class ActionBar(QWidget):
    """Compare, Live, Close comparison, the hint line, the line on research use and the licence of the weights."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.compare, self.close = QPushButton("Compare"), QPushButton("Close comparison")
        self.live = QPushButton("Live")
        self.compare.setToolTip("Run the models on the ticked objects, through all slices of the boxes (Ctrl+Return).")
        self.live.setToolTip("Open the comparison at once; the masks of a box follow while it is drawn or moved.")
        self.hint = QLabel()
        self.hint.setWordWrap(True)
        self.research = QLabel(RESEARCH_ONLY)
        self.research.setWordWrap(True)
        self.research.setEnabled(False)
        row = QHBoxLayout()
        row.addWidget(self.compare)
        row.addWidget(self.live)
        row.addWidget(self.close)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self.hint)
        column.addWidget(self.research)

    def show_licence(self, licence: str) -> None:
        """Name the licence of the weights where the results stand."""
        self.research.setText(f"{RESEARCH_ONLY} Weights: {licence}")
