"""Where voxels lie in the patient: size, spacing, origin, direction.

Everything here follows SimpleITK and DICOM: world coordinates are millimetres in LPS (x grows to the patient's left,
y to the back, z to the head), and a grid's own tuples are ordered x, y, z. Arrays are ordered z, y, x; the two
``*_zyx`` properties are the only place where that order is turned round.

Orientations are SimpleITK's, which every volume passes through anyway; ``nibabel.orientations`` names them the same (a
test sees to that), and as a requirement of its own it would bring nothing but a second authority.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

DISPLAY_ORIENTATION = "LPS"
"""Index order in which volumes are shown and given to the models: an axial slice then has anterior at the top and
the patient's right on the left of the screen, the radiological convention."""
PLAUSIBLE_SPACING = (1e-3, 1e3)
"""Millimetres between voxel centres, from micro-CT to a scout; anything else is a broken header."""
OBLIQUE_DEGREES = 1.0
"""Tilt from which a volume is called oblique."""

SIDES = (("R", "L"), ("A", "P"), ("I", "S"))
"""Sides of the patient where the LPS axes x, y, z begin and end: right to left, front to back, feet to head."""
LETTERED = float(np.sin(np.radians(15)))
"""The cosine from which an oblique axis shows a second letter: a tilt of 15° is seen, a few degrees are not."""


