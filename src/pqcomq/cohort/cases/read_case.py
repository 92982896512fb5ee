"""Image and labels of a case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from pqcomq.cohort.cases.case import Case
from pqcomq.cohort.settings import CohortSettings
from pqcomq.dicom_masks.label_box import LabelBox
from pqcomq.dicom_masks.mask_object import LabelledObjects
from pqcomq.errors import InputError
from pqcomq.masks.read_masks import read_masks
from pqcomq.samples.synthetic_cohort import synthetic_case
from pqcomq.volumes.volume import GUESSED, Modality, Volume
from pqcomq.volumes.volume_reader import read_volume


def opened(case: Case, settings: CohortSettings) -> tuple[Case, Volume, LabelledObjects]:
    """Read a case.

    Returns:
        The case with the names and the numbers of its labels, the volume, and the labels on its grid.

    Labels that the case names keep its names; those that their file names (DICOM, 3D Slicer) keep the file's.

    Raises:
        InputError: image or labels cannot be read or lie elsewhere, voxels are not finite, or there is no label.
    """
    if case.synthetic_seed is not None:
        sample = synthetic_case(case.synthetic_seed)
        return _named(case, sample.names), sample.volume, LabelledObjects((LabelBox.of(sample.labels),), sample.names)
    if case.labels is None:
        raise ValueError("a case that is not synthetic needs labels")
    volume = volume_of(case, settings.modality)
    if not bool(np.isfinite(volume.voxels).all()):
        raise InputError("its image holds voxels that are not finite")
    labels = read_masks(case.labels, volume)
    if not labels.names:
        raise InputError("its label file holds no label")
    return _named(case, labels.names), volume, labels


def volume_of(case: Case, modality: Modality | None) -> Volume:
    """The image alone.

    Args:
        case: which.
        modality: of cases for which neither the manifest nor a DICOM header tells that they are CT or MR.
    """
    if case.synthetic_seed is not None:
        return synthetic_case(case.synthetic_seed).volume
    if case.image is None:
        raise ValueError("a case that is not synthetic needs an image")
    volume = read_volume(case.image, modality=case.modality)
    return volume if case.modality is not None else taken_for(volume, modality)


def taken_for(volume: Volume, modality: Modality | None) -> Volume:
    """A volume, of a modality where no DICOM header tells that it is CT or MR; None for what was guessed."""
    is_told = volume.modality != "other" and not any(each.kind in GUESSED for each in volume.findings)
    return volume if is_told or modality is None else volume.with_modality(modality)


def _named(case: Case, names: Mapping[int, str]) -> Case:
    """The case with a name for every label: its own, else the file's; and those that are to be scored."""
    both = {**names, **case.label_names}
    wanted = case.wanted({number: both.get(number, "") for number in {*names, *(case.only or ())}})
    if not wanted:
        raise InputError("it has none of the labels asked for")
    return replace(case, label_names=both, only=tuple(wanted))
