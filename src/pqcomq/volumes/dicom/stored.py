"""The stored pixels of one file: opened once, frames on demand, as they are in the file."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Literal

import numpy as np
import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.tag import Tag
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian, RLELossless

from pqcomq.errors import InputError
from pqcomq.volumes.dicom.codecs import DECODERS, decode_frame
from pqcomq.volumes.dicom.quiet import damage_told
from pqcomq.volumes.dicom.sources import DicomFile, Opener
from pqcomq.volumes.dicom.values import number, text

logger = logging.getLogger(__name__)

TAGS: list[str | int] = [
    "Modality", "Rows", "Columns", "NumberOfFrames", "BitsAllocated", "BitsStored", "PixelRepresentation",
    "PhotometricInterpretation", "PixelPaddingValue", "PixelPaddingRangeLimit", "RescaleSlope", "RescaleIntercept",
    "ModalityLUTSequence", "PixelData",
]  # fmt: skip
DEFERRED_BYTES = 1 << 15
"""Values beyond this size stay in the file until they are asked for: the pixels, and nothing else of ``TAGS``."""
MOST_PIXELS_PER_BYTE = 5000
"""No lossless or usual lossy compression goes further; a broken size would take all memory."""
_PIXELS = Tag("PixelData")


class StoredPixels:
    """Frames of one file, as whole numbers without slope and intercept.

    Attributes:
        header: the tags that say what the numbers mean.
        shape: rows, columns.
        dtype: type of the stored numbers.
    """

    def __init__(self, file: DicomFile, stream: BinaryIO) -> None:
        self._file, self._stream = file, stream
        with damage_told(file):
            self.header = pydicom.dcmread(stream, defer_size=DEFERRED_BYTES, specific_tags=TAGS, force=True)
            self._syntax = str(self.header.file_meta.get("TransferSyntaxUID") or ImplicitVRLittleEndian)
            if self._syntax == DeflatedExplicitVRLittleEndian:  # what was deferred is not at that place of the file
                stream.seek(0)
                self.header = pydicom.dcmread(stream, specific_tags=TAGS, force=True)
            self.shape = int(self.header.Rows), int(self.header.Columns)
            self.frames = int(self.header.get("NumberOfFrames") or 1)
            self.dtype = _dtype(self.header, file)
            self._element = self._pixels()

    def frame(self, index: int) -> np.ndarray:
        """One frame, (rows, columns).

        Raises:
            InputError: it is damaged or stored in a way that cannot be read.
        """
        if self._syntax == RLELossless or self._syntax in DECODERS:
            pixels = self._decoded(index)
        elif pydicom.uid.UID(self._syntax).is_encapsulated:
            name = pydicom.uid.UID(self._syntax).name
            raise InputError(f"{self._file} is compressed in a way that cannot be read ({name}).")
        else:
            pixels = self._plain(index)
        return _without_spare_bits(pixels, int(self.header.get("BitsStored") or 0))

    def _pixels(self) -> RawDataElement:
        """The pixel data element, all of which is in the file."""
        if _PIXELS not in self.header:
            raise InputError(f"{self._file} was cut off, or holds no pixels that can be read.")
        element = self.header.get_item(_PIXELS)
        size = len(element.value) if element.value is not None else element.length
        if self.frames * self.shape[0] * self.shape[1] > MOST_PIXELS_PER_BYTE * size:
            raise InputError(f"{self._file} is damaged: it states more pixels than it can hold.")
        if element.value is None and self._stream.seek(0, 2) < element.value_tell + element.length:
            raise InputError(f"{self._file} was cut off in its pixels.")
        return element

    def _plain(self, index: int) -> np.ndarray:
        count = self.shape[0] * self.shape[1]
        size, start = count * self.dtype.itemsize, index * count * self.dtype.itemsize
        order: Literal["<", ">"] = ">" if self._syntax == ExplicitVRBigEndian else "<"
        if self._element.value is not None:
            content = memoryview(self._element.value)[start : start + size]
        else:
            self._stream.seek(self._element.value_tell + start)
            content = memoryview(self._stream.read(min(size, self._element.length - start)))
        if len(content) < size:
            raise InputError(f"{self._file} is damaged: it holds fewer pixels than it states.")
        pixels = np.frombuffer(content, self.dtype.newbyteorder(order)).reshape(self.shape)
        if self.dtype.itemsize == 1 and order == ">":
            # Big-endian files swap the bytes of 16-bit words, also where a pixel is one byte (OW).
            return pixels if self._element.VR == "OB" else pixels.reshape(-1, 2)[:, ::-1].reshape(self.shape)
        return pixels

    def _decoded(self, index: int) -> np.ndarray:
        try:
            with damage_told(self._file):
                codestream = get_frame(self._element.value, index, number_of_frames=self.frames)
            return decode_frame(codestream, self._syntax, self.shape, self.dtype)
        except ValueError as error:
            logger.debug("decoding frame %d of %s: %s", index, self._file, error)
            raise InputError(f"{self._file} is damaged: its compressed pixels cannot be decoded.") from error


@contextmanager
def stored_pixels(file: DicomFile, opener: Opener) -> Iterator[StoredPixels]:
    """The pixels of a file, for the length of a ``with`` block.

    Raises:
        InputError: the file is damaged, cut off, or holds no pixels.
    """
    with opener.seekable(file) as stream:
        yield StoredPixels(file, stream)


def _dtype(header: Dataset, file: DicomFile) -> np.dtype:
    bits = int(number(header, "BitsAllocated") or 0)
    if bits not in (8, 16, 32):
        raise InputError(f"{file} stores {bits} bits a pixel, which cannot be read.")
    return np.dtype(f"{'i' if header.get('PixelRepresentation') else 'u'}{bits // 8}")


def _without_spare_bits(pixels: np.ndarray, stored: int) -> np.ndarray:
    """Bits above those stored may hold an old overlay, and are not always copies of the sign."""
    spare = 8 * pixels.dtype.itemsize - stored
    if not 0 < spare < 8 * pixels.dtype.itemsize:
        return pixels
    return (pixels.astype(pixels.dtype.newbyteorder("="), copy=False) << spare) >> spare


def is_turned(header: Dataset) -> bool:
    """Whether the lowest number is to be shown white."""
    return text(header, "PhotometricInterpretation") == "MONOCHROME1"
