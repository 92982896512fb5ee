"""Where the camera looks: at the whole slice, or at an object, which then fills half of its cell, and more if needed.

It is needed in flat cells, much of which would be black on both sides of the body.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from napari.components import ViewerModel
from qtpy.QtCore import QRect

from napari_pqcomq.layers.axes_in_sight import axes_in_sight
from napari_pqcomq.layers.volume_layers import transform
from napari_pqcomq.viewer.modes.base import Stage
from pqcomq.segmentation.box import Box3D
from pqcomq.volumes.volume import Volume

_SHARES_OF_OBJECT = np.linspace(0.5, 0.85, 8)
"""Of the cell's width or height, whichever the object reaches first: the least that leaves little of the cell black."""
_MOST_BLACK = 1 / 3
"""Of a cell."""
_LATTICE = np.linspace(-0.5, 0.5, 32)
"""Where a cell is looked at to tell how much of it is black, along each side."""
_MARGIN = 0.98
_LARGEST_VOXEL = 40.0
"""Pixels: the object of a few voxels is not blown up further."""
_DARK_SHARE = 0.1
"""Of the intensity window: what is darker is the ground round the body."""
_LEAST_SHARE = 0.1
"""Of the fullest row's voxels that a row of the body has: single voxels of noise are none."""
_SAMPLES = 160
"""Voxels along each axis that are looked at to find the body."""

Range = tuple[float, float]


@dataclass(frozen=True)
class Cells:
    """The cells of the canvas's grid; where there is none, the whole canvas is the only one.

    Attributes:
        rows: of the grid.
        columns: of the grid.
        height: of a cell in pixels.
        width: of a cell in pixels.
        gap: pixels between two cells.
    """

    rows: int
    columns: int
    height: float
    width: float
    gap: float

    @classmethod
    def of(cls, viewer: ViewerModel) -> Self:
        """As they are now."""
        height, width = viewer.canvas.size
        grid = viewer.canvas.grid
        if not grid.enabled:
            return cls(1, 1, float(height), float(width), 0.0)
        rows, columns = grid.shape if min(grid.shape) > 0 else grid.actual_shape(viewer.layers)
        gap = grid.spacing if grid.spacing >= 1 else 0.0  # a share of a cell, with napari's own grid
        return cls(rows, columns, (height - gap * (rows - 1)) / rows, (width - gap * (columns - 1)) / columns, gap)

    def area(self, row: int, column: int) -> QRect:
        """Where a cell stands on the canvas."""
        left, top = column * (self.width + self.gap), row * (self.height + self.gap)
        return QRect(round(left), round(top), round(self.width), round(self.height))


