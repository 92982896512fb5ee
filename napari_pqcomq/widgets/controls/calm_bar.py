"""A progress bar whose wait without an end in sight costs the work that is waited for next to nothing."""

from __future__ import annotations

from qtpy.QtCore import QRect, QTimer
from qtpy.QtGui import QHideEvent, QPainter, QPaintEvent, QShowEvent
from qtpy.QtWidgets import QProgressBar, QStyle, QStyleOptionProgressBar

_STEP_MS = 400
_STEPS = 8
"""From one end of the bar to the other."""
_BLOCK = 0.3
"""Width of what moves, of the bar's."""


class CalmBar(QProgressBar):
    """Moves a block to and fro in steps while nobody knows how long it takes (a range from 0 to 0).

    Qt draws that thirty times a second, and has the whole window put together anew each time, since it holds napari's
    OpenGL canvas. Where a processor does OpenGL's work each takes it 20 ms.

    Attributes:
        steps: times the block's steps.
    """

    def __init__(self) -> None:
        super().__init__()
        self._step = 0
        self.steps = QTimer(self)
        self.steps.setInterval(_STEP_MS)
        self.steps.timeout.connect(self.advance)

    @property
    def is_busy(self) -> bool:
        """Whether the end is not known."""
        return self.minimum() == 0 == self.maximum()

    def setRange(self, minimum: int, maximum: int) -> None:  # noqa: N802 (Qt's name)
        """From 0 to 0 where the end is not known."""
        super().setRange(minimum, maximum)
        self._time_steps()

    def advance(self) -> None:
        """Move the block by a step."""
        self._step = (self._step + 1) % (2 * _STEPS)
        self.update()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 (Qt's name)
        """The block moves while it is seen."""
        super().showEvent(event)
        self._time_steps()

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 (Qt's name)
        """Nobody sees it move."""
        super().hideEvent(event)
        self._time_steps()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        """An empty bar, and in it what fills a full one: both as the theme has them."""
        if not self.is_busy:
            super().paintEvent(event)
            return
        option = QStyleOptionProgressBar()
        self.initStyleOption(option)
        option.maximum, option.progress, option.textVisible = 1, 0, False
        painter = QPainter(self)
        self.style().drawControl(QStyle.ControlElement.CE_ProgressBar, option, painter, self)
        option.progress, option.rect = 1, self._block()
        self.style().drawControl(QStyle.ControlElement.CE_ProgressBarContents, option, painter, self)
        painter.end()

    def _block(self) -> QRect:
        place = min(self._step, 2 * _STEPS - self._step) / _STEPS
        width = round(self.width() * _BLOCK)
        return QRect(round((self.width() - width) * place), 0, width, self.height())

    def _time_steps(self) -> None:
        if self.is_busy and self.isVisible():
            self.steps.start()
        else:
            self.steps.stop()
