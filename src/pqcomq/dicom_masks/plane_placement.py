"""Pictures that lie in a volume's planes: where each of their pixels goes on the grid.

A frame of a segmentation need not run as the volume's slices do: a segmentation stored in coronal planes may label an
axial volume. All that matters is that its pixels are the volume's voxels, one to one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pqcomq.dicom_masks.label_box import Place
from pqcomq.volumes.dicom.stacking.even_spacing import allowed_unevenness
from pqcomq.volumes.grid import Grid

TOLERANCE = 0.1
"""How far a pixel may lie from its voxel within its plane, in voxels: rounding in files."""
_PARALLEL = 0.999
"""Least cosine between the normals of a picture and of the images that it lies on."""
FARTHEST = 1e5
"""Millimetres from the origin beyond which a position is damage and not a place in a scanner."""


def slice_tolerance(grid: Grid, axis: int) -> float:
    """How far a plane may lie from the voxels that it is across an axis of, in voxels.

    As far as an image of the series itself: thin slices whose places are rounded pass for an even stack.
    """
    return allowed_unevenness(grid.spacing[axis]) / grid.spacing[axis]


@dataclass(frozen=True)
class Axes:
    """How the rows and columns of a picture run on a grid.

    Attributes:
        down: grid axis (x y z as 0 1 2) along which the row number grows.
        down_sign: 1 or -1.
        across: the same for the column number.
        across_sign: 1 or -1.
    """

    down: int
    down_sign: int
    across: int
    across_sign: int

    @property
    def normal(self) -> int:
        """The grid axis that the picture lies across."""
        return 3 - self.down - self.across


def axes_on_grid(
    grid: Grid, cosines: Sequence[float], spacing: Sequence[float], rows: int, columns: int
) -> Axes | None:
    """Find how a picture's rows and columns run.

    Args:
        grid: of the volume.
        cosines: LPS directions along a row and down a column, six numbers as in Image Orientation (Patient).
        spacing: millimetres between rows and between columns, as in Pixel Spacing.
        rows: of the picture.
        columns: of the picture.

    Returns:
        The axes; None if they are not the grid's, or the spacing differs.
    """
    along_row, down_column = np.array(cosines[:3], dtype=float), np.array(cosines[3:], dtype=float)
    across = _axis(grid, along_row * spacing[1], columns)
    down = _axis(grid, down_column * spacing[0], rows)
    if across is None or down is None or across[0] == down[0]:
        return None
    return Axes(*down, *across)


def _axis(grid: Grid, step: np.ndarray, count: int) -> tuple[int, int] | None:
    """The grid axis and sense of a step (LPS mm), None if ``count`` pixels of it would leave the voxels."""
    voxels = grid.to_voxels(np.array(grid.origin) + step)  # (3,)
    axis = int(np.abs(voxels).argmax())
    sign = 1 if voxels[axis] > 0 else -1
    exact = np.zeros(3)
    exact[axis] = sign
    drift = np.abs(voxels - exact).max() * max(count - 1, 1)
    return (axis, sign) if drift <= TOLERANCE else None


def evened(
    file_grid: Grid, corners: np.ndarray, cosines: Sequence[float], corner: Sequence[float]
) -> tuple[float, ...] | None:
    """Where a picture's first pixel would lie if the images of a volume stood straight above each other.

    Objects take positions from the images themselves, and a stack that drifts sideways by a fraction of a pixel from
    its first to its last image still passes for a volume.

    Args:
        file_grid: of the volume.
        corners: (n, 3) LPS millimetres of the first pixel of each image, in the order of the grid's last axis.
        cosines: of the picture, as :func:`axes_on_grid` takes them.
        corner: LPS millimetres of its first pixel.

    Returns:
        LPS millimetres; None for a picture that lies across the images or beside them all.
    """
    normal = np.cross(cosines[:3], cosines[3:])
    if abs(float(normal @ file_grid.axes[:, 2])) < _PARALLEL:
        return None
    index = round(float(file_grid.to_voxels(corner)[2]))
    if not 0 <= index < len(corners):
        return None
    straight = np.asarray(corner) + file_grid.to_patient((0, 0, index)) - corners[index]  # (3,)
    return tuple(straight.tolist())


def place_frame(grid: Grid, axes: Axes, corner: Sequence[float], picture: np.ndarray) -> tuple[Place, np.ndarray]:
    """Where a picture lies in an array (z, y, x) on the grid.

    Args:
        grid: of the volume.
        axes: of the picture.
        corner: LPS millimetres of its first pixel.
        picture: (rows, columns) bool; something is true in it.

    Returns:
        Indices into the array, and the picture turned to fit and cut off where it leaves the grid.

    Raises:
        ValueError: its pixels lie between the voxels, or something that it shows lies outside: a clause.
    """
    start = grid.to_voxels(corner)  # (3,)
    first = np.rint(start).astype(int)
    allowed = np.full(3, TOLERANCE)
    allowed[axes.normal] = slice_tolerance(grid, axes.normal)
    if (np.abs(start - first) > allowed).any():
        raise ValueError("its pixels lie between the voxels")
    if not 0 <= first[axes.normal] < grid.size[axes.normal]:
        raise ValueError("it reaches outside the volume")
    spans: list[slice | int] = [int(first[axes.normal])] * 3
    shown = picture
    for side, (axis, sign) in enumerate(((axes.down, axes.down_sign), (axes.across, axes.across_sign))):
        low = int(first[axis]) - (shown.shape[side] - 1 if sign < 0 else 0)
        shown = np.flip(shown, side) if sign < 0 else shown
        inside = np.arange(low, low + shown.shape[side])
        inside = (inside >= 0) & (inside < grid.size[axis])
        if shown.compress(~inside, side).any():
            raise ValueError("it reaches outside the volume")
        shown = shown.compress(inside, side)
        spans[axis] = slice(max(low, 0), max(low, 0) + shown.shape[side])
    turned = shown if axes.down > axes.across else shown.T  # arrays run z, y, x: the higher grid axis comes first
    return tuple(spans[::-1]), turned
