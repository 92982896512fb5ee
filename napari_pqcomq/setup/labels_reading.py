"""Reading labels on a volume in the background, and asking for what only the user can decide."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from pathlib import Path

from napari_pqcomq.jobs.running.waiting import awaited
from napari_pqcomq.layers.mask_layers import LayerTuple, mask_layers, told_layers
from napari_pqcomq.translation import tr
from napari_pqcomq.widgets.dock.import_questions import ask_parts, ask_remedy
from pqcomq.dicom_masks.mask_object import LabelledObjects
from pqcomq.masks.read_masks import read_masks
from pqcomq.progress import Progress, Steps
from pqcomq.volumes.import_issues import Remedy, RemedyNeeded
from pqcomq.volumes.volume import Volume
from pqcomq.volumes.volume_choice import PartChoiceNeeded


def labels_as_chosen(path: Path, volume: Volume) -> list[LayerTuple]:
    """Read labels that lie on a volume's voxels, asking for what only the user can decide.

    Returns:
        Layers; several where objects overlap, none where a question or the reading was cancelled.

    Raises:
        InputError: they cannot be read, or do not fit the volume.
    """
    part: int | None = None
    remedies: tuple[Remedy, ...] = ()
    while True:
        try:
            found = awaited(partial(_reading, path, volume, part, remedies), tr("Reading {name}…", name=path.name))
        except PartChoiceNeeded as question:
            chosen = ask_parts(question, path.name, only_one=True)
            if not chosen:
                return []
            part = chosen[0]
        except RemedyNeeded as question:
            remedy = ask_remedy(question, path.name)
            if remedy is None:
                return []
            remedies = (*remedies, remedy)
        else:
            return told_layers(found, path.name)


def _reading(
    path: Path, volume: Volume, part: int | None, remedies: Collection[Remedy]
) -> Steps[tuple[LabelledObjects, list[LayerTuple]]]:
    yield Progress(0, 0, tr("Reading {name}…", name=path.name))
    read = read_masks(path, volume, part=part, remedies=remedies)
    return read, mask_layers(read, volume, path.name)