class Framing:
    """Moves the camera of an open comparison.

    Args:
        stage: the open comparison.
        strip_height: pixels that the strips above the pictures take from each cell now.
    """

    def __init__(self, stage: Stage, strip_height: Callable[[], int]) -> None:
        self._viewer, self._stage, self._strip_height = stage.viewer, stage, strip_height
        self._box: Box3D | None = None
        self._fitted: tuple[tuple[float, ...], float] | None = None
        self._body = body_ranges(stage.scene.volume, stage.scene.contrast_limits)

    @property
    def is_close(self) -> bool:
        """Whether it looks at an object."""
        return self._box is not None

    def look_at(self, box: Box3D | None) -> None:
        """Look at a box, or with None at the whole slice."""
        self._box = box
        self.fit()

    def fit_again(self, event: object = None) -> None:
        """The cells have another size now: fill them, unless the user has moved the camera since."""
        camera = self._viewer.scene.camera
        if self._fitted is None or self._fitted == (tuple(camera.center), camera.zoom):
            self.fit()

    def fit(self) -> None:
        """Fill the cells with what is looked at; in 3-D the camera stays."""
        viewer = self._viewer
        in_sight = axes_in_sight(viewer.dims)
        if viewer.dims.ndisplay != 2 or in_sight is None:
            return
        cells, strip = Cells.of(viewer), self._strip_height()
        height, width = cells.height - strip, cells.width
        if height <= 0 or width <= 0:
            return
        axes = [*in_sight[1:]]
        body = [self._millimetres(axis, self._body[axis]) for axis in axes]
        room = np.array([height, width], dtype=float)
        zoom = _MARGIN * float((room / [high - low for low, high in body]).min())
        middle = [sum(each) / 2 for each in body]
        if self._box is not None:
            wanted = [self._millimetres(axis, self._box.ranges_zyx[axis]) for axis in axes]
            finest = min(self._stage.scene.volume.grid.spacing_zyx[axis] for axis in axes)
            fills = float((room / [max(high - low, finest) for low, high in wanted]).min())
            body_plane = self._body_plane(axes)
            for share in _SHARES_OF_OBJECT:
                near = max(zoom, min(share * fills, _LARGEST_VOXEL / finest))
                middle = [
                    _kept_within(sum(each) / 2, limits, pixels / (2 * near))
                    for each, limits, pixels in zip(wanted, body, room, strict=True)
                ]
                if self._black_share(body_plane, axes, middle, room / near) <= _MOST_BLACK:
                    break
            zoom = near
        # The middle of the picture lies below that of the cell, whose top belongs to the strip.
        upwards = viewer.scene.camera.orientation2d[0] == "up"
        down = middle[0] + (1 if upwards else -1) * strip / (2 * zoom)
        camera = viewer.scene.camera
        camera.center = (camera.center[0], down, middle[1])
        camera.zoom = zoom
        self._fitted = tuple(camera.center), camera.zoom

    def _body_plane(self, axes: list[int]) -> np.ndarray:
        """The slice through the middle of the object, True from one side of the body to the other."""
        assert self._box is not None  # noqa: S101 (asked for an object's sake)
        (across,) = {0, 1, 2} - set(axes)
        volume, (low, high) = self._stage.scene.volume, self._stage.scene.contrast_limits
        voxels = volume.voxels.take(round(sum(self._box.ranges_zyx[across]) / 2), axis=across)
        bright = (voxels if axes[0] < axes[1] else voxels.T) > low + _DARK_SHARE * (high - low)
        body: np.ndarray = (
            np.maximum.accumulate(bright, axis=1) & np.maximum.accumulate(bright[:, ::-1], axis=1)[:, ::-1]
        )
        return body

    def _black_share(self, body: np.ndarray, axes: list[int], middle: list[float], extent: np.ndarray) -> float:
        """How much of what is seen round a place, in millimetres, is no body."""
        place = transform(self._stage.scene.volume)
        inside, at = [], []
        for number, axis in enumerate(axes):
            seen = middle[number] + _LATTICE * extent[number]
            voxels = np.rint((seen - place["translate"][axis]) / place["scale"][axis]).astype(int)
            inside.append((voxels >= 0) & (voxels < body.shape[number]))
            at.append(voxels.clip(0, body.shape[number] - 1))
        return 1 - float((body[np.ix_(*at)] & inside[0][:, None] & inside[1]).mean())

    def _millimetres(self, axis: int, ends: Range) -> Range:
        """From voxels to napari's world."""
        place = transform(self._stage.scene.volume)
        low, high = (place["translate"][axis] + place["scale"][axis] * end for end in ends)
        return low, high


def body_ranges(volume: Volume, contrast_limits: tuple[float, float]) -> tuple[Range, Range, Range]:
    """First and last voxel of the body along z, y and x: what is brighter than the ground round it.

    Args:
        volume: of any size; it is sampled.
        contrast_limits: the intensities shown black and white.

    Returns:
        Along z all slices; along y and x all voxels where nothing stands out.
    """
    low, high = contrast_limits
    shape = volume.grid.shape_zyx
    steps = [max(1, size // _SAMPLES) for size in shape]
    bright = volume.voxels[:: steps[0], :: steps[1], :: steps[2]] > low + _DARK_SHARE * (high - low)
    ranges: list[Range] = [(-0.5, shape[0] - 0.5)]
    for axis in (1, 2):
        counts = bright.sum(axis=tuple(other for other in range(3) if other != axis))
        found = np.flatnonzero(counts > _LEAST_SHARE * counts.max()) * steps[axis]
        full = (-0.5, shape[axis] - 0.5)
        ranges.append(full if not len(found) else (found[0] - 0.5, min(found[-1] + steps[axis], shape[axis]) - 0.5))
    return ranges[0], ranges[1], ranges[2]


def _kept_within(middle: float, limits: Range, half: float) -> float:
    """A place moved so far that what is seen round it lies within limits, or to their middle where all is seen."""
    low, high = limits[0] + half, limits[1] - half
    return sum(limits) / 2 if low > high else min(max(middle, low), high)
