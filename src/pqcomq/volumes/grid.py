"""Where voxels lie in the patient: size, spacing, origin, direction.

Everything here follows SimpleITK and DICOM: world coordinates are millimetres in LPS (x grows to the patient's left,
y to the back, z to the head), and a grid's own tuples are ordered x, y, z. Arrays are ordered z, y, x; the two
``*_zyx`` properties are the only place where that order is turned round.
"""

from __future__ import annotations

from dataclasses import dataclass

import SimpleITK as sitk

DISPLAY_ORIENTATION = "LPS"
"""Index order in which volumes are shown and given to the models: an axial slice then has anterior at the top and
the patient's right on the left of the screen, the radiological convention."""


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

    def place(self, image: sitk.Image) -> sitk.Image:
        """Give ``image`` this grid's spacing, origin and direction, and return it."""
        image.SetSpacing(self.spacing)
        image.SetOrigin(self.origin)
        image.SetDirection(self.direction)
        return image
