"""Opening NIfTI, NRRD, MetaImage and DICOM as napari layers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from napari.utils.notifications import show_warning

from napari_pqcomq.io.mask_reader import object_layers
from napari_pqcomq.layers.mask_layers import LayerTuple, mask_layers
from napari_pqcomq.layers.volume_layers import image_tuple
from pqcomq.dicom_masks.object_loading import object_kind
from pqcomq.volumes.dicom.file_discovery import holds_dicom
from pqcomq.volumes.import_issues import Remedy, RemedyNeeded
from pqcomq.volumes.labels.slicer_segmentation import is_slicer_segmentation
from pqcomq.volumes.path_checks import is_folder
from pqcomq.volumes.volume import Volume
from pqcomq.volumes.volume_choice import PartChoiceNeeded
from pqcomq.volumes.volume_reader import read_volume

_SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd", ".dcm", ".ima", ".zip")
_NO_LAYERS: list[LayerTuple] = [(None,)]
"""What a reader returns when the file was understood but nothing is to be opened."""


def get_reader(path: str | list[str]) -> Callable[[str], list[LayerTuple]] | None:
    """The npe2 reader hook.

    Args:
        path: one file or folder; a list of files to be stacked is left to other readers.

    Returns:
        The function that reads it, or None where this plugin has nothing to offer.
    """
    if isinstance(path, list):
        return None
    place = Path(path)
    if place.is_dir() or path.lower().endswith(_SUFFIXES) or place.name.upper() == "DICOMDIR":
        return read_layers
    return None


def read_layers(path: str) -> list[LayerTuple]:
    """Read volumes and show them in the radiological convention.

    What only the user can decide (series, parts, remedies) is asked; without a screen the question is raised.

    Raises:
        InputError: not a readable volume.
        SeriesChoiceNeeded, PartChoiceNeeded, RemedyNeeded: a question, and no user to ask.
    """
    place = Path(path)
    if object_kind(place) is not None or is_slicer_segmentation(place):
        return object_layers(place)
    if not _has_screen():
        return [image_tuple(read_volume(place))]
    if is_folder(place) or holds_dicom(place):
        return _opened_by_dialog(place) or _NO_LAYERS
    return [image_tuple(volume) for volume in _opened_file(place)] or _NO_LAYERS


def _opened_by_dialog(path: Path) -> list[LayerTuple]:
    # Imported here: files can also be read where no Qt is installed.
    from qtpy.QtWidgets import QApplication

    from napari_pqcomq.io.import_dialog import ImportDialog

    dialog = ImportDialog(path, QApplication.activeWindow())
    dialog.run()
    failure, outcomes = dialog.failure, dialog.outcomes
    dialog.deleteLater()
    if failure is not None:
        raise failure
    layers: list[LayerTuple] = []
    for outcome in outcomes:
        if outcome.volume is None:
            continue
        _warn(outcome.volume)
        layers.append(image_tuple(outcome.volume))
        for mask in outcome.masks:
            layers += mask_layers(mask, outcome.volume, ", ".join(mask.names.values()))
    return layers


def _opened_file(path: Path, part: int | None = None, remedies: tuple[Remedy, ...] = ()) -> list[Volume]:
    """The volumes of one file that the user wants; none where a question was cancelled."""
    from napari_pqcomq.widgets.dock.import_questions import ask_parts, ask_remedy

    try:
        volume = read_volume(path, part=part, remedies=remedies)
    except PartChoiceNeeded as question:
        return [volume for chosen in ask_parts(question, path.name) for volume in _opened_file(path, chosen, remedies)]
    except RemedyNeeded as question:
        remedy = ask_remedy(question, path.name)
        return [] if remedy is None else _opened_file(path, part, (*remedies, remedy))
    _warn(volume)
    return [volume]


def _warn(volume: Volume) -> None:
    """Say once more what was done to a volume whose geometry was not regular."""
    remedied = [str(finding) for finding in volume.findings if finding.chosen is not None]
    if remedied:
        show_warning(f"{volume.name}: {' '.join(remedied)}")


def _has_screen() -> bool:
    """Whether a Qt application runs that can show a dialog."""
    try:
        from qtpy.QtWidgets import QApplication
    except ImportError:  # qtpy's errors for a missing binding are import errors too
        return False
    return QApplication.instance() is not None
