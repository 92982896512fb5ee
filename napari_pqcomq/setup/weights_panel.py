"""The quantized weights at hand: made here, loaded from a file, saved to one."""

from __future__ import annotations

from pathlib import Path

from napari.utils.notifications import show_error, show_info
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_pqcomq.jobs.choices import CalibrationChoice, ModelChoice
from pqcomq.errors import InputError
from pqcomq.quantization.quantized_model import QuantizedModel
from pqcomq.quantization.weights_file import save_weights

_FILTER = "Quantized weights (*.safetensors)"


class WeightsPanel(QWidget):
    """ActionBar Quantize, Load, Save, and a line that says which weights there are.

    Attributes:
        load_requested: emitted with the path of a file to load.
    """

    load_requested = Signal(Path)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.quantize_button = QPushButton("Quantize")
        self.load_button, self.save_button = QPushButton("Load…"), QPushButton("Save…")
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
        self._weights: dict[ModelChoice, QuantizedModel] = {}
        self._last: QuantizedModel | None = None
        self.load_button.clicked.connect(self._ask_load)
        self.save_button.clicked.connect(self._ask_save)
        self.save_button.setEnabled(False)

    def weights_for(self, choice: ModelChoice) -> QuantizedModel | None:
        """The weights at hand, if they are what is chosen."""
        return self._weights.get(choice)

    def missing(self, choices: tuple[ModelChoice, ...]) -> tuple[ModelChoice, ...]:
        """Those that are still to be quantized."""
        return tuple(choice for choice in choices if choice not in self._weights)

    def take(self, weights: QuantizedModel, choice: ModelChoice) -> None:
        """Keep weights that were made or loaded for a choice; those of other models and checkpoints make room."""
        same = (choice.key, choice.checkpoint)
        self._weights = {each: kept for each, kept in self._weights.items() if (each.key, each.checkpoint) == same}
        self._weights[choice] = self._last = weights
        self.save_button.setEnabled(True)

    def describe(self, choices: tuple[ModelChoice, ...], calibration: CalibrationChoice) -> None:
        """Say whether the weights at hand are those of the choice, and what the next ones are calibrated on."""
        if self.missing(choices):
            self.status.setText(f"Not quantized yet. Calibration: {calibration}.")
            return
        ready = "; ".join(
            f"{choice.settings.title} ({self._weights[choice].effective_bits:.2f} effective)" for choice in choices
        )
        self.status.setText(f"Ready: {ready}.")

    def save(self, path: Path) -> None:
        """Write the weights made or loaded last; the dialog has already asked before replacing a file.

        Raises:
            InputError: the file cannot be written.
        """
        if self._last is None:
            raise InputError("There are no quantized weights to save yet: press Quantize first.")
        save_weights(self._last, path, overwrite=True)

    def _ask_load(self) -> None:
        path, _filter = QFileDialog.getOpenFileName(self, "Quantized weights", "", _FILTER)
        if path:
            self.load_requested.emit(Path(path))

    def _ask_save(self) -> None:
        path, _filter = QFileDialog.getSaveFileName(self, "Save quantized weights", "weights.safetensors", _FILTER)
        if not path:
            return
        try:
            self.save(Path(path))
        except InputError as error:
            show_error(str(error))
        else:
            show_info(f"Saved {Path(path).name}.")
