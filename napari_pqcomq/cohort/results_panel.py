"""What a cohort has shown: verdicts, means beside the worst cases, and plots."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QComboBox, QLabel, QPushButton, QTabWidget, QVBoxLayout, QWidget

from napari_pqcomq.cohort.cohort_jobs import CohortOutcome
from napari_pqcomq.translation import tr, trn
from napari_pqcomq.widgets.controls.combo_boxes import keep_narrow
from napari_pqcomq.widgets.controls.sortable_table import Cell, SortableTable
from pqcomq.cohort.report.page import PAGE
from pqcomq.cohort.report.report_pictures import CohortPlot, cohort_names, cohort_plots

if TYPE_CHECKING:
    from napari_pqcomq.widgets.controls.plot_canvas import PlotCanvas

_VERDICTS = (
    tr("Model"),
    tr("Label"),
    tr("Verdict"),
    tr("Cases"),
    tr("Difference"),
    tr("95 % low"),
    tr("95 % high"),
    tr("Worst case"),
    tr("Prompts lose > .1"),
)
_MODELS = (
    tr("Model"),
    tr("Boxes"),
    "Dice",
    tr("Worst"),
    tr("Lose > .1"),
    tr("Worst tenth"),
    tr("Median"),
    tr("vs full precision"),
    tr("Worst vs full"),
    tr("Prompts"),
)
_STRATA = (
    tr("Model"),
    tr("Boxes"),
    tr("Full precision is"),
    "Dice",
    tr("Worst"),
    tr("Lose > .1"),
    tr("Full precision's"),
    tr("Prompts"),
)
_STRATA_TITLES = {"right": tr("right"), "doubtful": tr("doubtful"), "wrong": tr("wrong")}
_PROTOCOLS = {"slice": tr("each slice"), "organ": tr("whole organs")}
_PLOT_HEIGHT = 320


class CohortResultsPanel(QWidget):
    """Tables that sort by a click on a title, the plots of the report, and the report itself."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.verdict = QLabel()
        self.verdict.setWordWrap(True)
        self.verdicts, self.models, self.strata = (SortableTable(titles) for titles in (_VERDICTS, _MODELS, _STRATA))
        self.verdicts.setToolTip(tr("Quantized − full precision in Dice against ground truth, cases as units."))
        self.models.setToolTip(tr("Dice against ground truth; vs full precision: Dice between the models."))
        self.strata.setToolTip(
            tr("Full precision is right from a Dice of .8 against ground truth on, and wrong below .5.")
        )
        self.plots = QComboBox()
        self.plots.setToolTip(tr("Which plot of the report is shown."))
        keep_narrow(self.plots)
        self.report_button = QPushButton(tr("Open the report"))
        self.report_button.setToolTip(tr("One page that loads nothing and names no case; it opens in the browser."))
        self._outcome: CohortOutcome | None = None
        self._canvas: PlotCanvas | None = None
        self._is_dark = True
        self._plots: list[CohortPlot] = []
        self._plot_page = QWidget()
        self._plot_column = QVBoxLayout(self._plot_page)
        self._plot_column.addWidget(self.plots)
        self.tabs = QTabWidget()
        for widget, title in (
            (self.verdicts, tr("Verdicts")),
            (self.models, tr("Models")),
            (self.strata, tr("Right or wrong")),
            (self._plot_page, tr("Plots")),
        ):
            self.tabs.addTab(widget, title)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for part in (self.verdict, self.tabs, self.report_button):
            column.addWidget(part)
        self.plots.currentIndexChanged.connect(self._draw)
        self.tabs.currentChanged.connect(self._draw)
        self.report_button.clicked.connect(self._open_report)
        self.setVisible(False)

    def show_outcome(self, outcome: CohortOutcome) -> None:
        """Show what a run has led to."""
        self._outcome = outcome
        statistics, names = outcome.statistics, cohort_names(outcome.result)
        self.verdict.setText("\n".join(_sentences(outcome)))
        self.verdicts.show_rows(
            [
                [
                    names[each.model],
                    each.label,
                    each.outcome,
                    (str(each.cases), each.cases),
                    *(_signed(value) for value in (each.difference, each.low, each.high, -each.worst_case)),
                    _share(each.losing),
                ]
                for each in statistics.verdicts()
            ],
            [each.sentence for each in statistics.verdicts()],
        )
        self.models.show_rows(
            [
                [
                    names[each.model],
                    _PROTOCOLS[each.protocol],
                    *(_number(value) for value in (each.dice, each.worst_dice)),
                    _share(each.losing),
                    *(
                        _number(value)
                        for value in (each.worst_decile, each.dice_median, each.dice_between, each.worst_between)
                    ),
                    (str(each.prompts), each.prompts),
                ]
                for each in statistics.prompts
            ],
            [each.model for each in statistics.prompts],
        )
        strata = [(each, stratum) for each in statistics.prompts for stratum in each.strata if stratum.prompts]
        self.strata.show_rows(
            [
                [
                    names[each.model],
                    _PROTOCOLS[each.protocol],
                    _STRATA_TITLES[stratum.name],
                    *(_number(value) for value in (stratum.dice, stratum.worst_dice)),
                    _share(stratum.losing),
                    _number(stratum.full_dice),
                    (str(stratum.prompts), stratum.prompts),
                ]
                for each, stratum in strata
            ],
            [each.model for each, _stratum in strata],
        )
        self._list_plots(outcome)
        self.report_button.setVisible(not outcome.result.unfinished)  # it is written after the last case
        self.setVisible(True)
        self._draw()

    def set_dark(self, dark: bool) -> None:
        """Let the plots follow napari's theme."""
        self._is_dark = dark
        self._draw()

    def _list_plots(self, outcome: CohortOutcome) -> None:
        self._plots = cohort_plots(outcome.result, outcome.statistics)
        self.plots.blockSignals(True)
        self.plots.clear()
        self.plots.addItems([plot.text for plot in self._plots])
        self.plots.blockSignals(False)

    def _draw(self) -> None:
        """The plot in sight; none is drawn before it is looked at."""
        if self._outcome is None or self.tabs.currentWidget() is not self._plot_page or self.plots.currentIndex() < 0:
            return
        from napari_pqcomq.widgets.controls.plot_canvas import PlotCanvas
        from pqcomq.plots.theme import DARK, LIGHT

        if self._canvas is None:
            self._canvas = PlotCanvas()
            self._canvas.setMinimumHeight(_PLOT_HEIGHT)
            self._plot_column.addWidget(self._canvas)
        look = DARK if self._is_dark else LIGHT
        self._canvas.show_plot(partial(self._plots[self.plots.currentIndex()].draw, look=look), None, look.mark)

    def _open_report(self) -> None:
        if self._outcome is not None:
            page = self._outcome.result.store.folder / PAGE
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(page.resolve())))


