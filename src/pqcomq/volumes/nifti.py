"""NIfTI files: a strict look at the header, then SimpleITK for the voxels.

The look is needed because SimpleITK reads a file that was cut off without a word and fills the rest with zeros, turns
NaN and infinity into 0, takes voxel sizes that are NaN for 1 mm, and lays out the sform differently from other
readers where the header contradicts itself. Field offsets: https://nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h
"""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import SimpleITK as sitk

from pqcomq.errors import InputError
from pqcomq.volumes.itk import read_image
from pqcomq.volumes.values import NOT_FINITE
from pqcomq.whole_files import why

HEADER_BYTES = 348
NIFTI_SUFFIXES = (".nii", ".nii.gz")
PLAUSIBLE_SPACING = (1e-3, 1e3)
"""Millimetres between voxel centres, from micro-CT to a scout; anything else is a broken header."""

SCALAR_BYTES = {2: 1, 4: 2, 8: 4, 16: 4, 64: 8, 256: 1, 512: 2, 768: 4, 1024: 8, 1280: 8}
"""Bytes a voxel of the data types that are one real number; the key is the header's code."""
OTHER_TYPES = {1: "one-bit", 32: "complex", 128: "colour (RGB)", 1536: "128-bit", 1792: "complex", 2048: "complex"}
OTHER_TYPES[2304] = "colour (RGBA)"

ANGLE_TOLERANCE = 1e-4
"""Largest cosine between two axes that is still rounding; SimpleITK reads no more either."""
CHUNK = 1 << 20


def is_nifti_name(path: Path) -> bool:
    """Whether the name ends in ``.nii`` or ``.nii.gz`` (any case)."""
    return path.name.lower().endswith(NIFTI_SUFFIXES)


def nifti_stem(path: Path) -> str:
    """The file's name without ``.nii`` or ``.nii.gz``."""
    name = path.name[: -len(".gz")] if path.name.lower().endswith(".gz") else path.name
    return name[: -len(".nii")] if name.lower().endswith(".nii") else name


