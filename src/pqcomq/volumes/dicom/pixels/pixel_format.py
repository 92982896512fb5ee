"""How a file stores its pixels, and what the stored numbers mean: all that its header says of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pydicom import uid
from pydicom.dataset import Dataset

from pqcomq.volumes.dicom.decoding.decode import CODEC_OF
from pqcomq.volumes.dicom.elements import number, text, whole_number

AIR = -1024
"""Hounsfield units given to what lies outside a CT's field of view."""
MEASURED = frozenset({"CT", "PT"})
"""Modalities whose numbers have a unit, which turning them round would destroy."""
PLAIN = frozenset({uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian})
"""Transfer syntaxes in which pixels lie in the file as they are."""
READABLE = frozenset({*PLAIN, uid.DeflatedExplicitVRLittleEndian, *CODEC_OF})

STORAGE_TAGS = (
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PhotometricInterpretation", "PixelPaddingValue",
    "PixelPaddingRangeLimit", "RescaleSlope", "RescaleIntercept", "RescaleType", "ModalityLUTSequence",
)  # fmt: skip


NO_SLOPE = "The rescale slope is 0, which would make all values one; 1 is used instead."
LOST_SLOPE = "There is a rescale intercept without a slope, which is taken for 1, so that the values are in doubt."
NO_SIGN = "The header does not say whether values have a sign (PixelRepresentation); they are taken to have none."
NO_INTERCEPT = "A CT's rescale intercept is missing, so that its values may be no Hounsfield units."
LONGER = "The pixel data are longer than rows and columns ask for, so that their numbers may be wrong."
_HOUNSFIELD = frozenset({"", "HU", "HU_MOD", "US"})
"""Units (RescaleType) of a CT whose values are taken for Hounsfield units; US stands for none that is specified."""


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
        shift: bits below those stored.
        offset, length: where the pixels are in the file, in bytes; None where only decoding it tells.
        scale: slope and intercept; None where ``table`` says what the numbers mean.
        table: what the numbers mean, one after the other from ``table_from`` on; None where there is no table.
        table_from: the stored number that the table begins with.
        states_scale: whether it says what scale or table.
        padding: lowest and highest stored number that is not a part of the picture; None where there is none.
        fill: what stands there instead.
        turned: whether bright and dark are to be exchanged.
        notes: what is odd about it, a sentence each.
    """

    syntax: str
    bits_allocated: int
    bits_stored: int
    signed: bool
    shift: int
    offset: int | None
    length: int | None
    scale: Scale | None
    table: tuple[int, ...] | None
    table_from: int
    states_scale: bool
    padding: tuple[int, int] | None
    fill: int
    turned: bool
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, dataset: Dataset, syntax: str) -> PixelFormat:
        """As a header says, and the transfer syntax; still without a place in the file."""
        modality = text(dataset, "Modality")
        allocated = whole_number(dataset, "BitsAllocated") or 0
        sign = dataset.get("PixelRepresentation")
        signed = bool(sign)
        stored = whole_number(dataset, "BitsStored") or allocated
        high = whole_number(dataset, "HighBit")
        shift, notes = _shift(stored, high)
        notes += (NO_SIGN,) if sign is None else ()
        scale, states_scale, (table, first) = None, True, _table(dataset, signed)
        if table is None:
            slope, intercept = number(dataset, "RescaleSlope"), number(dataset, "RescaleIntercept")
            states_scale = slope is not None or intercept is not None
            scale = Scale(1.0 if slope is None or slope == 0 else slope, intercept or 0.0)
            notes += (NO_SLOPE,) if slope == 0 else (LOST_SLOPE,) if slope is None and intercept else ()
            notes += (NO_INTERCEPT,) if intercept is None and modality == "CT" else ()
        notes += unit_notes(modality, text(dataset, "RescaleType"))
        turned = text(dataset, "PhotometricInterpretation") == "MONOCHROME1" and modality not in MEASURED
        return cls(
            syntax, allocated, stored, signed, shift, None, None, scale, table, first, states_scale,
            _padding(dataset, allocated, signed), fill_of(modality), turned, notes,
        )  # fmt: skip

    def at(self, place: tuple[int, int] | None, shape: tuple[int, int], frames: int) -> PixelFormat:
        """The same at a place in a file.

        Args:
            place: offset and length of the pixel data; None if no length is stated.
            shape: rows and columns of one frame.
            frames: that the file states.
        """
        if place is None or self.syntax not in PLAIN:
            return self
        line, size = (pixels * self.bits_allocated // 8 for pixels in (min(shape), shape[0] * shape[1]))
        found = place[1] // max(size, 1)
        noted = self
        if found > frames:
            noted = self.noting(frames_note(found, frames))
        elif size and place[1] - size * frames >= line:  # less than a line is filling
            noted = self.noting(LONGER)
        return replace(noted, offset=place[0], length=place[1])

    def noting(self, note: str) -> PixelFormat:
        """The same with one note more."""
        return self if note in self.notes else replace(self, notes=(*self.notes, note))

    def without(self, note: str) -> PixelFormat:
        """The same without a note that turned out not to hold."""
        return replace(self, notes=tuple(each for each in self.notes if each != note)) if note in self.notes else self

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
        if not 0 < self.bits_stored + self.shift <= self.bits_allocated:
            told = f"{self.bits_stored} bits stored from bit {self.shift} on, {self.bits_allocated} allocated"
            return f"contradicts itself on its bits ({told})"
        if self.shift and self.syntax not in PLAIN:
            return f"is compressed, but states that values begin at bit {self.shift}, so that they are in doubt"
        return None


def _shift(stored: int, high: int | None) -> tuple[int, tuple[str, ...]]:
    """Bits below those stored, by the highest bit, and what is odd about it."""
    if high is None or high == stored - 1:
        return 0, ()
    told = f"BitsStored {stored}, HighBit {high}"
    if high > stored - 1:
        return high + 1 - stored, (f"Values lie in the upper bits ({told}), as old files have it; they were shifted.",)
    return 0, (f"The header contradicts itself on the bits of a value ({told}); BitsStored is used.",)


def unit_notes(modality: str, unit: str) -> tuple[str, ...]:
    """What is odd about the unit of a CT's values: maps of iodine, density or atomic number are CTs too.

    Examples:
        >>> unit_notes("CT", "Z_EFF")
        ("Values are in 'Z_EFF' and no Hounsfield units, for which the windows of CT are.",)
        >>> unit_notes("CT", "HU")
        ()
    """
    if modality != "CT" or unit.upper() in _HOUNSFIELD:
        return ()
    return (f"Values are in '{unit}' and no Hounsfield units, for which the windows of CT are.",)


def frames_note(found: int, stated: int) -> str:
    """That a file holds more frames than it states."""
    frames = "1 frame" if stated == 1 else f"{stated} frames"
    return f"The pixel data hold {found} frames, but the header states {frames}; the others are not shown."


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
