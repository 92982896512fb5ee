"""Opening NIfTI, NRRD, MetaImage and DICOM as napari layers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from napari.utils.notifications import show_warning

from napari_pqcomq.io.mask_reader import object_layers
from napari_pqcomq.layers.mask_layers import LayerTuple, mask_layers, warn_of
from napari_pqcomq.layers.volume_layers import VOLUME_KEY, image_tuple
from napari_pqcomq.translation import tr
from pqcomq.dicom_masks.object_loading import object_kind
from pqcomq.progress import Progress, Steps
from pqcomq.volumes.dicom.file_discovery import holds_dicom
from pqcomq.volumes.import_issues import Remedy, RemedyNeeded
from pqcomq.volumes.labels.slicer_segmentation import is_slicer_segmentation
from pqcomq.volumes.path_checks import is_folder
from pqcomq.volumes.volume import Volume
from pqcomq.volumes.volume_choice import PartChoiceNeeded
from pqcomq.volumes.volume_reader import read_volume, reading_volume

if TYPE_CHECKING:
    from napari_pqcomq.io.import_jobs import Outcome

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
        return object_layers(place) or _NO_LAYERS
    if not _has_screen():
        return [image_tuple(read_volume(place))]
    if is_folder(place) or holds_dicom(place):
        return _opened_by_dialog(place) or _NO_LAYERS
    return _opened_file(place) or _NO_LAYERS


def _opened_by_dialog(path: Path) -> list[LayerTuple]:
    # Imported here: files can also be read where no Qt is installed.
    from napari_pqcomq.io.import_dialog import ImportDialog
    from napari_pqcomq.jobs.running.waiting import awaited, window_at_work

    dialog = ImportDialog(path, window_at_work())
    dialog.run()
    failure, outcomes = dialog.failure, dialog.outcomes
    dialog.deleteLater()
    if failure is not None:
        raise failure
    for outcome in outcomes:
        if outcome.volume is not None:
            _warn(outcome.volume)
        for mask in outcome.masks:
            warn_of(mask, ", ".join(mask.names.values()))
    return awaited(lambda: _layers_of(outcomes), tr("Opening {path}…", path=path.name)) or []


def _layers_of(outcomes: list[Outcome]) -> Steps[list[LayerTuple]]:
    """Volumes, and the masks on each, as layers: their voxels are looked through for it."""
    layers: list[LayerTuple] = []
    for outcome in outcomes:
        if outcome.volume is None:
            continue
        yield Progress(0, 0, tr("Opening {name}…", name=outcome.volume.name))
        layers.append(image_tuple(outcome.volume))
        for mask in outcome.masks:
            layers += mask_layers(mask, outcome.volume, ", ".join(mask.names.values()))
    return layers


def _opened_file(path: Path, part: int | None = None, remedies: tuple[Remedy, ...] = ()) -> list[LayerTuple]:
    """The volumes of one file that the user wants; none where a question or the reading was cancelled."""
    from napari_pqcomq.jobs.running.waiting import awaited
    from napari_pqcomq.widgets.dock.import_questions import ask_parts, ask_remedy

    try:
        layer = awaited(lambda: _reading(path, part, remedies), tr("Reading {name}…", name=path.name))
    except PartChoiceNeeded as question:
        return [layer for chosen in ask_parts(question, path.name) for layer in _opened_file(path, chosen, remedies)]
    except RemedyNeeded as question:
        remedy = ask_remedy(question, path.name)
        return [] if remedy is None else _opened_file(path, part, (*remedies, remedy))
    if layer is None:
        return []
    _warn(layer[1]["metadata"][VOLUME_KEY])
    return [layer]


def _reading(path: Path, part: int | None, remedies: tuple[Remedy, ...]) -> Steps[LayerTuple]:
    yield Progress(0, 0, tr("Reading {name}…", name=path.name))
    return image_tuple((yield from reading_volume(path, part=part, remedies=remedies)))


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
