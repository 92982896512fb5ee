"""What goes into a DICOM object, and what comes out of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from pqcomq.dicom_masks.label_box import MOST_BYTES, LabelBox
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
        colour: that it is to be shown in, hexadecimal; None for that of its number.
    """

    name: str
    mask: np.ndarray = field(repr=False)
    algorithm: Algorithm | None = None
    colour: str | None = None


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
        maps: label maps, each in the box that holds something; at least one.
        names: object name by label; every label in ``maps`` has one.
        notes: sentences worth telling the user.
        colours: red, green, blue from 0 to 1 by label, where the file says.
    """

    maps: tuple[LabelBox, ...] = field(repr=False)
    names: Mapping[int, str]
    notes: tuple[str, ...] = ()
    colours: Mapping[int, tuple[float, float, float]] = field(default_factory=dict)

    def mask(self, label: int) -> np.ndarray:
        """One object as (z, y, x) bool; empty where no voxel has the label."""
        found = np.zeros(self.maps[0].shape, dtype=bool)
        for each in self.maps:
            each.put(label, found)
        return found

    def on_slice(self, z: int, label: int) -> np.ndarray:
        """One object on one slice as (y, x) bool."""
        found: np.ndarray = np.logical_or.reduce([each.on_slice(z, label) for each in self.maps])
        return found

    def whole_maps(self, what: object) -> Iterator[np.ndarray]:
        """The maps on the whole volume, one after the other.

        Args:
            what: the file, for the message.

        Raises:
            InputError: together they would take too much memory.
        """
        size = int(np.prod(self.maps[0].shape)) * self.maps[0].voxels.itemsize
        if len(self.maps) > 1 and size * len(self.maps) > MOST_BYTES:
            raise InputError(
                f"Objects lie on top of one another in {len(self.maps)} layers, which take more than "
                f"{MOST_BYTES >> 30} GiB; choose some of them.",
                what,
            )
        for each in self.maps:
            yield each.whole()

    def single(self, what: object) -> np.ndarray:
        """The one label map.

        Args:
            what: the file, for the message.

        Raises:
            InputError: objects overlap.
        """
        if len(self.maps) == 1:
            return self.maps[0].whole()
        for one, other in combinations(self.maps, 2):
            there = other.labels_at(one.inside)
            both = (one.voxels > 0) & (there > 0)
            if both.any():
                place = tuple(np.argwhere(both)[0])
                first, second = (self._title(int(labels[place])) for labels in (one.voxels, there))
                raise InputError(
                    f"The file holds objects that overlap ({first} and {second}), which one label map cannot; "
                    "choose some that do not.",
                    what,
                )
        raise AssertionError("objects were laid apart without overlapping")

    def _title(self, label: int) -> str:
        return f"{label} '{self.names[label]}'"
