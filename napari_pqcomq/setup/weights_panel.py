"""The quantized weights: buttons that make, load and save them, and a line that says which are at hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_pqcomq.jobs.models.choices import CalibrationChoice, WeightsOrigin
from napari_pqcomq.translation import tr
from napari_pqcomq.widgets.dock.save_dialog import ask_for_file
from pqcomq.quantization.files.model_card import card_path

_FILTER = tr("Quantized weights (*.safetensors)")


class WeightsPanel(QWidget):
    """Buttons Quantize, Load, Save, and a line; the panel holds no weights itself.

    Attributes:
        quantize_requested: emitted by the button that quantizes.
        load_requested: emitted with the path of a file to load.
        save_requested: emitted with the path of a file to write; the dialog has already asked before replacing one.
        elsewhere_requested: emitted by the button that takes weights made on another volume or on other slices.
    """

    quantize_requested = Signal()
    load_requested = Signal(Path)
    save_requested = Signal(Path)
    elsewhere_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.quantize_button = QPushButton(tr("Quantize"))
        self.load_button, self.save_button = QPushButton(tr("Load…")), QPushButton(tr("Save…"))
        self.status = QLabel()
        self.status.setWordWrap(True)
        row = QHBoxLayout()
        row.addWidget(self.quantize_button, 2)
        row.addWidget(self.load_button, 1)
        row.addWidget(self.save_button, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self.status)
        self.elsewhere_button = QPushButton(tr("Use weights made before"))
        column.addWidget(self.elsewhere_button)
        self.elsewhere_button.clicked.connect(lambda: self.elsewhere_requested.emit())
        self.offer_elsewhere(None)
        self.quantize_button.clicked.connect(lambda: self.quantize_requested.emit())
        self.load_button.clicked.connect(self._ask_load)
        self.save_button.clicked.connect(self._ask_save)
        self.offer(quantize=False, load=True, save="")

    def offer(self, *, quantize: bool, load: bool, save: str) -> None:
        """Say which buttons can be pressed now.

        Args:
            quantize: whether the chosen model can be quantized.
            load: whether a file can be loaded.
            save: title of the weights that are saved; empty where there are none, or not now.
        """
        self.quantize_button.setEnabled(quantize)
        self.load_button.setEnabled(load)
        self.save_button.setEnabled(bool(save))
        self._saved = save

    def show_ready(self, ready: Sequence[tuple[str, float]]) -> None:
        """Say that the weights of the choice are at hand.

        Args:
            ready: title and effective bits a weight, one pair a chosen bit width.
        """
        told = "; ".join(tr("{title} ({bits:.2f} effective)", title=title, bits=bits) for title, bits in ready)
        self.status.setText(tr("Ready: {finished}.", finished=told))

    def show_missing(self, calibration: CalibrationChoice, finished: Sequence[str] = ()) -> None:
        """Say that weights of the choice are still to be made, and what they will be calibrated on.

        Args:
            calibration: of those still to be made.
            finished: titles of those that are at hand already.
        """
        done = tr("Not quantized yet.")
        if finished:
            done = tr("Ready: {finished}. The others are not quantized yet.", finished="; ".join(finished))
        self.status.setText(tr("{done} Calibration: {calibration}.", done=done, calibration=calibration))

    def offer_elsewhere(self, origin: WeightsOrigin | None) -> None:
        """Offer weights of the same settings that were made on something else, or none."""
        self.elsewhere_button.setVisible(origin is not None)
        self.elsewhere_button.setToolTip(
            tr("Quantized weights with these settings are at hand.")
            if origin is None
            else tr(
                "Quantized weights with these settings are at hand: calibrated on {origin}. Use them here too, instead "
                "of quantizing anew.",
                origin=origin,
            )
        )

    def _ask_load(self) -> None:
        path, _filter = QFileDialog.getOpenFileName(self, tr("Quantized weights"), "", _FILTER)
        if path:
            self.load_requested.emit(Path(path))

    def _ask_save(self) -> None:
        title = tr("Save quantized weights: {title}", title=self._saved)
        path = ask_for_file(
            self, title, "weights.safetensors", tr("Quantized weights"), beside=lambda file: [card_path(file)]
        )
        if path is not None:
            self.save_requested.emit(path)
