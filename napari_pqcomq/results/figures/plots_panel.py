"""The plots of a finished comparison: one at a time, of one object."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QLabel, QSizePolicy, QWidget

from napari_pqcomq.results.held.result_store import ResultStore
from napari_pqcomq.translation import tr
from napari_pqcomq.widgets.controls.combo_boxes import keep_narrow
from pqcomq.comparison.gate import Tolerance

if TYPE_CHECKING:
    from napari_pqcomq.widgets.controls.plot_canvas import PlotCanvas
    from pqcomq.comparison.comparison_result import ObjectComparison
    from pqcomq.plots.bits_vs_dice import Measure
    from pqcomq.plots.theme import Look

ALONG, AGREEMENT, ACCURACY, LATENCIES, LAYERS, JITTER = (
    tr("Dice along the slices"),
    tr("Bits, latency · Dice between the models"),
    tr("Bits, latency · Dice against ground truth"),
    tr("Latencies"),
    tr("Quantization error of each layer"),
    tr("Moved boxes against quantization"),
)
_KINDS = (ALONG, AGREEMENT, ACCURACY, LATENCIES, LAYERS, JITTER)
_LEAST_HEIGHT, _ARROW_WIDTH = 150, 44
"""Pixels; the list's arrow and what is left free beside its text."""

_HINT = tr("Click or press ← → to go to a slice.")


