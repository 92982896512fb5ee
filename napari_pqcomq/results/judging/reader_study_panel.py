"""Blinded reading in the dock: which side is better, asked until all pairs are read, and the names only then."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from napari.utils.notifications import show_error
from qtpy.QtCore import QEventLoop, Signal
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import (
    QApplication,
    QFormLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QShortcut,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_pqcomq.results.held.result_store import ResultStore
from napari_pqcomq.translation import tr
from napari_pqcomq.widgets.controls.rows import row
from napari_pqcomq.widgets.dock.save_dialog import ask_for_file
from pqcomq.atomic_files import check_target
from pqcomq.errors import InputError
from pqcomq.reader_study.blinded_study import BlindedReading, Choice
from pqcomq.reader_study.trials import Item, items_of
from pqcomq.segmentation.box import Box3D

if TYPE_CHECKING:
    from pqcomq.comparison.comparison_result import ComparisonResult

_DEFAULT_SLICES = 10
_SHORTEST_LOOK_SECONDS = 0.2
"""Nobody compares two masks in less; a key pressed twice, or while the window was busy, is sooner."""
_KEYS: dict[Choice, tuple[str, str]] = {
    "left": (tr("Left is better (J)"), "J"),
    "none": (tr("No difference (K)"), "K"),
    "right": (tr("Right is better (L)"), "L"),
}
_EXPLANATION = tr(
    "Reads slices on which the masks differ. Sides are shuffled and nameless, figures are hidden; which model was "
    "where is told after the last pair. Every choice is written to the log at once."
)


@dataclass(frozen=True, eq=False)
class Pair:
    """What a reader sees.

    Attributes:
        left: (z, y, x) bool.
        right: (z, y, x) bool.
        z: slice to look at.
        box: round the object.
    """

    left: np.ndarray = field(repr=False)
    right: np.ndarray = field(repr=False)
    z: int
    box: Box3D | None


class ReaderStudyPanel(QWidget):
    """Asks for one choice after another; the reading itself is in the store.

    Args:
        store: with the comparison that is read.
        parent: Qt parent.
        seed: makes the seed of a reading; by default a fresh random one.
        clock: seconds, for how long a choice takes.

    Attributes:
        started: emitted when a reading begins: nothing that identifies the models may be in sight from then on.
        shown: emitted with the :class:`Pair` to be shown.
        ended: emitted when a reading is finished or stopped.
    """

    started = Signal()
    shown = Signal(object)
    ended = Signal()

    def __init__(
        self,
        store: ResultStore,
        parent: QWidget | None = None,
        *,
        seed: Callable[[], int] = lambda: secrets.randbits(32),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(parent)
        self._store, self._seed, self._clock = store, seed, clock
        self._log: Path | None = None
        self._before: BlindedReading | None = None  # a finished one, which the one under way takes the place of
        self._began = 0.0
        self.slices = QSpinBox()
        self.slices.setRange(1, 200)
        self.slices.setValue(_DEFAULT_SLICES)
        self.slices.setToolTip(tr("Slices of every object and model at the most, evenly spread."))
        self.start_button, self.stop_button = QPushButton(tr("Read blinded…")), QPushButton(tr("Stop"))
        self.choices = {choice: QPushButton(text) for choice, (text, _key) in _KEYS.items()}
        self.bar, self.text = QProgressBar(), QLabel(_EXPLANATION)
        self.text.setWordWrap(True)
        self._shortcuts = [self._shortcut(choice) for choice in _KEYS]
        self._lay_out()
        self.start_button.clicked.connect(self._ask)
        self.stop_button.clicked.connect(self.stop)
        for choice, button in self.choices.items():
            button.clicked.connect(lambda _checked=False, chosen=choice: self._press(chosen))
        store.changed.connect(self._on_result)
        self._refresh()

    def show_finished(self, reading: BlindedReading) -> None:
        """Show the outcome of a reading that was finished earlier."""
        self._store.reading = reading
        self.text.setText(reading.outcome)
        self._refresh()

    def begin(self, log: Path) -> None:
        """Deal the pairs and show the first.

        Args:
            log: CSV file, written after every choice; the dialog has already asked before replacing one.

        Raises:
            InputError: there is nothing to read, two objects have one name, or the log cannot be written.
        """
        result = self._store.result
        if result is None:
            raise InputError(tr("There is no comparison to read yet: press Compare first."))
        names = [found.name for found in result.objects]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise InputError(
                tr("Two objects are called “{name}”: rename one, press Compare, and read them then.", name=twice)
            )
        items: list[Item] = []
        for found in result.objects:
            for comparison in found.comparisons:
                items += items_of(found.name, comparison, self.slices.value())
        reading = BlindedReading.of(items, self._seed())
        check_target(log, overwrite=True)  # before the first pair, not after each of them
        self._before, self._store.reading, self._log = self._store.finished_reading, reading, log
        self.started.emit()
        if self._store.is_being_read:  # a listener may have stopped it
            self._show()

    def choose(self, choice: Choice) -> None:
        """Answer the pair in sight."""
        reading = self._store.reading
        if reading is None or reading.is_finished:
            return
        reading.answer(choice, self._clock() - self._began)
        if self._log is not None:
            try:
                reading.write(self._log)
            except InputError as error:
                show_error(str(error))
        if reading.is_finished:
            self.text.setText(reading.outcome)
            self._refresh()
            self.ended.emit()
        else:
            self._show()

    def stop(self) -> None:
        """End a reading before its last pair; no names are shown, the log stays as it is, and so does one before it."""
        if self._store.is_being_read:
            self._store.reading = self._before
            self.text.setText(tr("Stopped before the last pair; which model was where is not told."))
            self._refresh()
            self.ended.emit()

    def _show(self) -> None:
        """Show the current pair and start its clock."""
        result, reading = self._store.result, self._store.reading
        trial = None if reading is None else reading.current
        if trial is None or result is None:
            return
        several = len(result.objects) > 1
        what = (
            tr("{item}, slice {z}", item=trial.item.name, z=trial.item.z)
            if several
            else tr("Slice {z}", z=trial.item.z)
        )
        self.text.setText(tr("{what}: which mask is better?", what=what))
        self._refresh()
        self.shown.emit(_pair(result, trial.item, trial.quantized_is_left))
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)  # the pair is drawn now
        self._began = self._clock()

    def _press(self, choice: Choice) -> None:
        """Answer as the user does; what was pressed before the pair was seen is no answer to it."""
        if self._clock() - self._began >= _SHORTEST_LOOK_SECONDS:
            self.choose(choice)

    def _on_result(self) -> None:
        """Offer another comparison for reading."""
        self.text.setText(_EXPLANATION)
        self._refresh()

    def _ask(self) -> None:
        log = ask_for_file(self, tr("Log of the reading"), "reading.csv", tr("Table"))
        if log is None:
            return
        try:
            self.begin(log)
        except InputError as error:
            show_error(str(error))

    def _refresh(self) -> None:
        """Offer what can be done now."""
        reading, running = self._store.reading, self._store.is_being_read
        self.start_button.setEnabled(self._store.result is not None)
        self.start_button.setVisible(not running)
        self.slices.setEnabled(not running)
        for widget in (self.stop_button, self.bar, *self.choices.values()):
            widget.setVisible(running)
        for shortcut in self._shortcuts:
            shortcut.setEnabled(running)
        if running and reading is not None:
            total, done = len(reading.trials), len(reading.answers)
            self.bar.setRange(0, total)
            self.bar.setValue(done)
            self.bar.setFormat(tr("pair {done} of {total}", done=done + 1, total=total))
        self.updateGeometry()

    def _shortcut(self, choice: Choice) -> QShortcut:
        shortcut = QShortcut(QKeySequence(_KEYS[choice][1]), self)
        shortcut.setAutoRepeat(False)
        shortcut.activated.connect(lambda: self._press(choice))
        return shortcut

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.addRow(tr("Slices"), self.slices)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.addLayout(form)
        column.addWidget(self.start_button)
        column.addLayout(row(self.bar, self.stop_button))
        column.addWidget(self.text)
        column.addLayout(row(*self.choices.values()))
        column.addStretch(1)


def _pair(result: ComparisonResult, item: Item, quantized_is_left: bool) -> Pair:
    """The masks of an item, on the sides where they are shown."""
    found = next(each for each in result.objects if each.name == item.name)
    comparison = next(each for each in found.comparisons if each.candidate.precision == item.precision)
    shape = result.volume.grid.shape_zyx
    masks = (comparison.candidate.mask_in(shape), comparison.reference.mask_in(shape))
    left, right = masks if quantized_is_left else masks[::-1]
    return Pair(left, right, item.z, found.box)
