"""SimpleITK's file reader with its C++ voice turned into one sentence."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import SimpleITK as sitk

from pqcomq.errors import InputError

logger = logging.getLogger(__name__)


@contextmanager
def quiet_itk() -> Iterator[None]:
    """Keep ITK's C++ warnings off the terminal for the length of a ``with`` block."""
    shown = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(shown)


def read_image(path: Path, image_io: Literal["NiftiImageIO", "GDCMImageIO"]) -> sitk.Image:
    """Read one file with the named ITK reader.

    Raises:
        InputError: the file is damaged or of a kind that the reader does not know.
    """
    try:
        with quiet_itk():
            return sitk.ReadImage(str(path), imageIO=image_io)
    except (RuntimeError, MemoryError) as error:
        logger.debug("SimpleITK on %s: %s", path, error)
        if "allocate" in str(error) or isinstance(error, MemoryError):
            raise InputError(f"{path} is too large for this computer's memory.") from error
        raise InputError(f"{path} is damaged, or stored in a way that SimpleITK cannot read.") from error
