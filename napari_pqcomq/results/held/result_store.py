"""The finished comparison that the results area shows, kept in one place for all of its panels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from napari_pqcomq.results.held.corrections import Corrections
from pqcomq.comparison.box_perturbation import BoxJitter
from pqcomq.reader_study.blinded_study import BlindedReading

if TYPE_CHECKING:
    from pqcomq.comparison.comparison_result import ComparisonResult


class ResultStore(QObject):
    """Holds the last finished comparison and what was made of it since; panels read it and keep none of it.

    Attributes:
        changed: emitted after another comparison, or none, took the place of the one before.
        jitters_changed: emitted after boxes were moved.
        corrected: emitted after a mask was corrected by hand.
        result: the comparison, None before the first.
        jitters: what the moved boxes of an object gave, by the object's number.
        corrections: by hand, on the comparison's masks.
        reading: the blinded reading of the comparison, under way or finished, None where there is none.
    """

    changed = Signal()
    jitters_changed = Signal()
    corrected = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.result: ComparisonResult | None = None
        self.jitters: dict[int, BoxJitter] = {}
        self.reading: BlindedReading | None = None
        self.corrections = Corrections()

    @property
    def is_being_read(self) -> bool:
        """Whether a blinded reading is under way: until it ends, no name and no figure may be seen."""
        return self.reading is not None and not self.reading.is_finished

    @property
    def finished_reading(self) -> BlindedReading | None:
        """The reading, if it was done to its end."""
        return None if self.is_being_read else self.reading

    def set_result(self, result: ComparisonResult) -> None:
        """Take another comparison; moved boxes and readings belonged to the one before."""
        self.result, self.jitters, self.reading, self.corrections = result, {}, None, Corrections()
        self.changed.emit()

    def clear(self) -> None:
        """Hold none: another volume is open, and figures of the one before would be taken for its own."""
        if self.result is not None:
            self.result, self.jitters, self.reading, self.corrections = None, {}, None, Corrections()
            self.changed.emit()

    def take_corrections(self, corrections: Corrections) -> None:
        """Take what was corrected by hand on the same masks before."""
        self.corrections = corrections
        self.corrected.emit()

    def set_jitters(self, jitters: Mapping[int, BoxJitter]) -> None:
        """Take what moved boxes gave, by the object's number."""
        self.jitters = dict(jitters)
        self.jitters_changed.emit()
