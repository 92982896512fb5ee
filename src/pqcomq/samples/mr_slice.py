"""A real MR slice that needs no download: pydicom's package ships it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pydicom.data import get_testdata_file

from pqcomq.errors import InputError
from pqcomq.volumes.volume import Volume
from pqcomq.volumes.volume_reader import read_volume

FILE = "examples_overlay.dcm"


def mr_slice() -> Volume:
    """One abdominal MR slice, 484 × 300 pixels, from pydicom's example files.

    Returns:
        A volume of a single slice.

    Raises:
        InputError: this installation of pydicom comes without its example files.
    """
    path = get_testdata_file(FILE, download=False)
    if not isinstance(path, str):
        raise InputError(f"The MR sample {FILE} is missing from the installed pydicom package.")
    return replace(read_volume(Path(path), modality="MR"), name="Abdominal MR slice")
