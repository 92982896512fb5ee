"""Which model, how many bits, which method, and what runs it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QComboBox, QFormLayout, QGroupBox, QWidget

from napari_pqcomq.forms.dataclass_form import DataclassForm, Row
from napari_pqcomq.forms.value_types import BitWidths
from napari_pqcomq.jobs.models.choices import EMBEDDED_MODEL, ModelChoice, ModelSettings
from napari_pqcomq.setup.model_facts import NOTE_ROLE, facts_of, note_of
from napari_pqcomq.setup.model_fetch import CHECKPOINT_FILES, ModelFetch
from napari_pqcomq.setup.model_kept import ModelKept
from napari_pqcomq.translation import tr
from napari_pqcomq.widgets.controls.collapsible import Collapsible
from napari_pqcomq.widgets.controls.combo_boxes import choose_kept
from napari_pqcomq.widgets.controls.noted_entries import NotedEntries
from pqcomq.backends.runtime import Runtime
from pqcomq.models import medsam
from pqcomq.models.catalogue.entries import entry_of
from pqcomq.models.registry import MODEL_KEYS, MODEL_TITLES
from pqcomq.quantization.algorithm.config import METHOD_TITLES, QuantizationConfig
from pqcomq.volumes.path_checks import is_there

_ROWS = {
    "key": Row(tr("Model"), options={"choices": [(MODEL_TITLES[key], key) for key in MODEL_KEYS]}),
    "file": Row(
        tr("Checkpoint"),
        tr("A checkpoint of your own for this once, in place of the weights that were fetched or taken over."),
        options={"filter": CHECKPOINT_FILES},
    ),
    "widths": Row(tr("Quantize to"), tr("Bits of each weight; several are compared side by side with full precision.")),
    "runtime": Row(tr("Runs on")),
    "method": Row(
        tr("Method"),
        options={"widget_type": "ComboBox", "choices": [(title, method) for method, title in METHOD_TITLES.items()]},
    ),
}
_METHOD_TOOLTIP = tr("How weights are rounded. Permutation-COMQ is the default; the others are there to compare.")
_REMEMBERED = {"model": "key", "bits": "widths", "method": "method", "runtime": "runtime"}
"""Key among what is remembered → field."""
_CHECKPOINT = "checkpoint"


def _name(choice: object) -> str:
    """What a choice is remembered by, the same in every language: ``"openvino-bf16"``, ``"8 4 2"``."""
    return " ".join(map(str, choice)) if isinstance(choice, tuple) else str(choice)


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
        super().__init__(tr("Model"), parent)
        self.form = DataclassForm(ModelSettings(), _ROWS, self)
        self._key = self.settings.key
        self._files: dict[str, Path | None] = {}  # checkpoints by model
        self.form["file"].choose_btn.text = tr("Choose…")
        self.fetching = ModelFetch()
        self.fetching.arrived.connect(self._on_arrived)
        self.kept = ModelKept()
        self.kept.removed.connect(self._on_arrived)
        self._models: QComboBox = self.form["key"].native
        self._models.setItemDelegate(NotedEntries(NOTE_ROLE, self._models))
        form = QFormLayout(self)
        self.form.add_rows(form, ("key",))
        form.addRow(self.fetching)
        form.addRow(self.kept)
        self.form.add_rows(form, ("file", "widths", "runtime"))
        form.addRow(self._advanced(calibration))
        self.form.changed.connect(self._on_changed)
        self._show_what_applies()

    @property
    def settings(self) -> ModelSettings:
        """All that is chosen now."""
        return self.form.value

    @property
    def choice(self) -> ModelChoice:
        """What is chosen now; the first of several."""
        return self.choices[0]

    @property
    def choices(self) -> tuple[ModelChoice, ...]:
        """All that is to be compared with full precision: one, or every bit width."""
        return self.settings.choices

    @property
    def runtime(self) -> Runtime:
        """What runs the networks."""
        return self.settings.runtime

    @property
    def checkpoint(self) -> Path | None:
        """The file chosen for a model whose weights are not shipped."""
        return self.settings.checkpoint

    @property
    def checkpoints(self) -> dict[str, Path]:
        """The files chosen so far, by the models that they are of."""
        return {key: file for key, file in self._files.items() if file is not None and key != EMBEDDED_MODEL}

    @property
    def lacks_checkpoint(self) -> bool:
        """Whether the model needs a checkpoint that is not chosen yet."""
        return self.settings.lacks_file

    def choose_model(self, key: str) -> None:
        """Choose a model."""
        self.form.update(key=key)

    def choose_bits(self, *bits: int) -> None:
        """Choose one bit width, or several."""
        self.form.update(widths=BitWidths(bits))

    def choose_method(self, method: str) -> None:
        """Choose a method of quantization."""
        self.form.update(method=method)

    def choose_runtime(self, runtime: Runtime) -> None:
        """Choose what runs the networks."""
        self.form.update(runtime=runtime)

    def set_checkpoint(self, path: Path | None) -> None:
        """Choose the weights of a model that has none shipped; None for those that are kept."""
        self.form.update(file=path)

    def show_loaded(self, key: str, *settings: QuantizationConfig) -> None:
        """Set the controls to what weights files hold, one or several of a model."""
        widths = BitWidths(tuple(dict.fromkeys(each.bits for each in settings)))
        self.form["widths"].hold(widths)
        self.form.update(key=key, widths=widths, method=settings[0].method)

    def preferences(self) -> dict[str, str]:
        """What is remembered from one session to the next; checkpoints by the models that they are of."""
        files = {f"{_CHECKPOINT} {key}": str(file or "") for key, file in self._files.items() if key != EMBEDDED_MODEL}
        return {key: _name(self.form[field].value) for key, field in _REMEMBERED.items()} | files

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take over what was remembered; what no longer exists is passed over."""
        of_medsam = kept.get(_CHECKPOINT, "")  # in 0.1.0 no other model had one
        for key, usual in {**dict.fromkeys(MODEL_KEYS, ""), medsam.KEY: of_medsam}.items():
            file = Path(kept.get(f"{_CHECKPOINT} {key}", usual))
            if is_there(file) and file.is_file():
                self._files[key] = file
        for key, field in _REMEMBERED.items():
            choose_kept(self.form[field].native, [*map(_name, self.form[field].choices)], kept.get(key, ""))
        self.form.update(file=self._files.get(self.settings.key))

    def _advanced(self, calibration: QWidget) -> Collapsible:
        inside = QWidget()
        form = QFormLayout(inside)
        form.setContentsMargins(0, 0, 0, 0)
        self.form.add_rows(form, ("method",))
        form.addRow(calibration)
        return Collapsible(tr("Method and calibration"), inside)

    def release(self) -> None:
        """Stop a download that is under way; what has come stays."""
        self.fetching.cancel()

    def _on_arrived(self, key: str) -> None:
        """A model's weights have come, or gone."""
        self._show_what_applies()
        if key == self.settings.key:
            self.changed.emit()

    def _on_changed(self) -> None:
        key, before = self.settings.key, self._key
        self._key = key
        if key == before:
            self._files[key] = self.settings.file
        elif self.settings.file != self._files.get(key):
            self.form.update(file=self._files.get(key))  # another model's would load, where they are built alike
            return
        self._show_what_applies()
        self.changed.emit()

    def _show_what_applies(self) -> None:
        self.form.set_visible("file", self.settings.needs_file)
        self.fetching.show_model(self.settings.key, missing=self.lacks_checkpoint)
        self.kept.show_model(self.settings.key, kept=self.settings.needs_file and self.settings.file is None)
        for place, key in enumerate(MODEL_KEYS):
            self._models.setItemData(place, note_of(entry_of(key)), NOTE_ROLE)
            self._models.setItemData(place, facts_of(key), Qt.ItemDataRole.ToolTipRole)
        self._models.view().setMinimumWidth(self._models.view().sizeHintForColumn(0))
        self.form["key"].tooltip = facts_of(self.settings.key)
        integers, method = self.runtime.integers, self.form["method"]
        method.enabled = not integers
        method.tooltip = tr("Integer products need COMQ with one scale a channel.") if integers else _METHOD_TOOLTIP
