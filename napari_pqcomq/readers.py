"""Opening NIfTI files, DICOM files and DICOM folders as napari layers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from napari_pqcomq.layers import image_tuple
from napari_pqcomq.mask_reader import object_layers
from pqcomq.dicom_objects.opening import object_kind
from pqcomq.volumes.dicom.series import SeriesChoiceNeeded
from pqcomq.volumes.reading import read_volume

LayerTuple = tuple[Any, ...]

_SUFFIXES = (".nii", ".nii.gz", ".dcm")
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
    if Path(path).is_dir() or path.lower().endswith(_SUFFIXES):
        return read_layers
    return None


def read_layers(path: str) -> list[LayerTuple]:
    """Read a volume and show it in the radiological convention.

    A folder with more than one series asks the user which to open; without a screen the question is raised.

    Raises:
        InputError: not a readable volume.
        SeriesChoiceNeeded: more than one series and nobody to ask.
    """
    if object_kind(Path(path)) is not None:
        return object_layers(Path(path))
    try:
        volume = read_volume(Path(path))
    except SeriesChoiceNeeded as question:
        if not _has_screen():
            raise
        # Imported here: files can also be read where no Qt is installed.
        from napari_pqcomq.series_dialog import choose_series

        uid = choose_series(Path(path), question.series)
        if uid is None:
            return _NO_LAYERS
        volume = read_volume(Path(path), series=uid)
    return [image_tuple(volume)]


def _has_screen() -> bool:
    """Whether a Qt application runs that can show a dialog."""
    try:
        from qtpy.QtWidgets import QApplication
    except ImportError:  # qtpy's errors for a missing binding are import errors too
        return False
    return QApplication.instance() is not None
