"""What was corrected by hand on a finished comparison: masks, and how much work it was for each model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from napari_pqcomq.viewer.comparison.correction_tool import Painted

LONGEST_PAUSE_SECONDS = 10.0
"""Between two strokes that still counts as work: looking and turning slices, not being called away."""


@dataclass(frozen=True)
class Effort:
    """The work on one mask.

    Attributes:
        added: voxels that the corrected mask has and the model's had not.
        removed: voxels that the model's mask had and the corrected one has not.
        seconds: of correcting, pauses up to :data:`LONGEST_PAUSE_SECONDS` included.
        strokes: of brush and eraser, those taken back included.
    """

    added: int
    removed: int
    seconds: float
    strokes: int

    @property
    def voxels(self) -> int:
        """All that are others now."""
        return self.added + self.removed


class Corrections:
    """Strokes on the masks of one comparison, which can be taken back one by one, and made again."""

    def __init__(self) -> None:
        self._originals: dict[tuple[int, int], np.ndarray] = {}  # by side and slice, (y, x) object numbers
        self._now: dict[tuple[int, int], np.ndarray] = {}
        self._strokes: list[Painted] = []
        self._taken_back: list[Painted] = []
        self._spans: dict[tuple[int, int], list[tuple[float, float]]] = {}  # by side and object, seconds

    def __bool__(self) -> bool:
        return bool(self._spans)

    def snapshot(self) -> Corrections:
        """As they are now, for who reads them in another thread; strokes cannot be taken back there."""
        copied = Corrections()
        copied._originals, copied._now = dict(self._originals), dict(self._now)
        copied._spans = {key: list(spans) for key, spans in self._spans.items()}
        return copied

    @property
    def can_undo(self) -> bool:
        """Whether there is a stroke to take back."""
        return bool(self._strokes)

    @property
    def can_redo(self) -> bool:
        """Whether a stroke was taken back."""
        return bool(self._taken_back)

    def note(self, stroke: Painted) -> None:
        """Take a stroke."""
        self._originals.setdefault((stroke.side, stroke.z), stroke.before)
        self._now[stroke.side, stroke.z] = stroke.after
        self._strokes.append(stroke)
        self._taken_back = []
        self._spans.setdefault((stroke.side, stroke.number), []).append((stroke.began, stroke.ended))

    def undo(self) -> Painted | None:
        """Take the last stroke back; the time that it took stays spent.

        Returns:
            The stroke, None where there is none left.
        """
        if not self._strokes:
            return None
        stroke = self._strokes.pop()
        self._taken_back.append(stroke)
        self._put(stroke, stroke.before)
        return stroke

    def redo(self) -> Painted | None:
        """Make the stroke again that was taken back last.

        Returns:
            The stroke, None where there is none.
        """
        if not self._taken_back:
            return None
        stroke = self._taken_back.pop()
        self._strokes.append(stroke)
        self._put(stroke, stroke.after)
        return stroke

    def changes(self) -> Iterator[tuple[int, int, np.ndarray, np.ndarray]]:
        """Side and slice of all that was corrected, where it differs from the models' masks, and what is there now.

        Both arrays are (y, x), bool and object numbers.
        """
        for (side, z), now in self._now.items():
            yield side, z, now != self._originals[side, z], now

    def _put(self, stroke: Painted, labels: np.ndarray) -> None:
        """Have what a stroke changed be as before or after it; other objects of the slice may be others since."""
        self._now[stroke.side, stroke.z] = np.where(stroke.changed, labels, self._now[stroke.side, stroke.z])

    def forget(self, number: int) -> None:
        """The masks of an object are others now: what was corrected on it is no more."""
        self._strokes = [each for each in self._strokes if each.number != number]
        self._taken_back = [each for each in self._taken_back if each.number != number]
        self._spans = {key: spans for key, spans in self._spans.items() if key[1] != number}
        for key, original in self._originals.items():
            now = self._now[key]
            self._now[key] = np.where((now == number) | (original == number), original, now)

    def worked_on(self) -> Iterable[tuple[int, int]]:
        """Side and object number of every mask that was worked on."""
        return self._spans.keys()

    def effort(self, side: int, number: int) -> Effort:
        """The work on one mask."""
        added = removed = 0
        for (of_side, z), original in self._originals.items():
            if of_side == side:
                was, now = original == number, self._now[side, z] == number
                added += int((now & ~was).sum())
                removed += int((was & ~now).sum())
        spans = self._spans.get((side, number), [])
        return Effort(added, removed, worked_seconds(spans), len(spans))

    def corrected(self, side: int, number: int, mask: np.ndarray) -> np.ndarray:
        """The mask of an object after the corrections.

        Args:
            side: counted from 0.
            number: of the object.
            mask: (z, y, x) bool, the model's.
        """
        return with_planes(mask, self.planes(side, number))

    def planes(self, side: int, number: int) -> dict[int, np.ndarray]:
        """An object's corrected slices as they are now, (y, x) bool by z; none where it was not corrected.

        Args:
            side: counted from 0.
            number: of the object.
        """
        if (side, number) not in self._spans:
            return {}
        return {z: now == number for (of_side, z), now in self._now.items() if of_side == side}


def with_planes(mask: np.ndarray, planes: Mapping[int, np.ndarray]) -> np.ndarray:
    """A mask (z, y, x) with some slices (y, x) replaced by others; itself where there are none."""
    if not planes:
        return mask
    changed = mask.copy()
    for z, plane in planes.items():
        changed[z] = plane
    return changed


def worked_seconds(spans: Iterable[tuple[float, float]]) -> float:
    """Seconds from the first stroke to the last, long pauses left out.

    Args:
        spans: beginning and end of each stroke, in their order.

    Examples:
        >>> worked_seconds([(0.0, 2.0), (5.0, 6.0), (100.0, 101.0)])  # 2, a pause of 3, 1; a long one; 1
        7.0
    """
    total, last = 0.0, None
    for began, ended in spans:
        pause = began - last if last is not None else 0.0
        total += ended - began + (pause if pause <= LONGEST_PAUSE_SECONDS else 0.0)
        last = ended
    return total
