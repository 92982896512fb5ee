"""The acceptance gate: the user's tolerance, and a verdict in plain words for every object and model."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import astuple
from html import escape
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFormLayout, QHBoxLayout, QLabel, QPushButton, QWidget

from napari_pqcomq.forms.dataclass_form import DataclassForm, Row
from napari_pqcomq.results.result_store import ResultStore
from napari_pqcomq.translation import tr
from napari_pqcomq.widgets.controls.pictures import sign
from napari_pqcomq.widgets.dock.save_dialog import ask_and_save
from pqcomq.comparison.gate import Tolerance, Verdict, judge_objects
from pqcomq.csv_table import write_table

_KEYS = ("gate least dice", "gate volume percent", "gate stability")
"""Of the limits among what is remembered."""

_LIMITS_WIDTH = 230
"""Pixels."""

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
    "stability": Row(
        tr("In doubt below"),
        tr(
            "Stability score of the quantized model's own answer, told without full precision. Slices below are "
            "marked by "
            "a dot above the slider; pqcomq segment --cascade sends them on to full precision."
        ),
        decimals=2,
        options={"min": 0.0, "max": 1.0, "step": 0.05},
    ),
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
        self.verdicts = QLabel()
        self.verdicts.setWordWrap(True)
        self.export_button = QPushButton(tr("Export verdicts…"))
        self.verdicts.setAlignment(Qt.AlignmentFlag.AlignTop)
        limits = QWidget()
        limits.setFixedWidth(_LIMITS_WIDTH)
        form = QFormLayout(limits)
        form.setContentsMargins(0, 0, 0, 0)
        self.limits.add_rows(form)
        form.addRow(self.export_button)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 4, 0, 0)
        row.addWidget(limits)
        row.addWidget(self.verdicts, 1)
        store.changed.connect(self._show)
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

    def _on_limits(self) -> None:
        self._show()
        self.changed.emit()

    def _show(self) -> None:
        judged = self.judged()
        last_of = {verdict.name: index for index, verdict in enumerate(judged)}
        self.verdicts.setText(
            "".join(_paragraph(each, last_of[each.name] == index) for index, each in enumerate(judged))
        )
        self.updateGeometry()

    def _ask(self) -> None:
        ask_and_save(self, tr("Export verdicts"), "gate.csv", self.export)


def _paragraph(verdict: Verdict, is_last: bool) -> str:
    """A verdict; what all of an object rest on is said once, below the last of them."""
    head = f"{sign(verdict.outcome)} <b>{verdict.outcome.upper()}</b>"
    title = escape(f"{verdict.name}, {verdict.precision}")
    sentences = escape(" ".join([*verdict.reasons, *([verdict.rests_on] if is_last else [])]))
    return f"<p style='margin-top:0; margin-bottom:4px'>{head} · {title}<br>{sentences}</p>"
