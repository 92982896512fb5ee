"""The fields of a NIfTI header that decide whether and how a file is read.

Field offsets: https://nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h and nifti2.h
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

HEADER_BYTES = {1: 348, 2: 540}
"""Size of the header, by the version of the format."""
_MAGIC = {b"n+1\0": 1, b"n+2\0\r\n\x1a\n": 2}
_MAGIC_OF_PAIRS = (b"ni1\0", b"ni2\0\r\n\x1a\n")

TYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}
"""Data types that are one real number; the key is the header's code."""
OTHER_TYPES = {1: "one-bit", 32: "complex", 128: "colour (RGB)", 1536: "128-bit", 1792: "complex", 2048: "complex"}
OTHER_TYPES[2304] = "colour (RGBA)"

MILLIMETRES = {0: 1.0, 1: 1e3, 2: 1.0, 3: 1e-3}
"""Millimetres in the header's unit of length: unstated, metre, millimetre, micrometre."""


@dataclass(frozen=True)
class NiftiHeader:
    """What a header says, lengths in its own unit.

    Attributes:
        version: 1 or 2.
        order: ``"<"`` or ``">"``, the file's byte order.
        dim: the number of dimensions, then the size of each of seven.
        datatype: code of the voxels' type.
        pixdim: the quaternion's handedness, then spacing along index axes x, y, z.
        data_offset: byte at which the voxels begin.
        scaling: slope and intercept.
        units: 0 unstated, 1 metre, 2 millimetre, 3 micrometre.
        qform_code, sform_code: 0 where there is no such geometry.
        quaternion: b, c, d of the qform, then its offset x, y, z.
        srow: the sform, 3 x 4 affine from index to RAS.
    """

    version: int
    order: str
    dim: tuple[int, ...]
    datatype: int
    pixdim: tuple[float, ...]
    data_offset: float
    scaling: tuple[float, float]
    units: int
    qform_code: int
    sform_code: int
    quaternion: tuple[float, ...]
    srow: np.ndarray

    @classmethod
    def parse(cls, raw: bytes) -> NiftiHeader:
        """Decode the first 540 bytes (348 are enough for NIfTI-1).

        Raises:
            ValueError: they are no NIfTI header; the message is the rest of a sentence.
        """
        if len(raw) < HEADER_BYTES[1]:
            raise ValueError("is not a NIfTI file, or was cut off in its header")
        sizes = {order: struct.unpack(f"{order}i", raw[:4])[0] for order in "<>"}
        order = next((o for o, size in sizes.items() if size in HEADER_BYTES.values()), None)
        magic = raw[344:348] if order and sizes[order] == HEADER_BYTES[1] else raw[4:12]
        if order is None or magic not in (*_MAGIC, *_MAGIC_OF_PAIRS):
            raise ValueError("is not a NIfTI file")
        if magic in _MAGIC_OF_PAIRS:
            raise ValueError("is the header of a .hdr/.img pair; only single .nii or .nii.gz files can be read")
        if len(raw) < HEADER_BYTES[_MAGIC[magic]]:
            raise ValueError("is not a NIfTI file, or was cut off in its header")
        return _first(raw, order) if _MAGIC[magic] == 1 else _second(raw, order)

    @property
    def header_bytes(self) -> int:
        """Size of the header itself; extensions and voxels follow."""
        return HEADER_BYTES[self.version]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Voxels along each dimension, x first."""
        return self.dim[1 : self.dim[0] + 1]

    @property
    def dtype(self) -> np.dtype:
        """Type of the voxels in the file."""
        return np.dtype(self.order + TYPES[self.datatype])

    @property
    def volumes(self) -> int:
        """3-D volumes in the file."""
        return int(np.prod([int(n) for n in self.sizes[3:]], dtype=object))

    @property
    def volume_bytes(self) -> int:
        """Bytes of one 3-D volume."""
        return int(np.prod([int(n) for n in self.sizes[:3]], dtype=object)) * self.dtype.itemsize

    def problem(self) -> str | None:
        """Why there are no real numbers on a 3-D grid in it: the rest of a sentence, or None if there are."""
        sizes = self.sizes if 1 <= self.dim[0] <= 7 else ()
        if not sizes or min(sizes) < 1:
            return f"has a damaged header (dimensions {self.dim})"
        if len(sizes) < 3:
            return f"is a {len(sizes)}-D picture ({' x '.join(map(str, sizes))}), not a volume"
        if self.datatype not in TYPES:
            kind = OTHER_TYPES.get(self.datatype, f"unknown (code {self.datatype})")
            return f"has {kind} voxels, but only one real number a voxel can be read"
        if self.units not in MILLIMETRES:
            return f"gives positions in an unknown unit (code {self.units})"
        if not self.header_bytes <= self.data_offset < 1 << 62:  # NaN fails as well
            return f"has a damaged header (voxels said to begin at byte {self.data_offset:g})"
        slope, intercept = self.scaling
        # The standard says that slope 0 means "no scaling"; readers differ on the intercept.
        if slope == 0 and intercept != 0:
            return f"has a contradictory intensity scale (slope 0, intercept {intercept:g})"
        if intercept != 0 and slope != 0 and np.isfinite(slope) != np.isfinite(intercept):  # NaN is none of these
            return f"has a damaged intensity scale (slope {slope}, intercept {intercept:g})"
        return None


def _first(raw: bytes, order: str) -> NiftiHeader:
    def field(form: str, offset: int) -> tuple[Any, ...]:
        return struct.unpack_from(order + form, raw, offset)

    qform_code, sform_code = field("2h", 252)
    slope, intercept = field("2f", 112)
    return NiftiHeader(
        1, order, field("8h", 40), field("h", 70)[0], field("4f", 76), field("f", 108)[0], (slope, intercept),
        raw[123] & 7, qform_code, sform_code, field("6f", 256), np.array(field("12f", 280), np.float64).reshape(3, 4),
    )  # fmt: skip


def _second(raw: bytes, order: str) -> NiftiHeader:
    def field(form: str, offset: int) -> tuple[Any, ...]:
        return struct.unpack_from(order + form, raw, offset)

    qform_code, sform_code = field("2i", 344)
    slope, intercept = field("2d", 176)
    return NiftiHeader(
        2, order, field("8q", 16), field("h", 12)[0], field("4d", 104), field("q", 168)[0], (slope, intercept),
        field("i", 500)[0] & 7, qform_code, sform_code, field("6d", 352), np.array(field("12d", 400)).reshape(3, 4),
    )  # fmt: skip
