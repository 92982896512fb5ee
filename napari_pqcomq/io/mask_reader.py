"""Opening DICOM segmentations and structure sets as labels on an open volume."""

from __future__ import annotations

from pathlib import Path

import napari

from napari_pqcomq.layers.mask_layers import LayerTuple, mask_layers, told_layers
from napari_pqcomq.layers.volume_layers import volume_of
from napari_pqcomq.translation import tr
from pqcomq.dicom_masks.mask_object import LabelledObjects
from pqcomq.errors import InputError
from pqcomq.masks.read_masks import read_masks
from pqcomq.progress import Progress, Steps
from pqcomq.volumes.volume import Volume


def object_layers(path: Path) -> list[LayerTuple]:
    """Read a DICOM object in the background onto the volume in the viewer that it belongs to; empty after Cancel.

    Raises:
        InputError: no open volume, or the object fits none of them.
    """
    volumes = _open_volumes()
    if not volumes:
        raise InputError(tr("The file labels a volume; open that volume first."), path)
    from napari_pqcomq.jobs.running.waiting import awaited  # where a volume is open, there is Qt, too

    found = awaited(lambda: _reading(path, volumes), tr("Reading {name}…", name=path.name))
    return told_layers(found, path.name)


def _reading(path: Path, volumes: list[Volume]) -> Steps[tuple[LabelledObjects, list[LayerTuple]]]:
    yield Progress(0, 0, tr("Reading {name}…", name=path.name))
    problems = []
    for volume in volumes:
        try:
            read = read_masks(path, volume)
        except InputError as problem:
            problems.append(problem)
            continue
        return read, mask_layers(read, volume, path.stem)
    raise problems[0]


def _open_volumes() -> list[Volume]:
    """The volumes in the viewer, each once, the selected layer's first."""
    viewer = napari.current_viewer()
    if viewer is None:
        return []
    active = [] if viewer.layers.selection.active is None else [viewer.layers.selection.active]
    found = [volume_of(layer) for layer in [*active, *viewer.layers]]
    # By their arrays: a hash of all voxels would hold the window up.
    return list({id(volume.voxels): volume for volume in found if volume is not None}.values())
