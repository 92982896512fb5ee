"""Label maps that belong to a volume: ground truth to compare with."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np

from pqcomq.errors import InputError
from pqcomq.volumes.grid import Grid
from pqcomq.volumes.nifti.reading import is_nifti_name, read_nifti
from pqcomq.volumes.nrrd_metaimage import is_picture_name, read_picture
from pqcomq.volumes.path_checks import is_folder
from pqcomq.volumes.volume import Volume

MILLIMETRES = 1e-3
"""How far a corner of the label map may lie from the volume's."""
FLOAT32_SLACK = 1e-6
"""The same as a part of the corner's distance from the origin: NIfTI keeps its geometry in float32."""
LABEL_TYPES = (np.uint8, np.uint16, np.uint32)


def read_labels(path: Path, volume: Volume) -> np.ndarray:
    """Read a label map that lies on the volume's voxels.

    The two may differ in the order and sense of their axes, as long as the voxels are the same in the patient.

    Args:
        path: NIfTI, NRRD or MetaImage.
        volume: the volume that it labels.

    Returns:
        Labels (z, y, x) in the volume's LPS order, as the smallest unsigned type that holds them.

    Raises:
        InputError: it cannot be read, lies elsewhere, or holds values other than 0, 1, 2, …
    """
    path = Path(path)
    if is_folder(path) or not (is_nifti_name(path) or is_picture_name(path)):
        raise InputError(
            f"{path} is not a NIfTI, NRRD or MetaImage file (.nii, .nii.gz, .nrrd, .mha), as labels must be."
        )
    in_file, file_grid, _findings = read_nifti(path) if is_nifti_name(path) else read_picture(path)
    turn = file_grid.shown()
    if difference := grid_difference(turn.grid, volume.grid):
        raise InputError(f"{path} does not lie on the voxels of {volume.name}: {difference}.")
    labels = turn.shown(in_file)
    if labels.dtype.kind == "f" or labels.min() < 0:
        raise InputError(f"{path} holds values that are no labels (labels are whole numbers from 0).")
    smallest: np.ndarray = labels.astype(next(t for t in LABEL_TYPES if labels.max() <= np.iinfo(t).max))
    return smallest


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


def _corners(grid: Grid) -> np.ndarray:
    """LPS millimetres of the eight corner voxels' centres, (8, 3)."""
    return grid.to_patient(list(product(*((0, n - 1) for n in grid.size))))