class PlotsPanel(QWidget):
    """Chooses object and plot; nothing is drawn before it is looked at.

    Args:
        store: with the comparison that is drawn.
        parent: Qt parent.

    Attributes:
        slice_chosen: emitted with the slice number that was clicked.
    """

    slice_chosen = Signal(int)

    def __init__(self, store: ResultStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self.objects, self.plots = QComboBox(), QComboBox()
        self.hint = QLabel(_HINT)
        self.hint.setEnabled(False)
        for box in (self.objects, self.plots):
            keep_narrow(box)
        self.objects.currentIndexChanged.connect(self._on_object)
        self.plots.currentIndexChanged.connect(self._draw)
        self._choices = choices = QWidget()
        form = QFormLayout(choices)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapAllRows)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow(tr("Object"), self.objects)
        form.addRow(tr("Plot"), self.plots)
        form.addRow(self.hint)
        self.hint.setWordWrap(True)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 4, 0, 0)
        self._row.addWidget(choices)
        self.canvas: PlotCanvas | None = None
        self._tolerance: Tolerance | None = None
        self._is_dark = True
        self._slice: int | None = None
        self._is_stale = False
        store.changed.connect(self._on_result)
        store.jitters_changed.connect(self._on_jitters)

    def set_tolerance(self, tolerance: Tolerance) -> None:
        """Draw the gate's limit."""
        self._tolerance = tolerance
        self._draw()

    def set_dark(self, is_dark: bool) -> None:
        """Draw for a dark or a light theme."""
        self._is_dark = is_dark
        self._draw()

    def set_slice(self, z: int) -> None:
        """Mark the slice in sight."""
        self._slice = z
        if self.canvas is not None and self.isVisible():
            self.canvas.set_slice(z)

    def show_object(self, number: int) -> None:
        """Plot an object by its number, if it was compared."""
        result = self._store.result
        numbers = [] if result is None else [found.number for found in result.objects]
        if number in numbers:
            self.objects.setCurrentIndex(numbers.index(number))

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 (Qt's name)
        """Draw what was put off."""
        super().showEvent(event)
        # The font is known now. One plot's name or another's is always in sight, and none is cut.
        longest = max(self.plots.fontMetrics().horizontalAdvance(kind) for kind in _KINDS)
        self._choices.setFixedWidth(longest + _ARROW_WIDTH)
        if self._is_stale:
            self._draw()

    def _on_result(self) -> None:
        """Show another comparison in place of the one before."""
        if self._store.result is not None:
            names = [found.name for found in self._store.result.objects]
            self._refill(self.objects, names, self.objects.currentText())
            self._on_object()

    def _on_jitters(self) -> None:
        """Show the moved boxes of the last object, if there are any."""
        moved = (
            []
            if self._store.result is None
            else [
                index for index, found in enumerate(self._store.result.objects) if found.number in self._store.jitters
            ]
        )
        if moved:
            self.objects.setCurrentIndex(moved[-1])
        self._on_object()
        if moved:
            self.plots.setCurrentText(JITTER)

    def _on_object(self, *events: object) -> None:
        """Offer the plots that there are of the chosen object."""
        self._refill_plots()
        self._draw()

    def _draw(self, *events: object) -> None:
        found = self._found()
        if found is None or not self.isVisible():
            self._is_stale = True
            return
        self._is_stale = False
        # Imported here: matplotlib takes a moment, and the window should not wait for it before a plot is looked at.
        from pqcomq.plots.theme import DARK, LIGHT

        look = DARK if self._is_dark else LIGHT
        kind = self.plots.currentText() or ALONG
        canvas = self._canvas()
        canvas.setAccessibleName(f"{kind}, {found.name}")
        along = kind == ALONG
        self.hint.setVisible(along)
        canvas.show_plot(self._drawing(kind, found, look), found.prompt.slices if along else None, look.ink)
        if self._slice is not None:
            canvas.set_slice(self._slice)
        self.updateGeometry()

    def _drawing(self, kind: str, found: ObjectComparison, look: Look) -> Callable[[Any], None]:
        """What draws a plot, all but the figure given."""
        from pqcomq.plots.bits_vs_dice import draw_trade_off
        from pqcomq.plots.box_perturbation_plot import draw_jitter
        from pqcomq.plots.dice_per_slice import draw_along_slices
        from pqcomq.plots.latencies import draw_latencies
        from pqcomq.plots.layer_errors import draw_layer_errors

        comparisons = found.comparisons
        if kind == LATENCIES:
            return partial(draw_latencies, comparisons=comparisons, look=look)
        if kind == JITTER:
            return partial(draw_jitter, jitter=self._store.jitters[found.number], comparisons=comparisons, look=look)
        if kind == LAYERS:
            models = self._models()
            errors = [(model.settings.title, model.layer_errors) for model in models]
            slices = [int(model.calibration.get("slice_count", 0)) for model in models]
            return partial(draw_layer_errors, errors=errors, calibration_slices=slices, look=look)
        if kind in (AGREEMENT, ACCURACY):
            measure: Measure = "agreement" if kind == AGREEMENT else "accuracy"
            return partial(draw_trade_off, comparisons=comparisons, look=look, measure=measure)
        limit = None if self._tolerance is None else self._tolerance.dice
        return partial(draw_along_slices, comparisons=comparisons, look=look, least_dice=limit)

    def _found(self) -> ObjectComparison | None:
        result = self._store.result
        return None if result is None else result.objects[max(0, self.objects.currentIndex())]

    def _models(self) -> list[Any]:
        """The quantized models whose layers' errors are known."""
        result = self._store.result
        return [] if result is None else [each.weights for each in result.candidates if each.weights is not None]

    def _refill_plots(self) -> None:
        found = self._found()
        if found is None:
            return
        kinds = [*_KINDS]
        if found.truth is None:
            kinds.remove(ACCURACY)
        if not self._models():
            kinds.remove(LAYERS)
        if found.number not in self._store.jitters:
            kinds.remove(JITTER)
        self._refill(self.plots, kinds, self.plots.currentText())

    def _refill(self, box: QComboBox, texts: list[str], chosen: str) -> None:
        box.blockSignals(True)
        box.clear()
        box.addItems(texts)
        box.setCurrentIndex(max(0, box.findText(chosen)))
        box.blockSignals(False)

    def _canvas(self) -> PlotCanvas:
        if self.canvas is None:
            from napari_pqcomq.widgets.controls.plot_canvas import PlotCanvas

            self.canvas = PlotCanvas(self)
            self.canvas.slice_chosen.connect(self.slice_chosen)
            self.canvas.setMinimumHeight(_LEAST_HEIGHT)
            self.canvas.setSizePolicy(
                QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored
            )  # as high as there is room
            self._row.addWidget(self.canvas, 1)
        return self.canvas
