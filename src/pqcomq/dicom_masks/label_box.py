"""Label maps kept in the box that holds something: fifty regions that overlap would be fifty whole volumes else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from pqcomq.errors import InputError

MOST_BYTES = 2 << 30
"""Of all label maps of a file together; a hundred organs of an abdomen in several layers take a tenth of it."""

Place = tuple[slice | int, ...]


@dataclass(frozen=True, eq=False)
class LabelBox:
    """A label map, or what of it is not empty.

    Attributes:
        voxels: (z, y, x) unsigned, the labels in the box.
        corner: z y x of its first voxel.
        shape: of the volume, z y x.
    """

    voxels: np.ndarray = field(repr=False)
    corner: tuple[int, int, int]
    shape: tuple[int, int, int]

    @classmethod
    def of(cls, labels: np.ndarray) -> LabelBox:
        """A whole map (z, y, x), as it is."""
        depth, rows, columns = labels.shape
        return cls(labels, (0, 0, 0), (depth, rows, columns))

    @property
    def inside(self) -> tuple[slice, slice, slice]:
        """The box as an index into an array of the volume's shape."""
        z, y, x = (slice(low, low + size) for low, size in zip(self.corner, self.voxels.shape, strict=True))
        return z, y, x

    def whole(self) -> np.ndarray:
        """The map (z, y, x) on the whole volume; not copied where the box is all of it."""
        if self.voxels.shape == self.shape:
            return self.voxels
        labels = np.zeros(self.shape, self.voxels.dtype)
        labels[self.inside] = self.voxels
        return labels

    def put(self, label: int, mask: np.ndarray) -> None:
        """Set the voxels of a label in a mask (z, y, x) bool on the whole volume."""
        mask[self.inside] |= self.voxels == label

    def on_slice(self, z: int, label: int) -> np.ndarray:
        """The voxels of a label on a slice of the volume, (y, x) bool."""
        mask = np.zeros(self.shape[1:], dtype=bool)
        if 0 <= z - self.corner[0] < len(self.voxels):
            mask[self.inside[1:]] = self.voxels[z - self.corner[0]] == label
        return mask

    def labels_at(self, box: tuple[slice, slice, slice]) -> np.ndarray:
        """The labels in another box of the volume, 0 outside this one."""
        found = np.zeros([each.stop - each.start for each in box], self.voxels.dtype)
        common = [
            slice(max(one.start, other.start), min(one.stop, other.stop))
            for one, other in zip(box, self.inside, strict=True)
        ]
        if all(each.start < each.stop for each in common):
            found[_moved(common, [each.start for each in box])] = self.voxels[_moved(common, self.corner)]
        return found

    def grown(self, box: tuple[slice, slice, slice]) -> LabelBox:
        """The same map in a box that holds another one too; this one if it does already."""
        low = [min(one.start, other.start) for one, other in zip(box, self.inside, strict=True)]
        high = [max(one.stop, other.stop) for one, other in zip(box, self.inside, strict=True)]
        if [each.start for each in self.inside] == low and [each.stop for each in self.inside] == high:
            return self
        voxels = np.zeros([stop - start for start, stop in zip(low, high, strict=True)], self.voxels.dtype)
        voxels[_moved(self.inside, low)] = self.voxels
        return LabelBox(voxels, (low[0], low[1], low[2]), self.shape)


@dataclass(frozen=True, eq=False)
class Part:
    """A piece of an object: what lies in a box of the volume.

    Attributes:
        box: of the volume, z y x.
        mask: (z, y, x) bool, of that box.
    """

    box: tuple[slice, slice, slice]
    mask: np.ndarray = field(repr=False)

    @classmethod
    def at(cls, place: Place, picture: np.ndarray, shape: tuple[int, int, int]) -> Part | None:
        """What is not empty of a picture in a volume; None if nothing is.

        Args:
            place: indices into an array of ``shape``; of a single axis a number.
            picture: bool, of the shape indexed.
            shape: of the volume.
        """
        axes = tuple(axis for axis, each in enumerate(place) if isinstance(each, int))
        mask = np.expand_dims(picture, axes) if axes else picture
        box = []
        for axis, each in enumerate(place):
            first = each if isinstance(each, int) else each.indices(shape[axis])[0]
            filled = np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != axis)))
            if not filled.size:
                return None
            low, high = int(filled[0]), int(filled[-1]) + 1
            mask = mask.take(range(low, high), axis) if (low, high) != (0, mask.shape[axis]) else mask
            box.append(slice(first + low, first + high))
        return cls((box[0], box[1], box[2]), mask)


class LabelMapBuilder:
    """Lays objects into as few label maps as their overlaps allow.

    Args:
        shape: of the grid, z y x.
        largest: the greatest label to come.
        what: the file, for messages.
    """

    def __init__(self, shape: tuple[int, int, int], largest: int, what: object) -> None:
        self._shape, self._kind = shape, np.uint8 if largest <= np.iinfo(np.uint8).max else np.uint16
        self._maps: list[LabelBox] = []
        self._what = what

    def add(self, label: int, parts: list[Part]) -> None:
        """Lay an object down; parts at one place are joined.

        Raises:
            InputError: the objects overlap so much that their maps would take too much memory.
        """
        if not parts:
            return
        starts = zip(*([each.start for each in part.box] for part in parts), strict=True)
        stops = zip(*([each.stop for each in part.box] for part in parts), strict=True)
        z, y, x = (slice(min(low), max(high)) for low, high in zip(starts, stops, strict=True))
        self._check((z, y, x))
        free = (
            number
            for number, labels in enumerate(self._maps)
            if not any((labels.labels_at(part.box)[part.mask] > 0).any() for part in parts)
        )
        if (number := next(free, None)) is None:
            number, size = len(self._maps), [each.stop - each.start for each in (z, y, x)]
            self._maps.append(LabelBox(np.zeros(size, self._kind), (z.start, y.start, x.start), self._shape))
        labels = self._maps[number] = self._maps[number].grown((z, y, x))
        for part in parts:
            labels.voxels[_moved(part.box, labels.corner)][part.mask] = label  # basic indices: a view

    def _check(self, box: tuple[slice, slice, slice]) -> None:
        """See that there is room for one object more."""
        needed = np.prod([each.stop - each.start for each in box], dtype=np.int64) * np.dtype(self._kind).itemsize
        if self._maps and needed + sum(each.voxels.nbytes for each in self._maps) > MOST_BYTES:
            raise InputError(
                f"Objects lie on top of one another, and {len(self._maps)} layers of them take {MOST_BYTES >> 30} GiB "
                "already; name those that are to be read.",
                self._what,
            )

    def maps(self) -> tuple[LabelBox, ...]:
        """What was laid down; an empty map if nothing was."""
        return tuple(self._maps) or (LabelBox(np.zeros((0, 0, 0), self._kind), (0, 0, 0), self._shape),)


def _moved(box: Sequence[slice], origin: Sequence[int]) -> tuple[slice, ...]:
    """A box as seen from another origin."""
    return tuple(slice(each.start - first, each.stop - first) for each, first in zip(box, origin, strict=True))
