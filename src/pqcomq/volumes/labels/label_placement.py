"""Where a label map lies on a volume: voxel on voxel, a little beside, or elsewhere."""

from __future__ import annotations

from collections.abc import Collection
from itertools import product

import numpy as np
import SimpleITK as sitk

from pqcomq.errors import InputError
from pqcomq.volumes.grid import Grid
from pqcomq.volumes.import_issues import ImportIssue, Remedy, remedied

MILLIMETRES = 1e-3
"""How far a corner of the label map may lie from the volume's without a word."""
FLOAT32_SLACK = 1e-6
"""The same as a part of the corner's distance from the origin: NIfTI keeps its geometry in float32."""
TOLERANCE = 0.1
"""How far a voxel may lie from the volume's, in voxels, to be taken for it with a note."""


def grid_difference(one: Grid, other: Grid) -> str | None:
    """What sets two grids apart, in millimetres at their corners: a clause, or None if they agree."""
    if one.size != other.size:
        a, b = (" x ".join(map(str, grid.size)) for grid in (one, other))
        return f"its size is {a}, not {b} voxels"
    ours, theirs = _corners(one), _corners(other)
    apart = np.linalg.norm(ours - theirs, axis=1)
    allowed = MILLIMETRES + FLOAT32_SLACK * np.linalg.norm(theirs, axis=1)
    if (apart > allowed).any():
        return f"its corners are up to {apart.max():.4g} mm away"
    return None


def laid_on(
    layers: list[np.ndarray], file_grid: Grid, grid: Grid, remedies: Collection[Remedy], what: str, *, cropped: bool
) -> tuple[list[np.ndarray], tuple[ImportIssue, ...]]:
    """Lay label maps on a volume's voxels.

    Args:
        layers: (z, y, x) in their file's order.
        file_grid: of all of them.
        grid: of the volume.
        remedies: ``"resample"`` to take the nearest label where voxels are not the volume's.
        what: names file and volume at the beginning of a message.
        cropped: whether the kind of file holds only the part of the volume in which there are labels.

    Returns:
        The layers (z, y, x) on ``grid``, and what was odd.

    Raises:
        RemedyNeeded: they lie elsewhere, and ``remedies`` holds no answer.
        InputError: labels reach, or all lie, outside the volume.
    """
    turn = file_grid.shown()
    difference = grid_difference(turn.grid, grid)
    if difference is None:
        return [turn.shown(layer) for layer in layers], ()
    offset = _whole_offset(turn.grid, grid)
    if offset is not None and (cropped or (turn.grid.size == grid.size and not offset.any())):
        placed = [_placed(turn.shown(layer), offset, grid, what) for layer in layers]
        return placed, _beside(turn.grid, grid, offset)
    if not _meet(turn.grid, grid):
        raise InputError("The labels lie wholly outside of the volume.", what)
    told = f"The labels do not lie on the voxels of the volume: {difference}."
    finding = remedied(ImportIssue("labels elsewhere", told, ("resample",)), remedies, what)
    reference = grid.place(sitk.Image(grid.size, sitk.sitkUInt8))
    resampled = []
    for layer in layers:
        image = file_grid.place(sitk.GetImageFromArray(layer))
        moved = sitk.Resample(image, reference, sitk.Transform(3, sitk.sitkIdentity), sitk.sitkNearestNeighbor, 0.0)
        resampled.append(sitk.GetArrayFromImage(moved))
    return resampled, (finding,)


def _whole_offset(one: Grid, other: Grid) -> np.ndarray | None:
    """Voxels x y z from the beginning of ``other`` to that of ``one``, where all voxels fall on voxels."""
    far = np.array(one.size) - 1
    corners = np.array(list(product(*((0, n) for n in far))))
    places = other.to_voxels(one.to_patient(corners))
    offset = np.rint(places[0]).astype(int)
    return offset if np.abs(places - corners - offset).max() <= TOLERANCE else None


def _meet(one: Grid, other: Grid) -> bool:
    """Whether the boxes round two grids' voxels have anything in common."""
    places = other.to_voxels(_corners(one))  # (8, 3)
    return bool((places.max(axis=0) > -0.5).all() and (places.min(axis=0) < np.array(other.size) - 0.5).all())


def _beside(one: Grid, other: Grid, offset: np.ndarray) -> tuple[ImportIssue, ...]:
    """A note where voxels that are taken for the volume's lie a little beside them."""
    far = np.array(one.size) - 1
    corners = np.array(list(product(*((0, n) for n in far))))
    there, here = one.to_patient(corners), other.to_patient(corners + offset)
    apart = np.linalg.norm(there - here, axis=1)
    if (apart <= MILLIMETRES + FLOAT32_SLACK * np.linalg.norm(here, axis=1)).all():
        return ()
    told = f"The labels lie up to {apart.max():.2g} mm beside the volume's voxels, less than a tenth of one."
    return (ImportIssue("labels beside", told),)


def _placed(labels: np.ndarray, offset: np.ndarray, grid: Grid, what: str) -> np.ndarray:
    """Labels (z, y, x) at an offset x y z in an array of the volume's shape."""
    whole = np.zeros(grid.shape_zyx, labels.dtype)
    here, there = [], []
    for start, count, size in zip(offset[::-1].tolist(), labels.shape, grid.shape_zyx, strict=True):
        low, high = max(start, 0), min(start + count, size)
        here.append(slice(low, max(high, low)))
        there.append(slice(low - start, max(high, low) - start))
    whole[tuple(here)] = labels[tuple(there)]
    if np.count_nonzero(whole) != np.count_nonzero(labels):
        raise InputError("Labels reach outside of the volume.", what)
    return whole


def _corners(grid: Grid) -> np.ndarray:
    """LPS millimetres of the eight corner voxels' centres, (8, 3)."""
    return grid.to_patient(list(product(*((0, n - 1) for n in grid.size))))
