"""What a NRRD or MetaImage file says of itself, checked before any voxel is read.

The headers are read and checked in Python, and so are the voxels: a damaged header ends ITK's own readers, and the
process with them, and lets them read any file on the disk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

from pqcomq.errors import InputError
from pqcomq.volumes.grid import PLAUSIBLE_SPACING, Grid
from pqcomq.volumes.import_issues import ImportIssue

MOST_HEADER_BYTES = 1 << 22
"""Segmentations with hundreds of named objects have long headers; voxels are no header."""
MOST_AXIS = 1 << 20
MILLIMETRES = {
    **dict.fromkeys(("", "?", "???", "none", "mm", "millimeter", "millimeters", "millimetre", "millimetres"), 1.0),
    **dict.fromkeys(("um", "µm", "μm", "micron", "microns", "micrometer", "micrometers", "micrometre"), 1e-3),
    **dict.fromkeys(("nm", "nanometer", "nanometers", "nanometre"), 1e-6),
    **dict.fromkeys(("cm", "centimeter", "centimeters", "centimetre"), 10.0),
    **dict.fromkeys(("m", "meter", "meters", "metre", "metres"), 1e3),
}  # fmt: skip
"""In units of length by the names that files give them, in small letters; the first four stand for none."""
SAME_ANGLE = 1e-4
"""Largest cosine between two axes that is still rounding."""


@dataclass(frozen=True)
class PictureFile:
    """A checked header.

    Attributes:
        sizes: of the stored array, the fastest axis first; three axes, or four.
        part_axis: which of four axes counts volumes or numbers a voxel; None for three.
        dtype: of the stored numbers, with their byte order.
        encoding: ``"raw"``, ``"deflate"`` (zlib or gzip), ``"bzip2"``, ``"text"`` or ``"hex"``.
        data: the file with the voxels, in the header's own folder.
        offset: bytes before them in that file; −1 where they are its end.
        skip: bytes before them once decompressed.
        grid: of one volume.
        fields: the header's own, as text.
        has_spacing: whether the file says how far apart voxels lie along each of the three axes.
        has_directions: whether it says how its axes run in the patient.
        findings: what else is odd about it.
    """

    sizes: tuple[int, ...]
    part_axis: int | None
    dtype: np.dtype
    encoding: str
    data: Path
    offset: int
    skip: int
    grid: Grid
    fields: Mapping[str, str]
    has_spacing: bool = True
    has_directions: bool = True
    findings: tuple[ImportIssue, ...] = ()

    @property
    def parts(self) -> int:
        """How many 3-D volumes there are."""
        return 1 if self.part_axis is None else self.sizes[self.part_axis]

    @property
    def nbytes(self) -> int:
        """Of all voxels."""
        return prod(self.sizes) * self.dtype.itemsize


def checked_axes(sizes: tuple[int, ...], part_axis: int | None, path: Path) -> tuple[int, int, int]:
    """Voxels along x, y and z.

    Args:
        sizes: of all axes.
        part_axis: the one that counts volumes, of four.
        path: for messages.

    Raises:
        InputError: they make up no volume.
    """
    shape = " x ".join(map(str, sizes))
    if any(not 0 < size <= MOST_AXIS for size in sizes):
        raise InputError(f"The file is damaged: no picture has {shape} voxels.", path)
    if len(sizes) < 3:
        raise InputError(f"The file is a {len(sizes)}-D picture ({shape}), not a volume.", path)
    spatial = [size for axis, size in enumerate(sizes) if axis != part_axis]
    if len(spatial) != 3:
        raise InputError(f"The file has {len(sizes)} dimensions ({shape}), and three or four can be read.", path)
    return spatial[0], spatial[1], spatial[2]


def checked_grid(
    size: tuple[int, int, int], spacing: np.ndarray, origin: np.ndarray, axes: np.ndarray, path: Path
) -> Grid:
    """A grid whose every number is plausible.

    Args:
        size: voxels along x, y, z.
        spacing: (3,) mm.
        origin: (3,) LPS mm.
        axes: (3, 3), the direction of index axis i in column i.
        path: for messages.

    Raises:
        InputError: numbers are not finite or implausible, or axes not at right angles.
    """
    low, high = PLAUSIBLE_SPACING
    if not all(np.isfinite(numbers).all() for numbers in (spacing, origin, axes)):
        raise InputError("The file has a damaged geometry (it holds numbers that are not finite).", path)
    if not ((spacing >= low) & (spacing <= high)).all():
        raise InputError(f"The file has implausible voxel spacing ({' x '.join(f'{s:g}' for s in spacing)} mm).", path)
    if np.abs(axes.T @ axes - np.eye(3)).max() > SAME_ANGLE:
        raise InputError("The file has axes that are not at right angles to one another.", path)
    sx, sy, sz = spacing.tolist()
    x, y, z = origin.tolist()
    return Grid(size, (sx, sy, sz), (x, y, z), tuple(axes.ravel().tolist()))


def in_millimetres(units: Sequence[str]) -> tuple[np.ndarray, tuple[ImportIssue, ...]]:
    """What lengths along each axis are to be multiplied by (n,), and what is to be told about it.

    ITK passes over units, so that micrometres of a microscope become millimetres in silence.

    Args:
        units: of each axis, as the file names them.
    """
    named = [unit.strip(" \"'").lower() for unit in units]
    factors = np.array([MILLIMETRES.get(name, 1.0) for name in named])
    if unknown := sorted({unit for unit, name in zip(units, named, strict=True) if name not in MILLIMETRES}):
        told = f"The file gives lengths in a unit that is not known here ({', '.join(unknown)}); they are taken for mm."
        return factors, (ImportIssue("no spacing", told),)
    if (factors != 1).any():
        given = " x ".join(f"{factor:g}" for factor in dict.fromkeys(factors.tolist()))
        return factors, (ImportIssue("units", f"The file gives lengths in units of {given} mm; all are shown in mm."),)
    return factors, ()


def damaged(path: Path) -> InputError:
    """What is told of a file that makes no sense."""
    return InputError("The file is damaged, was cut off, or is no file of this kind.", path)


def colours(path: Path) -> InputError:
    """What is told of a file whose voxels are colours."""
    return InputError("The file has colour voxels, but only real numbers can be read.", path)


def data_file(path: Path, name: str) -> Path:
    """The file with a header's voxels, which lies in the header's own folder or below it.

    Args:
        path: of the header.
        name: that it gives.

    Raises:
        InputError: there are several, or the file lies elsewhere, is not there, or is no regular file.
    """
    if name.split(" ")[0].upper() == "LIST" or "%" in name:
        raise InputError("The file has its voxels in several files, which cannot be read.", path)
    folder = path.parent.resolve()
    try:
        found = (folder / name).resolve()
        is_file = found.is_file()
    except (OSError, ValueError, RuntimeError):
        raise InputError("The file is damaged: it does not name the file of its voxels.", path) from None
    if not found.is_relative_to(folder):
        raise InputError(f"Voxels are only read from a header's own folder, and {path} has them elsewhere.")
    if not is_file:
        raise InputError(f"The voxels of {path} are missing: there is no file {found.name} beside it.")
    return found
