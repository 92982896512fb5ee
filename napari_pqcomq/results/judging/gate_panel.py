"""The acceptance gate: the user's tolerance, and a verdict in plain words for every object and model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import astuple
from html import escape
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFormLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_pqcomq.forms.dataclass_form import DataclassForm, Row
from napari_pqcomq.results.held.result_store import ResultStore
from napari_pqcomq.translation import tr
from napari_pqcomq.widgets.controls.pictures import sign
from napari_pqcomq.widgets.controls.sortable_table import Cell, SortableTable
from napari_pqcomq.widgets.dock.save_dialog import ask_and_save
from pqcomq.comparison.gate import Tolerance, Verdict, judge_objects
from pqcomq.comparison.model_result import Comparison
from pqcomq.comparison.presentation.comparison_text import short_names
from pqcomq.csv_table import write_table

_KEYS = ("gate least dice", "gate volume percent", "gate stability")
"""Of the limits among what is remembered."""

_LIMITS_WIDTH = 205
"""Pixels."""

_ROW_PIXELS, _ROWS_SHOWN = 16, 6
"""Six verdicts, of two objects under three models, stand in the lowest window without scrolling."""

_COLUMNS = (tr("Verdict"), tr("Object"), tr("Model"), "Dice", tr("Volume"), tr("In doubt"))

STABILITY = Row(
    tr("In doubt below"),
    tr(
        "Stability score of the quantized model's own answer, told without full precision. Slices below are marked "
        "by a dot above the slider; the cascade, below step 3, sends them on to full precision."
    ),
    decimals=3,
    options={"min": 0.0, "max": 1.0, "step": 0.05},
)
"""The limit that gate and cascade share."""

_ROWS = {
    "dice": Row(
        tr("Dice at least"),
        tr("Least Dice between the models: 1 when both masks are the same, 0 when they never meet."),
        decimals=3,
        options={"min": 0.01, "max": 1.0, "step": 0.005},
    ),
    "volume_percent": Row(
        tr("Volume within"),
        tr("Greatest difference of the mask's volume from full precision's, either way."),
        suffix=" %",
        decimals=1,
        options={"min": 0.0, "max": 100.0, "step": 1.0},
    ),
    "stability": STABILITY,
}


class GatePanel(QWidget):
    """Limits, a verdict for each object and model, and their export.

    Args:
        store: with the comparison that is judged.
        parent: Qt parent.

    Attributes:
        changed: emitted when a limit is set.
    """

    changed = Signal()

    def __init__(self, store: ResultStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self.limits = DataclassForm(Tolerance(), _ROWS, self)
        self.verdicts = SortableTable(_COLUMNS)
        self.verdicts.setToolTip(tr("One row for each object and model; the sentences below are about the chosen one."))
        self.verdicts.set_row_height(_ROW_PIXELS)
        self.verdicts.stretch_column(_COLUMNS.index(tr("Object")))
        self.sentences = QLabel()
        self.sentences.setWordWrap(True)
        self.export_button = QPushButton(tr("Export verdicts…"))
        self.sentences.setAlignment(Qt.AlignmentFlag.AlignTop)
        limits = QWidget()
        limits.setFixedWidth(_LIMITS_WIDTH)
        form = QFormLayout(limits)
        form.setContentsMargins(0, 0, 0, 0)
        self.limits.add_rows(form)
        form.addRow(self.export_button)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 4, 0, 0)
        row.addWidget(limits)
        column = QVBoxLayout()
        column.setSpacing(2)
        column.addWidget(self.verdicts)
        column.addWidget(self.sentences, 1)
        row.addLayout(column, 1)
        self.verdicts.itemSelectionChanged.connect(self._tell_chosen)
        store.changed.connect(self._on_result)
        self.limits.changed.connect(self._on_limits)
        self.export_button.clicked.connect(self._ask)

    @property
    def tolerance(self) -> Tolerance:
        """The limits as they are set."""
        return self.limits.value

    def set_tolerance(self, tolerance: Tolerance) -> None:
        """Set the limits."""
        self.limits.set_value(tolerance)

    def judged(self) -> tuple[Verdict, ...]:
        """The verdicts as they stand."""
        result = self._store.result
        return () if result is None else judge_objects(result.objects, self.tolerance)

    def export(self, path: Path) -> None:
        """Write the verdicts as CSV; the dialog has already asked before replacing a file.

        Raises:
            InputError: the file cannot be written.
        """
        write_table([verdict.to_dict() for verdict in self.judged()], path, overwrite=True)

    def preferences(self) -> dict[str, str]:
        """What is remembered from one session to the next."""
        return dict(zip(_KEYS, map(str, astuple(self.tolerance)), strict=True))

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take over what was remembered, if it is a tolerance."""
        with suppress(ValueError):
            defaults = zip(_KEYS, astuple(Tolerance()), strict=True)
            self.set_tolerance(Tolerance(*(float(kept.get(key, usual)) for key, usual in defaults)))

    def _on_result(self) -> None:
        self.verdicts.clearSelection()  # the row chosen was one of the comparison before
        self._show()

    def _on_limits(self) -> None:
        self._show()
        self.changed.emit()

    def _show(self) -> None:
        """Fill the table, and choose the verdict with the least Dice: the worst case is told first."""
        judged, chosen = self.judged(), self.verdicts.chosen
        compared = () if self._store.result is None else self._store.result.objects
        comparisons = [each for found in compared for each in found.comparisons]
        names = short_names(each.precision for each in judged)
        self.verdicts.blockSignals(True)
        self.verdicts.show_rows(
            [
                _cells(verdict, names[verdict.precision], each, self.tolerance)
                for verdict, each in zip(judged, comparisons, strict=True)
            ],
            [verdict.sentence for verdict in judged],
        )
        worst = min(range(len(judged)), key=lambda index: judged[index].dice, default=None)
        self.verdicts.choose(chosen if chosen is not None and chosen < len(judged) else worst)
        self.verdicts.blockSignals(False)
        self.verdicts.show_at_most(_ROWS_SHOWN)
        self._tell_chosen()

    def _tell_chosen(self) -> None:
        chosen = self.verdicts.chosen
        self.sentences.setText("" if chosen is None else _paragraph(self.judged()[chosen]))
        self.updateGeometry()

    def _ask(self) -> None:
        ask_and_save(self, tr("Export verdicts"), "gate.csv", self.export)


def _cells(verdict: Verdict, model: str, comparison: Comparison, tolerance: Tolerance) -> list[Cell]:
    """A row of the table; numbers that there are none of are dashes, and are sorted to the end."""
    volume = verdict.volume_difference_percent
    doubtful, total = len(comparison.doubtful_slices(tolerance.stability)), len(comparison.slices)
    return [
        verdict.outcome.upper(),
        verdict.name,
        model,
        (f"{verdict.dice:.4f}", verdict.dice) if math.isfinite(verdict.dice) else ("–", math.nan),
        ("–", math.nan) if volume is None else (f"{volume:+.2f} %", volume),
        (tr("{count} of {total} slices", count=doubtful, total=total), doubtful)
        if comparison.stability
        else ("–", math.nan),
    ]


def _paragraph(verdict: Verdict) -> str:
    """A verdict in sentences, with what it rests on."""
    head = f"{sign(verdict.outcome)} <b>{verdict.outcome.upper()}</b>"
    title = escape(f"{verdict.name}, {verdict.precision}")
    return f"{head} · {title}: {escape(' '.join([*verdict.reasons, verdict.rests_on]))}"
