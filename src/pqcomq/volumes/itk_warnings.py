"""SimpleITK without its C++ voice on the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import SimpleITK as sitk


@contextmanager
def quiet_itk() -> Iterator[None]:
    """Keep ITK's C++ warnings off the terminal for the length of a ``with`` block."""
    shown = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(shown)
