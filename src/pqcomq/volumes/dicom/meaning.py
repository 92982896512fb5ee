"""What stored pixels mean: slope and intercept or a table, padding, and which end is bright."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_modality_lut

from pqcomq.volumes.dicom.stored import StoredPixels, is_turned
from pqcomq.volumes.dicom.values import number, text

AIR = -1024
"""Hounsfield units given to what lies outside a CT's field of view."""
MEASURED = frozenset({"CT", "PT"})
"""Modalities whose numbers have a unit, which turning them round would destroy."""


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
class Meaning:
    """How to read the numbers of one file.

    Attributes:
        scale: slope and intercept; None where a table says what the numbers mean.
        padding: lowest and highest stored number that is not a part of the picture; None where there is none.
        fill: what stands there instead.
        turned: lowest plus highest number that can be stored, where bright and dark are to be exchanged.
        header: where the table is.
    """

    scale: Scale | None
    padding: tuple[int, int] | None
    fill: int
    turned: int | None
    header: Dataset

    @classmethod
    def of(cls, pixels: StoredPixels) -> Meaning:
        """As a file's header says."""
        header, info = pixels.header, np.iinfo(pixels.dtype)
        modality = text(header, "Modality")
        scale = None
        if not header.get("ModalityLUTSequence"):
            slope, intercept = number(header, "RescaleSlope"), number(header, "RescaleIntercept")
            scale = Scale(1.0 if slope is None else slope, intercept or 0.0)
        turned = None
        if is_turned(header) and modality not in MEASURED:
            bits = int(number(header, "BitsStored") or info.bits)
            turned = -1 if info.min < 0 else (1 << bits) - 1
        return cls(scale, _padding(header, pixels.dtype), fill_of(modality), turned, header)

    def real(self, stored: np.ndarray, own: Scale | None) -> tuple[np.ndarray, int]:
        """Real numbers of a frame, int64 or float32 of the same shape, and how many pixels are padding.

        Args:
            stored: (rows, columns) as in the file.
            own: the frame's own scale, in place of the file's.
        """
        outside = None
        if self.padding is not None:
            outside = (stored >= self.padding[0]) & (stored <= self.padding[1])
        scale = own or self.scale
        if self.turned is not None:
            stored = self.turned - stored.astype(np.int64)
        values = _scaled(stored, scale) if scale is not None else np.asarray(apply_modality_lut(stored, self.header))
        if outside is None or not (count := int(np.count_nonzero(outside))):
            return values, 0
        return np.where(outside, values.dtype.type(self.fill), values), count


def fill_of(modality: str) -> int:
    """The number that stands for nothing: air in CT, no signal elsewhere."""
    return AIR if modality == "CT" else 0


def _scaled(stored: np.ndarray, scale: Scale) -> np.ndarray:
    if scale.is_whole:
        wide = np.int32 if stored.dtype.itemsize <= 2 and abs(scale.slope) < 1 << 14 else np.int64
        if scale == Scale(1.0, 0.0):
            return stored
        values: np.ndarray = stored.astype(wide)
        values *= int(scale.slope)
        values += int(scale.intercept)
        return values
    return (stored * scale.slope + scale.intercept).astype(np.float32)


def _padding(header: Dataset, dtype: np.dtype) -> tuple[int, int] | None:
    value, limit = number(header, "PixelPaddingValue"), number(header, "PixelPaddingRangeLimit")
    if value is None:
        return None
    # Some writers give the bits of a negative number as an unsigned one.
    bits = [int(end) & 0xFFFFFFFF for end in (value, value if limit is None else limit)]
    ends = np.array(bits, np.uint32).astype(dtype)
    return int(ends.min()), int(ends.max())
