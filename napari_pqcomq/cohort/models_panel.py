"""Which quantized weights are scored against full precision, how they are prompted, and where the results go."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QFileDialog,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_pqcomq.forms.dataclass_form import DataclassForm, Row
from napari_pqcomq.translation import tr
from napari_pqcomq.widgets.controls.collapsible import Collapsible
from napari_pqcomq.widgets.controls.combo_boxes import keep_narrow
from pqcomq.backends.runtime import Runtime
from pqcomq.cohort.settings import PROTOCOLS, CohortProtocol, PromptedBy
from pqcomq.cohort.statistics.loss_margin import DEFAULT_MARGIN
from pqcomq.volumes.volume import Modality

_PROMPTS = {
    "least_voxels": Row(
        tr("Voxels at least"), tr("Slices with fewer voxels of a label are not prompted."), options={"min": 1}
    ),
    "margin_voxels": Row(
        tr("Boxes grown by"), tr("Voxels round the label's own tight box."), options={"min": 0, "max": 50}
    ),
    "jitter_pixels": Row(
        tr("Edges moved by"),
        tr("Voxels, at random either way: as a hurried hand draws."),
        options={"min": 0, "max": 50},
    ),
    "yardstick_pixels": Row(
        tr("Yardstick moved by"),
        tr("Voxels: full precision is given a second, moved box, to compare quantization with."),
        options={"min": 0, "max": 50},
    ),
    "seed": Row(tr("Seed"), tr("Of the random movements."), options={"min": 0, "max": 2**31 - 1}),
}


class CaseModality(Enum):
    """What kind of image cases are whose files do not say."""

    told = tr("As the values tell")
    ct = "CT"
    mr = "MR"
    other = tr("Other")

    @property
    def modality(self) -> Modality | None:
        """As the engine names it; None to guess from the values."""
        modalities: dict[CaseModality, Modality] = {
            CaseModality.ct: "CT",
            CaseModality.mr: "MR",
            CaseModality.other: "other",
        }
        return modalities.get(self)


class CasePrompts(Enum):
    """What each label prompts the models with."""

    both = tr("Each slice, and whole organs")
    slice = tr("Each slice")
    organ = tr("Whole organs")

    @property
    def protocols(self) -> tuple[PromptedBy, ...]:
        """As the engine names them."""
        alone: dict[CasePrompts, tuple[PromptedBy, ...]] = {
            CasePrompts.slice: ("slice",),
            CasePrompts.organ: ("organ",),
        }
        return alone.get(self, PROTOCOLS)


@dataclass(frozen=True)
class CohortChoice:
    """What the form asks for beside the prompts.

    Attributes:
        prompted_by: each slice's own box, a box round the whole organ, or both.
        most_slices: of a label in a case, evenly spread.
        margin: of non-inferiority, Dice.
        runtime: that runs the quantized models.
        modality: of cases whose files do not say.
    """

    prompted_by: CasePrompts = CasePrompts.both
    most_slices: int = 8
    margin: float = DEFAULT_MARGIN
    runtime: Runtime = Runtime.auto
    modality: CaseModality = CaseModality.told


_CHOICE = {
    "runtime": Row(
        tr("Runs on"), tr("What runs the quantized models; full precision runs in the same library in float32.")
    ),
    "modality": Row(
        tr("Modality"),
        tr("Of cases whose files do not say: NIfTI, NRRD and MetaImage name none."),
        options={"choices": [(each.value, each) for each in CaseModality]},
    ),
    "prompted_by": Row(
        tr("Prompted by"),
        tr("Whole organs take longest: both models go through all of their slices, each following its own masks."),
        options={"choices": [(each.value, each) for each in CasePrompts]},
    ),
    "most_slices": Row(tr("Slices a label"), tr("At most, evenly spread."), options={"min": 1, "max": 1000}),
    "margin": Row(
        tr("Margin"),
        tr("Loss of Dice that would not matter, stated before looking: the verdict holds the interval against it."),
        decimals=3,
        options={"min": 0.001, "max": 1, "step": 0.005},
    ),
}


class ModelsPanel(QGroupBox):
    """Files of quantized weights, the protocol, and the folder of the results.

    Attributes:
        changed: emitted when weights, settings or folder change.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(tr("Models and results"), parent)
        self.files = QListWidget()
        self.files.setAccessibleName(tr("Weights files"))
        self.files.setToolTip(tr("Files of quantized weights of one model, made by Save… in Compare precisions."))
        self.files.setFixedHeight(3 * (self.fontMetrics().height() + 8))
        self.add_button, self.remove_button = QPushButton(tr("Add weights…")), QPushButton(tr("Remove"))
        self.add_button.setToolTip(tr("Add files of quantized weights; full precision is always scored beside them."))
        self.remove_button.setToolTip(tr("Take the chosen file out of the list; the file itself stays."))
        self.choice = DataclassForm(CohortChoice(), _CHOICE, self)
        self.prompts = DataclassForm(CohortProtocol(), _PROMPTS, self)
        self.folder_text, self.folder_button = QLabel(), QPushButton(tr("Results in…"))
        self.folder_text.setWordWrap(True)
        self.folder_button.setToolTip(tr("Folder of the results. A run that was stopped goes on in the same folder."))
        self.folder: Path | None = None
        self._lay_out()
        self.add_button.clicked.connect(self._ask_weights)
        self.remove_button.clicked.connect(self._remove)
        self.folder_button.clicked.connect(self._ask_folder)
        for name in ("runtime", "modality", "prompted_by"):
            keep_narrow(self.choice[name].native)
        for form in (self.choice, self.prompts):
            form.changed.connect(self.changed)
        self.set_folder(None)

    @property
    def weights(self) -> tuple[Path, ...]:
        """The files, in the order of the list."""
        items = (self.files.item(row) for row in range(self.files.count()))
        return tuple(Path(item.toolTip()) for item in items if item is not None)

    @property
    def protocol(self) -> CohortProtocol:
        """How the models are prompted.

        Raises:
            InputError: values do not go together.
        """
        choice = self.choice.value
        return replace(self.prompts.value, most_slices=choice.most_slices, protocols=choice.prompted_by.protocols)

    def add_weights(self, *paths: Path) -> None:
        """Add files that are not in the list yet."""
        for path in paths:
            if path not in self.weights:
                self.files.addItem(path.name)
                item = self.files.item(self.files.count() - 1)
                item.setToolTip(str(path))
        self.changed.emit()

    def set_folder(self, folder: Path | None) -> None:
        """Where the results go."""
        self.folder = folder
        # The end of the path tells folders apart, and a long one would make the dock wide.
        self.folder_text.setText("" if folder is None else f"…/{folder.parent.name}/{folder.name}")
        self.folder_text.setToolTip("" if folder is None else str(folder))
        self.changed.emit()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        for button in (self.add_button, self.remove_button):
            row.addWidget(button)
        form, more = QFormLayout(), QWidget()
        self.choice.add_rows(form)
        inner = QFormLayout(more)
        inner.setContentsMargins(0, 0, 0, 0)
        self.prompts.add_rows(inner)
        column = QVBoxLayout(self)
        column.addWidget(self.files)
        column.addLayout(row)
        column.addLayout(form)
        column.addWidget(Collapsible(tr("Boxes from ground truth"), more))
        column.addWidget(self.folder_button)
        column.addWidget(self.folder_text)

    def _ask_weights(self) -> None:
        paths, _filter = QFileDialog.getOpenFileNames(self, tr("Quantized weights"), "", tr("Weights (*.safetensors)"))
        self.add_weights(*map(Path, paths))

    def _remove(self) -> None:
        self.files.takeItem(self.files.currentRow())
        self.changed.emit()

    def _ask_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, tr("Folder of the results"))
        if path:
            self.set_folder(Path(path))
