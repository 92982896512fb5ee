"""Small first, big when in doubt: the quantized model segments, full precision only where that is unsure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QFileDialog, QFormLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_pqcomq.forms.dataclass_form import DataclassForm
from napari_pqcomq.jobs.comparing.cascade_jobs import CascadeOutcome, CascadeSlice
from napari_pqcomq.results.judging.gate_panel import STABILITY
from napari_pqcomq.translation import tr
from napari_pqcomq.widgets.controls.combo_boxes import keep_narrow
from napari_pqcomq.widgets.controls.sortable_table import Cell, SortableTable
from pqcomq.comparison.gate import Tolerance

_EXPLANATION = tr(
    "The quantized model segments the ticked objects; full precision is asked again only on slices where the "
    "quantized model's own stability score is below the limit. A cohort's results tell which limit catches what."
)
_COLUMNS = (tr("Object"), tr("Slice"), tr("Stability"), tr("Answered by"))
_ROW_PIXELS, _ROWS_SHOWN = 18, 8


class CascadePanel(QWidget):
    """The limit, a button that runs the cascade, and who has answered on which slice.

    Attributes:
        changed: emitted when the limit is set.
        run_requested: emitted by the button that runs the cascade.
        cohort_requested: emitted with the folder of a cohort's results, whose limit is to be taken.
        slice_chosen: emitted with the slice of the row that was chosen.
    """

    changed = Signal()
    run_requested = Signal()
    cohort_requested = Signal(Path)
    slice_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.limit = DataclassForm(Tolerance(), {"stability": STABILITY}, self)
        self.models = QComboBox()
        self.models.setToolTip(tr("The quantized model that is asked first, where there are several."))
        self.models.setAccessibleName(tr("Quantized model"))
        keep_narrow(self.models)
        self.cohort_button, self.run_button = QPushButton(tr("From a cohort…")), QPushButton(tr("Run the cascade"))
        self.cohort_button.setToolTip(
            tr("Take the limit from a folder of a cohort's results that has these quantized weights among its models.")
        )
        self.run_button.setToolTip(
            tr("Segment the ticked objects, in the background; the masks become a labels layer of yours.")
        )
        self.message = QLabel(_EXPLANATION)
        self.message.setWordWrap(True)
        self.slices = SortableTable(_COLUMNS)
        self.slices.setAccessibleName(tr("Who has answered on which slice"))
        self.slices.setToolTip(tr("Who has answered on which slice; a click on a row goes there."))
        self.slices.set_row_height(_ROW_PIXELS)
        self.slices.stretch_column(0)
        self._shown: tuple[CascadeSlice, ...] = ()
        form, row = QFormLayout(), QHBoxLayout()
        self.limit.add_rows(form)
        row.addLayout(form, 1)
        row.addWidget(self.cohort_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.addLayout(row)
        for widget in (self.models, self.run_button, self.message, self.slices):
            column.addWidget(widget)
        self.limit.changed.connect(self.changed)
        self.run_button.clicked.connect(lambda: self.run_requested.emit())
        self.cohort_button.clicked.connect(self._ask_cohort)
        self.slices.itemSelectionChanged.connect(self._on_chosen)
        self.clear()

    @property
    def threshold(self) -> float:
        """Stability score below which full precision is asked."""
        return self.limit.value.stability

    def set_threshold(self, threshold: float) -> None:
        """Set the limit."""
        self.limit.update(stability=threshold)

    def offer(self, *, run: bool, cohort: bool, models: Sequence[str]) -> None:
        """Say what can be done now.

        Args:
            run: whether the cascade can be run.
            cohort: whether a cohort can be looked up: there must be weights to look for.
            models: titles of the chosen quantized models.
        """
        self.run_button.setEnabled(run)
        self.cohort_button.setEnabled(cohort)
        if list(models) != [self.models.itemText(place) for place in range(self.models.count())]:
            self.models.clear()
            self.models.addItems(list(models))
        self.models.setVisible(len(models) > 1)

    def clear(self) -> None:
        """There is no result, or it is another volume's."""
        self._shown = ()
        self.slices.show_rows([])
        self.slices.setVisible(False)
        self.message.setText(_EXPLANATION)

    def show_message(self, text: str) -> None:
        """Say where the limit has come from."""
        self.message.setText(text)
        self.updateGeometry()

    def show_outcome(self, outcome: CascadeOutcome, layer: str) -> None:
        """List who has answered where.

        Args:
            outcome: of the run.
            layer: name of the layer with its masks.
        """
        self.message.setText("\n".join([_counted(outcome), _timed(outcome), tr("Layer “{layer}”.", layer=layer)]))
        self._shown = ()  # rows that are filled choose no slice
        self.slices.clearSelection()
        self.slices.show_rows([_cells(each) for each in outcome.slices])
        self._shown = outcome.slices
        self.slices.show_at_most(_ROWS_SHOWN)
        self.slices.setVisible(True)
        self.updateGeometry()

    def _on_chosen(self) -> None:
        chosen = self.slices.chosen
        if chosen is not None and chosen < len(self._shown):
            self.slice_chosen.emit(self._shown[chosen].z)

    def _ask_cohort(self) -> None:
        path = QFileDialog.getExistingDirectory(self, tr("Folder of a cohort's results"))
        if path:
            self.cohort_requested.emit(Path(path))


def _cells(each: CascadeSlice) -> list[Cell]:
    return [
        each.name,
        (str(each.z), each.z),
        (f"{each.stability:.3f}", each.stability),
        tr("full precision") if each.is_sent_on else tr("quantized"),
    ]


def _counted(outcome: CascadeOutcome) -> str:
    share = outcome.sent / len(outcome.slices) if outcome.slices else 0.0
    return tr(
        "{sent} of {count} slices ({share:.0%}) were sent on to full precision, those with a stability below "
        "{threshold:g}.",
        sent=outcome.sent,
        count=len(outcome.slices),
        share=share,
        threshold=outcome.threshold,
    )


def _timed(outcome: CascadeOutcome) -> str:
    """Simulated and measured speed are told apart."""
    seconds = {"small": outcome.small_seconds, "full": outcome.full_seconds}
    precision = outcome.small.segmenter.precision
    if outcome.small.simulated:
        return tr(
            "Time of the networks: {precision} {small:.1f} s (simulated: its weights run widened, no faster than full "
            "precision), full precision {full:.1f} s.",
            precision=precision,
            **seconds,
        )
    return tr(
        "Time of the networks, measured: {precision} {small:.1f} s, full precision {full:.1f} s.",
        precision=precision,
        **seconds,
    )
