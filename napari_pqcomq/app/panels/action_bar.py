"""What to press next: Compare, Live, Close, and the hint beside them."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_pqcomq.translation import tr
from pqcomq.comparison.presentation.comparison_text import RESEARCH_ONLY


class ActionBar(QWidget):
    """Compare, Live, Close comparison, the hint line, the line on research use and the licence of the weights.

    Attributes:
        compare_requested: emitted by the button that compares.
        live_requested: emitted by the button that opens the view for live masks.
        close_requested: emitted by the button that closes the comparison.
        kept_requested: emitted by the button that brings the last comparison of the volume back.
    """

    compare_requested = Signal()
    live_requested = Signal()
    close_requested = Signal()
    kept_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.compare_button, self.live_button = QPushButton(tr("Compare")), QPushButton(tr("Live"))
        self.close_button = QPushButton(tr("Close comparison"))
        self.compare_button.setToolTip(
            tr("Run the models on the ticked objects, through all slices of the boxes (Ctrl+Return).")
        )
        self.live_button.setToolTip(
            tr("Open the comparison at once; the masks of a box follow while it is drawn or moved.")
        )
        self.kept_button = QPushButton(tr("Show the last comparison"))
        self.kept_button.setToolTip(tr("Bring back masks, figures and boxes of the last comparison of this volume."))
        self.hint = QLabel()
        self.hint.setWordWrap(True)
        self.research = QLabel(RESEARCH_ONLY)
        self.research.setWordWrap(True)
        self.research.setEnabled(False)
        row = QHBoxLayout()
        for button, signal in (
            (self.compare_button, self.compare_requested),
            (self.live_button, self.live_requested),
            (self.close_button, self.close_requested),
            (self.kept_button, self.kept_requested),
        ):
            button.clicked.connect(lambda _checked, signal=signal: signal.emit())
            if button is not self.kept_button:
                row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self.kept_button)
        column.addWidget(self.hint)
        self.offer_kept(False)
        column.addWidget(self.research)

    def request_comparison(self) -> None:
        """Press Compare; ignored while it is greyed out."""
        self.compare_button.click()

    def offer(self, *, compare: bool, live: bool, is_open: bool) -> None:
        """Say which buttons can be pressed now.

        Args:
            compare: whether the models can be run on the boxes.
            live: whether the view can be opened for live masks.
            is_open: a comparison is on screen: it can be closed, and needs no opening.
        """
        self.compare_button.setEnabled(compare)
        self.live_button.setEnabled(live)
        self.live_button.setVisible(not is_open)
        self.close_button.setVisible(is_open)

    def offer_kept(self, offered: bool) -> None:
        """Say whether there is an earlier comparison of the volume to bring back."""
        self.kept_button.setVisible(offered)

    def show_hint(self, hint: str) -> None:
        """Say what to do next."""
        self.hint.setText(hint)

    def show_licence(self, licence: str) -> None:
        """Name the licence of the weights where the results stand."""
        self.research.setText(tr("{research_only} Weights: {licence}", research_only=RESEARCH_ONLY, licence=licence))
