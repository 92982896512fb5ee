"""Opening DICOM segmentations and structure sets as labels on an open volume."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import napari
import numpy as np

from napari_pqcomq.layers.mask_layers import mask_metadata
from napari_pqcomq.layers.volume_layers import labels_tuple, volume_of
from pqcomq.dicom_masks.mask_object import LabelledObjects
from pqcomq.errors import InputError
from pqcomq.masks.reader import read_masks
from pqcomq.volumes.volume import Volume

LayerTuple = tuple[Any, ...]


def object_layers(path: Path) -> list[LayerTuple]:
    """Read a DICOM object onto the volume in the viewer that it belongs to.

    Raises:
        InputError: no open volume, or the object fits none of them.
    """
    volumes = _open_volumes()
    if not volumes:
        raise InputError(f"{path} labels a volume; open that volume first.")
    problems = []
    for volume in volumes:
        try:
            read = read_masks(path, volume)
        except InputError as problem:
            problems.append(problem)
            continue
        return mask_layers(read, volume, path.stem)
    raise problems[0]


def mask_layers(read: LabelledObjects, volume: Volume, name: str) -> list[LayerTuple]:
    """Objects on a volume as layers; those that overlap come as several, since a layer holds one label a voxel."""
    layers = []
    for labels in read.maps:
        data, keywords, kind = labels_tuple(volume, labels, name)
        keywords["metadata"] = mask_metadata(volume, {n: read.names[n] for n in _present(labels)})
        layers.append((data, keywords, kind))
    return layers


def _present(labels: np.ndarray) -> list[int]:
    return [int(number) for number in np.unique(labels) if number]


def _open_volumes() -> list[Volume]:
    """The volumes in the viewer, each once, the selected layer's first."""
    viewer = napari.current_viewer()
    if viewer is None:
        return []
    active = [] if viewer.layers.selection.active is None else [viewer.layers.selection.active]
    found = [volume_of(layer) for layer in [*active, *viewer.layers]]
    return list({volume.sha256: volume for volume in found if volume is not None}.values())