@dataclass(frozen=True)
class NiftiHeader:
    """The header's fields that decide whether and how a file is read.

    Attributes:
        order: ``"<"`` or ``">"``, the file's byte order.
        dim: the number of dimensions, then the size of each of seven.
        datatype: code of the voxels' type.
        pixdim: spacing along index axes x, y, z, in ``units``.
        data_offset: byte at which the voxels begin.
        scaling: slope and intercept.
        units: 0 unstated, 1 metre, 2 millimetre, 3 micrometre.
        qform_code: 0 where there is no quaternion geometry.
        sform: 3 x 4 affine from index to RAS millimetres; None where there is none.
    """

    order: str
    dim: tuple[int, ...]
    datatype: int
    pixdim: tuple[float, ...]
    data_offset: float
    scaling: tuple[float, float]
    units: int
    qform_code: int
    sform: np.ndarray | None

    @classmethod
    def parse(cls, raw: bytes) -> NiftiHeader:
        """Decode the first 348 bytes; ValueError with the reason if they are not a NIfTI-1 header."""
        if len(raw) >= 4 and 540 in struct.unpack("<i", raw[:4]) + struct.unpack(">i", raw[:4]):
            raise ValueError("is a NIfTI-2 file; only NIfTI-1 can be read, please convert it")
        if len(raw) < HEADER_BYTES:
            raise ValueError("is not a NIfTI file, or was cut off in its header")
        order = next((o for o in "<>" if struct.unpack(f"{o}i", raw[:4]) == (HEADER_BYTES,)), None)
        magic = raw[344:348]
        if order is None or magic not in (b"n+1\0", b"ni1\0"):
            raise ValueError("is not a NIfTI file")
        if magic == b"ni1\0":
            raise ValueError("is the header of a .hdr/.img pair; only single .nii or .nii.gz files can be read")

        def field(form: str, offset: int) -> tuple[Any, ...]:
            return struct.unpack_from(order + form, raw, offset)

        qform_code, sform_code = field("2h", 252)
        sform = np.array(field("12f", 280), dtype=np.float64).reshape(3, 4) if sform_code > 0 else None
        slope, intercept = field("2f", 112)
        return cls(
            order, field("8h", 40), field("h", 70)[0], field("3f", 80), field("f", 108)[0], (slope, intercept),
            raw[123] & 7, qform_code, sform,
        )  # fmt: skip

    @property
    def voxel_bytes(self) -> int:
        """Bytes of all voxels together."""
        return int(np.prod([int(n) for n in self.dim[1 : self.dim[0] + 1]], dtype=object)) * SCALAR_BYTES[self.datatype]

    def problem(self) -> str | None:
        """Why this is not a scalar 3-D volume in millimetres: the rest of a sentence, or None if it is one."""
        sizes = self.dim[1 : self.dim[0] + 1] if 1 <= self.dim[0] <= 7 else ()
        if not sizes or min(sizes) < 1:
            return f"has a damaged header (dimensions {self.dim})"
        shape = " x ".join(map(str, sizes))
        if len(sizes) < 3:
            return f"is a {len(sizes)}-D picture ({shape}), not a volume"
        if any(n != 1 for n in sizes[3:]):
            return f"has {len(sizes)} dimensions ({shape}), but only single 3-D volumes can be read"
        if self.datatype not in SCALAR_BYTES:
            kind = OTHER_TYPES.get(self.datatype, f"unknown (code {self.datatype})")
            return f"has {kind} voxels, but only one real number a voxel can be read"
        return self._scale_problem() or self._geometry_problem()

    def _scale_problem(self) -> str | None:
        slope, intercept = self.scaling
        if self.units not in (0, 2):
            return f"gives positions in {'metres' if self.units == 1 else 'micrometres or an unknown unit'}, not in mm"
        # The standard says that slope 0 means "no scaling"; SimpleITK adds the intercept all the same.
        if slope == 0 and intercept != 0:
            return f"has a contradictory intensity scale (slope 0, intercept {intercept:g})"
        if not np.isfinite(slope) and np.isfinite(intercept) and intercept != 0:
            return f"has a damaged intensity scale (slope {slope}, intercept {intercept:g})"
        return None

    def _geometry_problem(self) -> str | None:
        low, high = PLAUSIBLE_SPACING
        spacings = [self.pixdim]
        if self.sform is not None:
            if not np.isfinite(self.sform).all():
                return "has a damaged geometry (its affine holds numbers that are not finite)"
            spacings.append(tuple(np.linalg.norm(self.sform[:, :3], axis=0)))
        for spacing in spacings:
            if not all(low <= s <= high for s in spacing):
                return f"has implausible voxel spacing ({' x '.join(f'{s:g}' for s in spacing)} mm)"
        if self.sform is not None:
            cosines = self.sform[:, :3] / np.linalg.norm(self.sform[:, :3], axis=0)
            if np.abs(cosines.T @ cosines - np.eye(3)).max() > ANGLE_TOLERANCE:
                return "has axes that are not at right angles to one another"
        return None


def read_nifti(path: Path) -> tuple[sitk.Image, tuple[str, ...]]:
    """Read a NIfTI-1 file that holds one scalar 3-D volume.

    Args:
        path: an existing regular file, plain or gzip-compressed.

    Returns:
        The 3-D image on the file's grid with slope and intercept applied, and notes for the user.

    Raises:
        InputError: the file is not such a volume, or is damaged or cut off.
    """
    header = check_nifti(path)
    image = read_image(path, "NiftiImageIO")
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
        raise InputError(f"{path} is not a single 3-D volume with one number a voxel.")
    notes: list[str] = []
    if header.sform is not None:
        _place_by_sform(image, header.sform)
        if not np.allclose(image.GetSpacing(), header.pixdim, rtol=0.01):
            told, used = (" x ".join(f"{s:g}" for s in spacing) for spacing in (header.pixdim, image.GetSpacing()))
            notes.append(f"The header states two voxel sizes; its affine's, {used} mm, is used, not {told} mm.")
    elif header.qform_code <= 0:
        notes.append("The file does not say how it lies in the patient; left, front and top are assumed.")
    return image, tuple(notes)


