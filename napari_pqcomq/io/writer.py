"""Saving a labels layer from napari's File menu, on the grid of the file that its volume came from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from napari_pqcomq.layers.mask_layers import layer_masks
from napari_pqcomq.translation import tr
from pqcomq.errors import InputError
from pqcomq.masks.file_formats import sidecar
from pqcomq.masks.write_masks import export_masks


def write_labels(path: str, data: np.ndarray, meta: dict[str, Any]) -> list[str]:
    """The npe2 writer for one labels layer; files name no patient (the export panel can do otherwise).

    Args:
        path: its ending gives the kind of file; napari's dialog has already asked before replacing it.
        data: (z, y, x) labels.
        meta: napari's layer attributes; its metadata must hold the volume.

    Returns:
        The mask's file and the record's.

    Raises:
        InputError: the layer belongs to no volume or is empty, or a file cannot be written.
    """
    target = Path(path)
    masks, volume = layer_masks(np.asarray(data), meta.get("metadata", {}), meta.get("name", ""))
    if not target.exists() and sidecar(target).exists():  # napari asked about the mask's file alone
        raise InputError(tr("The file exists already and is not overwritten; choose another name."), sidecar(target))
    return [str(each) for each in export_masks(target, masks, volume, overwrite=True)]
