"""A mask kept on the slices of its prompt: all slices of a volume take a hundred MiB, and the others hold nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pqcomq.segmentation.box import Box3D
from pqcomq.segmentation.prompt import Prompt
from pqcomq.wording import counted


@dataclass(frozen=True, eq=False)
class BoxMask:
    """A mask on a prompt's slices.

    Attributes:
        voxels: (slices, y, x) bool, whole slices of the volume, the one nearest the feet first.
        first: number of that slice in the volume, LPS order.
    """

    voxels: np.ndarray = field(repr=False)
    first: int

    @classmethod
    def empty(cls, prompt: Prompt | Box3D, shape_yx: tuple[int, int]) -> BoxMask:
        """Nothing yet on the slices of ``prompt``, each of ``shape_yx`` rows and columns."""
        slices = prompt.slices
        return cls(np.zeros((len(slices), *shape_yx), dtype=bool), slices.start)

    @classmethod
    def cut(cls, mask: np.ndarray, prompt: Prompt | Box3D) -> BoxMask:
        """The slices of ``prompt`` out of a volume's mask (z, y, x) bool.

        Raises:
            ValueError: the mask has fewer slices than the prompt, or voxels on slices outside it, which would be lost.
        """
        slices = prompt.slices
        first, after = slices.start, slices.stop
        voxels = mask[first:after]
        if len(voxels) != len(slices):
            raise ValueError(f"a mask of {len(mask)} slices does not reach the prompt's slices {first} to {after - 1}")
        if mask[:first].any() or mask[after:].any():
            raise ValueError(f"the mask has voxels outside the slices {first} to {after - 1} of its prompt")
        return cls(voxels.copy(), first)

    def __repr__(self) -> str:
        return (
            f"BoxMask(slices {self.first} to {self.first + len(self.voxels) - 1}, {counted(self.voxel_count, 'voxel')})"
        )

    @property
    def inside(self) -> slice:
        """The prompt's slices as an index into a volume's array (z, y, x)."""
        return slice(self.first, self.first + len(self.voxels))

    @property
    def voxel_count(self) -> int:
        """Voxels in the mask."""
        return int(np.count_nonzero(self.voxels))

    def on_slice(self, z: int) -> np.ndarray:
        """The mask on slice ``z`` of the volume, (y, x) bool, not copied.

        Raises:
            IndexError: the slice is none of the prompt's.
        """
        if not 0 <= z - self.first < len(self.voxels):
            raise IndexError(f"slice {z} is none of the slices that the mask is kept on")
        plane: np.ndarray = self.voxels[z - self.first]
        return plane

    def in_volume(self, shape_zyx: tuple[int, int, int]) -> np.ndarray:
        """The mask as a whole volume, made anew with every call.

        Args:
            shape_zyx: of the volume's array.

        Returns:
            (z, y, x) bool.
        """
        mask = np.zeros(shape_zyx, dtype=bool)
        mask[self.inside] = self.voxels
        return mask
