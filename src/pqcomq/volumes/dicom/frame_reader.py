"""The stored pixels of one file: opened once, frames on demand, as they are in the file."""

from __future__ import annotations

import logging
from typing import BinaryIO

import numpy as np
import pydicom
from pydicom.encaps import get_frame
from pydicom.uid import ExplicitVRBigEndian

from pqcomq.errors import InputError
from pqcomq.volumes.dicom.codecs import decode_frame
from pqcomq.volumes.dicom.headers import PlaneHeader
from pqcomq.volumes.dicom.pixel_format import PLAIN
from pqcomq.volumes.dicom.pydicom_warnings import with_pydicom_errors

logger = logging.getLogger(__name__)

MOST_PIXELS_PER_BYTE = 5000
"""No lossless or usual lossy compression goes further; a broken size would take all memory."""


class FrameReader:
    """Frames of one file, as whole numbers without slope and intercept.

    Args:
        plane: any plane of the file; where its pixels are is known from the header.
        stream: the file, open for reading.
    """

    def __init__(self, plane: PlaneHeader, stream: BinaryIO) -> None:
        self._file, self._stream, self._storage = plane.file, stream, plane.storage
        self._frames, self._shape = plane.frames, (plane.rows, plane.columns)
        self._value = b"" if self._storage.offset is not None else self._whole()
        size = len(self._value) or self._storage.length or 0
        if self._frames * plane.rows * plane.columns > MOST_PIXELS_PER_BYTE * size:
            raise InputError(f"{self._file} is damaged: it states more pixels than it can hold.")

    def frame(self, index: int) -> np.ndarray:
        """One frame, (rows, columns).

        Raises:
            InputError: it is damaged or was cut off.
        """
        if self._storage.syntax in PLAIN or pydicom.uid.UID(self._storage.syntax).is_deflated:
            pixels = self._plain(index)
        else:
            pixels = self._decoded(index)
        return _without_spare_bits(pixels, self._storage.bits_stored)

    def _whole(self) -> bytes:
        """The pixel data element's value, where only reading the file through tells where it is."""
        with with_pydicom_errors(self._file):
            dataset = pydicom.dcmread(self._stream, specific_tags=["PixelData"], force=True)
            # pydicom leaves out an element that does not end.
            value = dataset.PixelData if "PixelData" in dataset else b""
        if not value:
            raise InputError(f"{self._file} was cut off, or holds no pixels that can be read.")
        return bytes(value)

    def _plain(self, index: int) -> np.ndarray:
        pixels = np.empty(self._shape, self._storage.dtype)
        start, buffer = index * pixels.nbytes, memoryview(pixels.reshape(-1).view(np.uint8).data)
        if self._storage.offset is None or self._storage.length is None:
            content = self._value[start : start + pixels.nbytes]
            filled = len(content)
            buffer[:filled] = content
        else:
            filled = self._read(start, buffer)
        if filled < pixels.nbytes:
            raise InputError(f"{self._file} was cut off: it holds fewer pixels than it states.")
        if self._storage.syntax == ExplicitVRBigEndian and pixels.itemsize > 1:
            pixels.byteswap(inplace=True)
        return pixels

    def _read(self, start: int, buffer: memoryview) -> int:
        """Read from within the pixel data element; returns how many bytes there were."""
        offset, length = self._storage.offset or 0, self._storage.length or 0
        self._stream.seek(offset + start)
        buffer = buffer[: max(length - start, 0)]
        return int(self._stream.readinto(buffer))  # type: ignore[attr-defined]

    def _decoded(self, index: int) -> np.ndarray:
        try:
            with with_pydicom_errors(self._file):
                codestream = get_frame(self._value, index, number_of_frames=self._frames)
            return decode_frame(codestream, self._storage.syntax, self._shape, self._storage.dtype)
        except ValueError as error:
            logger.debug("decoding frame %d of %s: %s", index, self._file, error)
            raise InputError(f"{self._file} is damaged: its compressed pixels cannot be decoded.") from error


def _without_spare_bits(pixels: np.ndarray, stored: int) -> np.ndarray:
    """Bits above those stored may hold an old overlay, and are not always copies of the sign."""
    spare = 8 * pixels.dtype.itemsize - stored
    if not 0 < spare < 8 * pixels.dtype.itemsize:
        return pixels
    if not pixels.flags.writeable:
        pixels = pixels.copy()
    pixels <<= spare
    pixels >>= spare
    return pixels
