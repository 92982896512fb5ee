"""What goes into a DICOM object, and what comes out of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from pqcomq.errors import InputError


@dataclass(frozen=True)
class Algorithm:
    """What drew a mask.

    Attributes:
        name: model and precision, e.g. ``"LiteMedSAM 4-bit Permutation-COMQ"``.
        version: of the software.
        parameters: names and values worth keeping with the mask, e.g. bits and checkpoint hash.
    """

    name: str
    version: str
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class MaskObject:
    """One named object.

    Attributes:
        name: what the user calls it, e.g. ``"right kidney"``.
        mask: (z, y, x) bool on the volume's ``grid``.
        algorithm: that drew it from the user's prompt; None where it was drawn, or is taken for drawn, by hand.
    """

    name: str
    mask: np.ndarray = field(repr=False)
    algorithm: Algorithm | None = None


def check_not_empty(objects: Sequence[MaskObject]) -> None:
    """See that there is something to write.

    Raises:
        InputError: no object has a voxel.
    """
    if not any(thing.mask.any() for thing in objects):
        names = ", ".join(f"'{thing.name}'" for thing in objects) or "nothing"
        raise InputError(f"The mask of {names} is empty, and a DICOM object needs a voxel at least.")


@dataclass(frozen=True, eq=False)
class LabelledObjects:
    """Objects read from a file, as label maps on a volume's grid.

    Objects of DICOM files may overlap, which one label map cannot hold: each object lies whole in the first map where
    it meets no other, so that there is a single map unless objects overlap.

    Attributes:
        maps: label maps (z, y, x), unsigned; at least one.
        names: object name by label; every label in ``maps`` has one.
        notes: sentences worth telling the user.
        colours: red, green, blue from 0 to 1 by label, where the file says.
    """

    maps: tuple[np.ndarray, ...] = field(repr=False)
    names: Mapping[int, str]
    notes: tuple[str, ...] = ()
    colours: Mapping[int, tuple[float, float, float]] = field(default_factory=dict)

    def mask(self, label: int) -> np.ndarray:
        """One object as (z, y, x) bool; empty where no voxel has the label."""
        found: np.ndarray = np.logical_or.reduce([each == label for each in self.maps])
        return found

    def single(self, what: object) -> np.ndarray:
        """The one label map.

        Args:
            what: the file, for the message.

        Raises:
            InputError: objects overlap.
        """
        if len(self.maps) == 1:
            return self.maps[0]
        for one, other in combinations(range(len(self.maps)), 2):
            both = (self.maps[one] > 0) & (self.maps[other] > 0)
            if both.any():
                place = tuple(np.argwhere(both)[0])
                first, second = (self._title(int(self.maps[index][place])) for index in (one, other))
                raise InputError(
                    f"The file holds objects that overlap ({first} and {second}), which one label map cannot; "
                    "choose some that do not.",
                    what,
                )
        raise AssertionError("objects were laid apart without overlapping")

    def _title(self, label: int) -> str:
        return f"{label} '{self.names[label]}'"


class LabelMapBuilder:
    """Lays objects into as few label maps as their overlaps allow.

    Args:
        shape: of the grid, z y x.
        largest: the greatest label to come.
    """

    def __init__(self, shape: tuple[int, int, int], largest: int) -> None:
        self._shape, self._kind = shape, np.uint8 if largest <= np.iinfo(np.uint8).max else np.uint16
        self._maps = [np.zeros(shape, self._kind)]

    def add(self, label: int, parts: list[tuple[tuple[slice | int, ...], np.ndarray]]) -> None:
        """Lay an object down.

        Args:
            label: from 1.
            parts: places in the grid, as indices into an array z y x, and what lies there (bool, the shape indexed).
                Several parts at one place are joined.
        """
        for labels in self._maps:
            if not any((labels[place][inside] > 0).any() for place, inside in parts):
                break
        else:
            labels = np.zeros(self._shape, self._kind)
            self._maps.append(labels)
        for place, inside in parts:
            labels[place][inside] = label  # basic indices: a view

    def maps(self) -> tuple[np.ndarray, ...]:
        """What was laid down."""
        return tuple(self._maps)