def _sentences(outcome: CohortOutcome) -> list[str]:
    """One for each quantized model, by all labels together; of an unfinished cohort, how far it is."""
    result, statistics = outcome.result, outcome.statistics
    told = []
    if result.unfinished:
        told = [
            trn(
                "{scored} of {count} case scored; the report comes with the last.",
                "{scored} of {count} cases scored; the report comes with the last.",
                result.total,
                scored=result.scored,
            )
        ]
    models = dict.fromkeys(each.model for each in statistics.verdicts())
    names = cohort_names(result)
    told += [f"{names[model]}: {statistics.outcome(model).upper()}. {_together(outcome, model)}" for model in models]
    if seen := result.calibrated_here:
        told.append(
            tr(
                "A model was calibrated on these cases' images, and is not judged fairly on them: {names}.",
                names=", ".join(seen),
            )
        )
    return told


def _together(outcome: CohortOutcome, model: str) -> str:
    return next(each.finding for each in outcome.statistics.verdicts(model))


def _number(value: float) -> Cell:
    return (f"{value:.3f}" if math.isfinite(value) else "–", value)


def _share(value: float) -> Cell:
    return (f"{100 * value:.1f} %", value)


def _signed(value: float) -> Cell:
    return (f"{value:+.4f}" if math.isfinite(value) else "–", value)
