"""A matplotlib plot in the dock that is clicked, reached by keyboard, and shows the slice in sight.

A file of its own because matplotlib takes a moment to import: it is imported when the first plot is looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from matplotlib.figure import Figure
from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtGui import QKeyEvent, QResizeEvent
from qtpy.QtWidgets import QWidget

_RESIZED_MS = 150
"""After the last change of size: who drags a border asks for many."""
_ARROWS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}


class PlotCanvas(FigureCanvasQTAgg):
    """Draws one of the engine's plots; on plots over slices a click or an arrow key chooses a slice.

    Attributes:
        slice_chosen: emitted with the slice number.
    """

    slice_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        self._resized = QTimer()
        super().__init__(Figure(dpi=96))
        self._draw_plot: Callable[[Figure], None] | None = None
        self._resized.setParent(self)
        self._resized.setSingleShot(True)
        self._resized.setInterval(_RESIZED_MS)
        self._resized.timeout.connect(self._place_anew)
        self.setParent(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._slices: range | None = None
        self._current: int | None = None
        self._colour = "white"
        self._empty: Any = None
        self.mpl_connect("draw_event", self._keep_empty)
        self.mpl_connect("button_press_event", self._on_click)

    def show_plot(self, draw: Callable[[Figure], None], slices: range | None, line_colour: str) -> None:
        """Draw a plot in place of the one before.

        Args:
            draw: one of the engine's drawing functions, all but its figure given.
            slices: that the plot's x axis runs over, None where it shows something else.
            line_colour: of the line at the slice in sight.
        """
        self._slices, self._colour, self._draw_plot = slices, line_colour, draw
        self._place_anew()

    def set_slice(self, z: int) -> None:
        """Mark the slice in sight; only the line is drawn anew."""
        self._current = z
        if self._slices is not None and self._empty is not None:
            self.restore_region(self._empty)
            self._draw_line()
            self.blit(self.figure.bbox)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 (Qt's name)
        """Have the parts placed, and the remark wrapped, for the new size."""
        super().resizeEvent(event)
        self._resized.start()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 (Qt's name)
        """Left and right choose the neighbouring slice."""
        step = _ARROWS.get(Qt.Key(event.key()))
        if step is None or self._slices is None or self._current is None:
            super().keyPressEvent(event)
        else:
            self._choose(self._current + step)

    def _place_anew(self) -> None:
        if self._draw_plot is not None:
            self._empty = None
            self._draw_plot(self.figure)
            self.draw_idle()

    def _keep_empty(self, event: object = None) -> None:
        """Keep the plot without the line, then draw the line."""
        if self._slices is not None:
            self._empty = self.copy_from_bbox(self.figure.bbox)
            self._draw_line()

    def _draw_line(self) -> None:
        if self._current is None or self._slices is None or self._current not in self._slices:
            return
        for axes in self.figure.axes:
            line = axes.axvline(self._current, color=self._colour, linewidth=1.2)
            axes.draw_artist(line)
            line.remove()

    def _on_click(self, event: Any) -> None:  # noqa: ANN401 (matplotlib's event)
        if event.inaxes is not None and event.xdata is not None:
            self._choose(round(event.xdata))

    def _choose(self, z: int) -> None:
        if self._slices is not None:
            self.slice_chosen.emit(min(max(z, self._slices[0]), self._slices[-1]))