def check_nifti(path: Path) -> NiftiHeader:
    """Check the header, and that all voxels which it promises are in the file.

    Raises:
        InputError: they are not, or the header does not describe a scalar 3-D volume in millimetres.
    """
    try:
        with path.open("rb") as file:
            compressed = file.read(2) == b"\x1f\x8b"
        with path.open("rb") as file, gzip.open(file) if compressed else file as stream:
            header = _check_stream(cast(BinaryIO, stream), path)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path} is damaged or was cut off (its gzip compression does not end properly).") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {why(error)}.") from error
    # ITK goes by the name, and reads a plain file named .gz wrongly without saying so.
    if compressed != path.name.lower().endswith(".gz"):
        named, renamed = ("is", ".nii.gz") if compressed else ("is not", ".nii")
        raise InputError(f"{path} {named} gzip-compressed, unlike its name; rename it to end in {renamed}.")
    return header


def _check_stream(stream: BinaryIO, path: Path) -> NiftiHeader:
    try:
        header = NiftiHeader.parse(stream.read(HEADER_BYTES))
    except ValueError as error:
        raise InputError(f"{path} {error}.") from error
    if problem := header.problem():
        raise InputError(f"{path} {problem}.")
    if not HEADER_BYTES <= header.data_offset < 1 << 31:
        raise InputError(f"{path} has a damaged header (voxels said to begin at byte {header.data_offset:g}).")
    found, not_finite = _count_voxels(stream, header)
    if found < header.voxel_bytes:
        raise InputError(f"{path} was cut off: {found} of {header.voxel_bytes} bytes of voxels are there.")
    if not_finite:
        raise InputError(NOT_FINITE.format(what=path, count=not_finite))
    return header


def _count_voxels(stream: BinaryIO, header: NiftiHeader) -> tuple[int, int]:
    """Read to the end: bytes from the first voxel on, and voxels that are NaN or infinite (ITK makes them 0)."""
    gap = int(header.data_offset) - HEADER_BYTES
    while gap > 0 and (skipped := len(stream.read(min(gap, CHUNK)))):
        gap -= skipped
    kind = np.dtype(f"{header.order}f{SCALAR_BYTES[header.datatype]}") if header.datatype in (16, 64) else None
    found = not_finite = 0
    # One chunk too many makes gzip compare its checksum at the end; a file padded without end stops there.
    while found <= header.voxel_bytes + CHUNK and (chunk := stream.read(CHUNK)):
        if kind is not None:
            voxels = chunk[: max(header.voxel_bytes - found, 0)]
            values = np.frombuffer(voxels, kind, len(voxels) // kind.itemsize)
            not_finite += int(np.count_nonzero(~np.isfinite(values)))
        found += len(chunk)
    return found, not_finite


def _place_by_sform(image: sitk.Image, sform: np.ndarray) -> None:
    """Lay the image out by the sform (the standard's first choice), whatever ITK made of header contradictions."""
    lps = np.diag([-1.0, -1.0, 1.0]) @ sform
    spacing = np.linalg.norm(lps[:, :3], axis=0)
    # The header has float32 cosines; the nearest exact rotation (or reflection) is what they mean.
    left, _, right = np.linalg.svd(lps[:, :3] / spacing)
    image.SetSpacing(_floats(spacing))
    image.SetOrigin(_floats(lps[:, 3]))
    image.SetDirection(_floats((left @ right).ravel()))


def _floats(values: np.ndarray | Sequence[float]) -> tuple[float, ...]:
    return tuple(float(v) for v in values)
