"""How a file stores its pixels, and what the stored numbers mean: all that its header says of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pydicom import uid
from pydicom.dataset import Dataset

from pqcomq.volumes.dicom.codecs import DECODERS
from pqcomq.volumes.dicom.elements import number, text

AIR = -1024
"""Hounsfield units given to what lies outside a CT's field of view."""
MEASURED = frozenset({"CT", "PT"})
"""Modalities whose numbers have a unit, which turning them round would destroy."""
PLAIN = frozenset({uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian})
"""Transfer syntaxes in which pixels lie in the file as they are."""
READABLE = frozenset({*PLAIN, uid.DeflatedExplicitVRLittleEndian, uid.RLELossless, *DECODERS})

STORAGE_TAGS = (
    "BitsAllocated", "BitsStored", "PixelRepresentation", "PhotometricInterpretation", "PixelPaddingValue",
    "PixelPaddingRangeLimit", "RescaleSlope", "RescaleIntercept", "ModalityLUTSequence",
)  # fmt: skip


@dataclass(frozen=True)
class Scale:
    """Slope and intercept from stored to real numbers."""

    slope: float
    intercept: float

    @property
    def is_whole(self) -> bool:
        """Whether whole numbers stay whole."""
        return self.slope.is_integer() and self.intercept.is_integer()


@dataclass(frozen=True)
class PixelFormat:
    """The pixels of one file.

    Attributes:
        syntax: UID of the transfer syntax.
        bits_allocated, bits_stored, signed: of each stored number.
        offset, length: where the pixels are in the file, in bytes; None where only decoding it tells.
        scale: slope and intercept; None where ``table`` says what the numbers mean.
        table: what the numbers mean, one after the other from ``table_from`` on; None where there is no table.
        table_from: the stored number that the table begins with.
        padding: lowest and highest stored number that is not a part of the picture; None where there is none.
        fill: what stands there instead.
        turned: whether bright and dark are to be exchanged.
    """

    syntax: str
    bits_allocated: int
    bits_stored: int
    signed: bool
    offset: int | None
    length: int | None
    scale: Scale | None
    table: tuple[int, ...] | None
    table_from: int
    padding: tuple[int, int] | None
    fill: int
    turned: bool

    @classmethod
    def of(cls, dataset: Dataset, syntax: str) -> PixelFormat:
        """As a header says, and the transfer syntax; still without a place in the file."""
        modality = text(dataset, "Modality")
        allocated = int(number(dataset, "BitsAllocated") or 0)
        signed = bool(dataset.get("PixelRepresentation"))
        scale, (table, first) = None, _table(dataset, signed)
        if table is None:
            slope, intercept = number(dataset, "RescaleSlope"), number(dataset, "RescaleIntercept")
            scale = Scale(1.0 if slope is None else slope, intercept or 0.0)
        turned = text(dataset, "PhotometricInterpretation") == "MONOCHROME1" and modality not in MEASURED
        return cls(
            syntax, allocated, int(number(dataset, "BitsStored") or allocated), signed, None, None, scale, table, first,
            _padding(dataset, allocated, signed), fill_of(modality), turned,
        )  # fmt: skip

    def at(self, place: tuple[int, int] | None) -> PixelFormat:
        """The same at a place in a file: offset and length of the pixels, None if no length is stated."""
        if place is None or self.syntax not in PLAIN:
            return self
        return replace(self, offset=place[0], length=place[1])

    @property
    def dtype(self) -> np.dtype:
        """Type of the stored numbers, in this machine's byte order."""
        return np.dtype(f"{'i' if self.signed else 'u'}{self.bits_allocated // 8}")

    @property
    def refusal(self) -> str | None:
        """Why the pixels cannot be read, as the rest of a sentence; None if they can."""
        if self.syntax not in READABLE:
            return f"is compressed in a way that cannot be read ({_syntax_name(self.syntax)})"
        if self.bits_allocated not in (8, 16, 32):
            return f"stores {self.bits_allocated} bits a pixel, which cannot be read"
        return None


def fill_of(modality: str) -> int:
    """The number that stands for nothing: air in CT, no signal elsewhere."""
    return AIR if modality == "CT" else 0


def _syntax_name(syntax: str) -> str:
    name: Any = uid.UID(syntax).name
    return str(name)


def _table(dataset: Dataset, signed: bool) -> tuple[tuple[int, ...] | None, int]:
    """A modality lookup table and the number that it begins with."""
    for item in dataset.get("ModalityLUTSequence") or []:
        count, first, bits = (int(value) for value in item.LUTDescriptor)
        data = item.LUTData
        if isinstance(data, bytes):
            order = ">" if dataset.original_encoding[1] is False else "<"
            data = np.frombuffer(data, f"{order}u{1 if bits <= 8 and len(data) == count else 2}")
        if len(data) < (count or 1 << 16):
            raise ValueError(f"a table of {len(data)} instead of {count} values")
        return tuple(int(value) for value in data), first - (1 << 16) if signed and first >= 1 << 15 else first
    return None, 0


def _padding(dataset: Dataset, allocated: int, signed: bool) -> tuple[int, int] | None:
    value, limit = number(dataset, "PixelPaddingValue"), number(dataset, "PixelPaddingRangeLimit")
    if value is None or allocated == 0:
        return None
    ends = [int(end) % (1 << allocated) for end in (value, value if limit is None else limit)]
    # Some writers give the bits of a negative number as an unsigned one.
    if signed:
        ends = [end - (1 << allocated) if end >> (allocated - 1) else end for end in ends]
    return min(ends), max(ends)
