"""What was drawn freely inside an object, voxel by voxel, on one slice or several."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from pqcomq.errors import InputError
from pqcomq.wording import counted

Run = tuple[int, int, int, int]
"""Slice, row, and the first and last column of drawn voxels beside each other, both included."""


@dataclass(frozen=True)
class Scribble:
    """Drawn voxels, as runs along the rows: two scribbles of the same voxels are equal, and files stay small.

    Attributes:
        runs: ascending, as long as they can be; at least one.

    Examples:
        >>> import numpy as np
        >>> from pqcomq.segmentation.scribble import Scribble
        >>> drawn = np.zeros((3, 4, 5), bool)
        >>> drawn[1, 2, 1:4] = True
        >>> scribble = Scribble.of(drawn)
        >>> scribble.runs, scribble.slices
        (((1, 2, 1, 3),), (1,))
        >>> bool((scribble.on_slice(1, (4, 5)) == drawn[1]).all())
        True
    """

    runs: tuple[Run, ...]

    @classmethod
    def of(cls, drawn: np.ndarray) -> Self:
        """The voxels that are true.

        Args:
            drawn: (z, y, x) bool; of numbers, all but 0 are drawn.

        Raises:
            InputError: none is.
        """
        return cls._of(run for z in np.flatnonzero(drawn.any(axis=(1, 2))) for run in _runs(int(z), drawn[z]))

    @classmethod
    def of_runs(cls, runs: Iterable[Sequence[int]]) -> Self:
        """The voxels of runs that may be in any order and overlap.

        Raises:
            InputError: there is none, or one ends before it begins.
        """
        given = sorted((int(z), int(y), int(first), int(last)) for z, y, first, last in runs)
        joined: list[Run] = []
        for z, y, first, last in given:
            if first > last:
                raise InputError(f"A run of a scribble ends before it begins: columns {first} to {last}.")
            if joined and joined[-1][:2] == (z, y) and first <= joined[-1][3] + 1:
                joined[-1] = z, y, joined[-1][2], max(last, joined[-1][3])
            else:
                joined.append((z, y, first, last))
        return cls._of(joined)

    @classmethod
    def _of(cls, runs: Iterable[Run]) -> Self:
        found = tuple(runs)
        if not found:
            raise InputError("The scribble is empty: draw inside the object.")
        return cls(found)

    def __repr__(self) -> str:
        return f"Scribble({counted(self.voxel_count, 'voxel')} on slices {self.slices[0]} to {self.slices[-1]})"

    def checked(self, shape_zyx: tuple[int, int, int]) -> Self:
        """This scribble, if it lies inside a volume.

        Args:
            shape_zyx: the volume's array shape, z y x.

        Raises:
            InputError: a voxel of it lies outside.
        """
        depth, height, width = shape_zyx
        for z, y, first, last in self.runs:
            if not (0 <= z < depth and 0 <= y < height and first >= 0 and last < width):
                raise InputError(
                    f"The scribble reaches outside the volume's {width} × {height} × {depth} voxels (x × y × z)."
                )
        return self

    @property
    def slices(self) -> tuple[int, ...]:
        """Slices with a drawn voxel, ascending."""
        return tuple(dict.fromkeys(z for z, _y, _first, _last in self.runs))

    @property
    def voxel_count(self) -> int:
        """Drawn voxels."""
        return sum(last - first + 1 for _z, _y, first, last in self.runs)

    @property
    def voxels(self) -> list[tuple[int, int, int]]:
        """The drawn voxels, z y x."""
        return [(z, y, x) for z, y, first, last in self.runs for x in range(first, last + 1)]

    @property
    def rectangle(self) -> tuple[int, int, int, int]:
        """Lowest column and row and highest column and row, all slices together."""
        _slices, rows, first, last = zip(*self.runs, strict=True)
        return min(first), min(rows), max(last), max(rows)

    def nearest(self, z: int) -> int:
        """The slice with a drawn voxel that is nearest to another; of two the lower."""
        return min(self.slices, key=lambda own: (abs(own - z), own))

    def on_slice(self, z: int, shape_yx: tuple[int, int]) -> np.ndarray:
        """The drawn voxels of one slice.

        Args:
            z: slice number.
            shape_yx: rows and columns of a slice.

        Returns:
            (H, W) bool.
        """
        drawn = np.zeros(shape_yx, dtype=bool)
        for each, y, first, last in self.runs:
            if each == z:
                drawn[y, first : last + 1] = True
        return drawn

    def moved_to(self, z: int) -> Self:
        """A scribble of one slice on another."""
        return type(self)(tuple((z, y, first, last) for _z, y, first, last in self.runs))

    def redrawn(self, z: int, drawn: np.ndarray) -> Self | None:
        """The same with other voxels on one slice; None where nothing is left.

        Args:
            z: slice number.
            drawn: (H, W) bool.
        """
        runs = [*(run for run in self.runs if run[0] != z), *_runs(z, drawn)]
        return self._of(sorted(runs)) if runs else None


def _runs(z: int, drawn: np.ndarray) -> list[Run]:
    """The runs of one slice (H, W) bool, or numbers of which all but 0 are drawn."""
    rows = np.flatnonzero(drawn.any(axis=1))
    steps = np.diff(np.pad(drawn[rows].astype(bool).astype(np.int8), ((0, 0), (1, 1))))  # (rows, W + 1)
    at, first = np.nonzero(steps == 1)
    after = np.nonzero(steps == -1)[1]  # as many, in the same order
    return [(z, int(y), int(x0), int(x1) - 1) for y, x0, x1 in zip(rows[at], first, after, strict=True)]
