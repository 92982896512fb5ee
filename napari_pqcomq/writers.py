"""Saving a mask as NIfTI on the grid of the file that its volume came from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from napari_pqcomq.layers import VOLUME_KEY
from pqcomq.errors import InputError
from pqcomq.volumes.volume import Volume
from pqcomq.volumes.writing import write_mask


def write_labels(path: str, data: np.ndarray, meta: dict[str, Any]) -> list[str]:
    """The npe2 writer for one labels layer.

    Args:
        path: a ``.nii.gz`` file; napari's dialog has already asked before replacing one.
        data: (z, y, x) labels.
        meta: napari's layer attributes; its metadata must hold the volume.

    Returns:
        The file written.

    Raises:
        InputError: the layer belongs to no volume, or the file cannot be written.
    """
    volume = meta.get("metadata", {}).get(VOLUME_KEY)
    if not isinstance(volume, Volume):
        raise InputError(
            f"The labels layer {meta.get('name', '')!r} belongs to no volume opened with napari-pqcomq, "
            "so its place in the patient is unknown and it was not saved."
        )
    write_mask(Path(path), np.asarray(data), volume, overwrite=True)
    return [path]
