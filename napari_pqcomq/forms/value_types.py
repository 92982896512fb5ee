"""Types of a form's fields that Python has no word for; magicgui chooses widgets by them. Knows no Qt."""

from __future__ import annotations

from pathlib import Path
from typing import NewType

BitWidths = NewType("BitWidths", tuple[int, ...])
"""One bit width or several, in the order of comparison."""

VolumeFiles = NewType("VolumeFiles", tuple[Path, ...])
"""Files of volumes; none stands for the volume that is open."""

OPEN_VOLUME = VolumeFiles(())
"""No files: the volume that is open."""
