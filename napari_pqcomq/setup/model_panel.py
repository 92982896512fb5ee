"""Which model, how many bits, which method, and what runs it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QFileDialog, QFormLayout, QGroupBox, QLabel, QPushButton, QWidget

from napari_pqcomq.jobs.choices import ModelChoice
from napari_pqcomq.setup.runtime_combo_box import RuntimeComboBox
from napari_pqcomq.widgets.collapsible import Collapsible
from napari_pqcomq.widgets.combo_boxes import choose_text
from pqcomq.backends.runtime import Runtime
from pqcomq.models.registry import MODEL_KEYS, MODEL_TITLES
from pqcomq.quantization.algorithm.config import BIT_WIDTHS, METHOD_TITLES, QuantizationConfig
from pqcomq.quantization.presets import default_config

EMBEDDED_MODEL = "lite-medsam"
_DEFAULT_BITS = 4
ALL_BITS = tuple(sorted(BIT_WIDTHS, reverse=True))
_ALL_TITLE = f"{', '.join(str(bits) for bits in ALL_BITS[:-1])} and {ALL_BITS[-1]} bits"


class ModelPanel(QGroupBox):
    """Model, checkpoint, bit width, runtime; method and calibration below a line that opens them.

    Args:
        calibration: the calibration settings, to stand beside the method.
        parent: Qt parent.

    Attributes:
        changed: emitted when the choice changes.
    """

    changed = Signal()

    def __init__(self, calibration: QWidget, parent: QWidget | None = None) -> None:
        super().__init__("Model", parent)
        self.models, self.bits, self.methods = QComboBox(), QComboBox(), QComboBox()
        self.runtimes = RuntimeComboBox()
        _fill(self.models, {key: MODEL_TITLES[key] for key in MODEL_KEYS}, EMBEDDED_MODEL)
        _fill(self.bits, {**{bits: f"{bits} bits" for bits in BIT_WIDTHS}, ALL_BITS: _ALL_TITLE}, _DEFAULT_BITS)
        _fill(self.methods, METHOD_TITLES, "pcomq")
        self.checkpoint_button = QPushButton("Choose file…")
        self.checkpoint_button.clicked.connect(self._ask_checkpoint)
        self._checkpoint_title = QLabel("Checkpoint")
        self._checkpoint: Path | None = None
        form = QFormLayout(self)
        form.addRow("Model", self.models)
        form.addRow(self._checkpoint_title, self.checkpoint_button)
        form.addRow("Quantize to", self.bits)
        form.addRow("Runs on", self.runtimes)
        form.addRow(self._advanced(calibration))
        self.models.currentIndexChanged.connect(self._on_model)
        self.runtimes.changed.connect(self._on_runtime)
        for box in (self.bits, self.methods):
            box.currentIndexChanged.connect(lambda _index: self.changed.emit())
        self._on_model()

    @property
    def choice(self) -> ModelChoice:
        """What is chosen now; the first of several."""
        return self.choices[0]

    @property
    def choices(self) -> tuple[ModelChoice, ...]:
        """All that is to be compared with full precision: one, or every bit width."""
        chosen = self.bits.currentData()
        widths = chosen if chosen == ALL_BITS else (chosen,)
        return tuple(ModelChoice(self.models.currentData(), self.checkpoint, self._settings(bits)) for bits in widths)

    @property
    def runtime(self) -> Runtime:
        """What runs the networks."""
        return self.runtimes.runtime

    @property
    def checkpoint(self) -> Path | None:
        """The file chosen for a model whose weights are not shipped."""
        return None if self.models.currentData() == EMBEDDED_MODEL else self._checkpoint

    @property
    def lacks_checkpoint(self) -> bool:
        """Whether the model needs a checkpoint that is not chosen yet."""
        return self.models.currentData() != EMBEDDED_MODEL and self._checkpoint is None

    def choose_bits(self, bits: int) -> None:
        """Choose one bit width."""
        self.bits.setCurrentIndex(self.bits.findData(bits))

    def choose_runtime(self, runtime: Runtime) -> None:
        """Choose what runs the networks."""
        self.runtimes.choose(runtime)

    def set_checkpoint(self, path: Path) -> None:
        """Choose the weights of a model that has none shipped."""
        self._checkpoint = path
        self.checkpoint_button.setText(path.name)
        self.changed.emit()

    def show_loaded(self, key: str, settings: QuantizationConfig) -> None:
        """Set the controls to what a weights file holds."""
        for box, value in ((self.models, key), (self.bits, settings.bits), (self.methods, settings.method)):
            box.setCurrentIndex(box.findData(value))

    def preferences(self) -> dict[str, str]:
        """What is remembered from one session to the next; a checkpoint only where one is chosen."""
        kept = {key: box.currentText() for key, box in self._remembered().items()}
        return kept if self.checkpoint is None else {**kept, "checkpoint": str(self.checkpoint)}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take over what was remembered; what no longer exists is passed over."""
        for key, box in self._remembered().items():
            choose_text(box, kept.get(key, ""))
        checkpoint = Path(kept.get("checkpoint", ""))
        if checkpoint.is_file():
            self.set_checkpoint(checkpoint)

    def _remembered(self) -> dict[str, QComboBox]:
        return {"model": self.models, "bits": self.bits, "method": self.methods, "runtime": self.runtimes}

    def _settings(self, bits: int) -> QuantizationConfig:
        model, method = self.models.currentData(), self.methods.currentData()
        return default_config(model, bits, method, integers=self.runtime.integers)

    def _advanced(self, calibration: QWidget) -> Collapsible:
        inside = QWidget()
        form = QFormLayout(inside)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow("Method", self.methods)
        form.addRow(calibration)
        return Collapsible("Method and calibration", inside)

    def _on_model(self, index: int = 0) -> None:
        needs_file = self.models.currentData() != EMBEDDED_MODEL
        self._checkpoint_title.setVisible(needs_file)
        self.checkpoint_button.setVisible(needs_file)
        self.changed.emit()

    def _on_runtime(self) -> None:
        integers = self.runtime.integers
        self.methods.setEnabled(not integers)
        self.methods.setToolTip("Integer products need COMQ with one scale a channel." if integers else "")
        self.changed.emit()

    def _ask_checkpoint(self) -> None:
        path, _filter = QFileDialog.getOpenFileName(self, "Checkpoint of the model", "", "Checkpoint (*.pth *.pt)")
        if path:
            self.set_checkpoint(Path(path))


def _fill(box: QComboBox, titles: dict[Any, str], chosen: object) -> None:
    for value, title in titles.items():
        box.addItem(title, value)
    box.setCurrentText(titles[chosen])