@dataclass(frozen=True)
class Grid:
    """A regular grid of voxels in patient space.

    Attributes:
        size: voxels along x, y, z.
        spacing: millimetres between voxel centres along x, y, z.
        origin: LPS millimetres of the centre of voxel (0, 0, 0), as x, y, z.
        direction: 3 x 3 direction cosines, row by row; column i is the direction of index axis i.
    """

    size: tuple[int, int, int]
    spacing: tuple[float, float, float]
    origin: tuple[float, float, float]
    direction: tuple[float, ...]

    @classmethod
    def of(cls, image: sitk.Image) -> Grid:
        """The grid of a 3-D SimpleITK image."""
        return cls(image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection())

    @property
    def shape_zyx(self) -> tuple[int, int, int]:
        """Array shape, z y x."""
        nx, ny, nz = self.size
        return nz, ny, nx

    @property
    def spacing_zyx(self) -> tuple[float, float, float]:
        """Millimetres between voxel centres, z y x."""
        sx, sy, sz = self.spacing
        return sz, sy, sx

    @property
    def orientation(self) -> str:
        """Three letters naming where the index axes x, y, z point (nearest patient axes), e.g. ``"LPS"``."""
        return str(sitk.DICOMOrientImageFilter.GetOrientationFromDirectionCosines(self.direction))

    @property
    def voxel_millilitres(self) -> float:
        """Volume of one voxel in mL."""
        sx, sy, sz = self.spacing
        return sx * sy * sz / 1000.0

    @cached_property
    def axes(self) -> np.ndarray:
        """Unit vectors of the index axes x, y, z in the patient, as columns (3, 3)."""
        axes: np.ndarray = np.array(self.direction, dtype=np.float64).reshape(3, 3)
        return axes

    def to_patient(self, voxels_xyz: npt.ArrayLike) -> np.ndarray:
        """LPS millimetres (…, 3) of voxel indices (…, 3) in the order x, y, z; fractions lie between voxel centres."""
        steps = np.asarray(voxels_xyz, dtype=np.float64) * self.spacing
        millimetres: np.ndarray = np.asarray(self.origin) + steps @ self.axes.T
        return millimetres

    def to_voxels(self, patient_lps: npt.ArrayLike) -> np.ndarray:
        """Voxel indices (…, 3) as fractions, x, y, z, of LPS millimetres (…, 3): the inverse of ``to_patient``."""
        away = np.asarray(patient_lps, dtype=np.float64) - self.origin
        voxels: np.ndarray = away @ np.linalg.inv(self.axes).T / self.spacing
        return voxels

    def letters(self, axis: int) -> tuple[str, str]:
        """Which sides of the patient lie at the two ends of an index axis.

        Args:
            axis: 0, 1 or 2 for x, y or z.

        Returns:
            The sides at the first and at the last voxel, e.g. ``("R", "L")``. An oblique axis has a letter for each
            component beyond ``LETTERED``, the greatest first, e.g. ``("RA", "LP")``.
        """
        cosines = self.axes[:, axis]
        order = [i for i in np.argsort(-np.abs(cosines), kind="stable") if abs(cosines[i]) > LETTERED]
        ends = [SIDES[i] if cosines[i] > 0 else SIDES[i][::-1] for i in order]
        return "".join(low for low, _high in ends), "".join(high for _low, high in ends)

    @property
    def tilt_degrees(self) -> float:
        """The largest angle between an index axis and the patient axis nearest to it; 0 unless oblique."""
        nearest = np.abs(self.axes).max(axis=0)  # (3,)
        return float(np.degrees(np.arccos(np.clip(nearest, -1.0, 1.0))).max())

    def shown(self) -> Reorientation:
        """How to get from this grid to the one with the axes nearest to LPS, in which volumes are shown."""
        probe = sitk.Image([1, 1, 1], sitk.sitkUInt8)
        probe.SetDirection(self.direction)
        turn = sitk.DICOMOrientImageFilter()
        turn.SetDesiredCoordinateOrientation(DISPLAY_ORIENTATION)
        turn.Execute(probe)
        order, flips = turn.GetPermuteOrder(), turn.GetFlipAxes()
        axes = self.axes[:, list(order)] * np.where(flips, -1.0, 1.0)
        # The first voxel shown is the file's last one along every axis that is flipped.
        corner = [0, 0, 0]
        for axis, flipped in zip(order, flips, strict=True):
            corner[axis] = self.size[axis] - 1 if flipped else 0
        i, j, k = order
        x, y, z = (float(v) for v in self.to_patient(corner))
        size, spacing = (self.size[i], self.size[j], self.size[k]), (self.spacing[i], self.spacing[j], self.spacing[k])
        grid = Grid(size, spacing, (x, y, z), tuple(float(v) for v in axes.ravel()))
        return Reorientation(grid, (i, j, k), (bool(flips[0]), bool(flips[1]), bool(flips[2])))

    def place(self, image: sitk.Image) -> sitk.Image:
        """Give ``image`` this grid's spacing, origin and direction, and return it."""
        image.SetSpacing(self.spacing)
        image.SetOrigin(self.origin)
        image.SetDirection(self.direction)
        return image


@dataclass(frozen=True)
class Reorientation:
    """A change of the order and sense of index axes.

    Attributes:
        grid: the grid that it leads to.
        order: for each of its axes x, y, z, the axis of the old grid that it is.
        flips: for each of its axes, whether it runs the other way.
    """

    grid: Grid
    order: tuple[int, int, int]
    flips: tuple[bool, bool, bool]

    def shown(self, before: np.ndarray) -> np.ndarray:
        """An array (z, y, x) of the old grid on the new one, without gaps in memory; the argument itself if it fits."""
        moved = before.transpose([2 - self.order[2 - axis] for axis in range(3)])
        shown: np.ndarray = np.ascontiguousarray(
            moved[tuple(slice(None, None, -1 if flip else 1) for flip in self.flips[::-1])]
        )
        return shown

    def as_before(self, shown: np.ndarray) -> np.ndarray:
        """A view of an array on the new grid (z, y, x) with the axes of the old one, (z, y, x) as well.

        Writing to the view fills the array, so that voxels can be put where they are shown as they are read.
        """
        flipped = shown[tuple(slice(None, None, -1 if flip else 1) for flip in self.flips[::-1])]
        view: np.ndarray = flipped.transpose([2 - self.order.index(2 - axis) for axis in range(3)])
        return view
