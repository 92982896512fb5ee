"""The stored pixels of one file: opened once, frames on demand, as they are in the file."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import BinaryIO

import numpy as np
import pydicom
from pydicom.encaps import generate_fragments, get_frame, parse_basic_offsets
from pydicom.uid import ExplicitVRBigEndian

from pqcomq.errors import InputError
from pqcomq.volumes.dicom.decoding.decode import decode_frame
from pqcomq.volumes.dicom.deflated import MOST_HEADER_BYTES, plain_stream
from pqcomq.volumes.dicom.headers import PlaneHeader
from pqcomq.volumes.dicom.pixels.pixel_format import PLAIN, frames_note
from pqcomq.volumes.dicom.pydicom_warnings import with_pydicom_errors

logger = logging.getLogger(__name__)

MOST_PIXELS_PER_BYTE = 5000
"""No lossless or usual lossy compression of a picture goes further; a broken size would take all memory."""
MOST_OF_NOTHING, LEAST_OF_A_FRAME = 1 << 24, 40
"""Pixels of a frame that a few bytes may stand for, as where it is blank, and the bytes that it takes at the least."""


ITEM = b"\xfe\xff\x00\xe0"
"""How an item begins, in which compressed frames lie."""
BEYOND = "Bits beyond those stored hold something, an old overlay or larger values; they were left out."
CODESTREAMS = (b"\xff\xd8", b"\xff\x4f")
"""How JPEG, JPEG-LS and JPEG 2000 begin."""


class FrameReader:
    """Frames of one file, as whole numbers without slope and intercept; ``notes`` says what was odd about them.

    Args:
        plane: any plane of the file; where its pixels are is known from the header.
        stream: the file, open for reading.
    """

    def __init__(self, plane: PlaneHeader, stream: BinaryIO) -> None:
        self._file, self._stream, self._storage = plane.file, stream, plane.storage
        self._frames, self._shape = plane.frames, (plane.rows, plane.columns)
        self._title = "its pixels" if plane.instance_number is None else f"slice {plane.instance_number}"
        self._value = b"" if self._storage.offset is not None else self._whole()
        self.notes: list[str] = []
        size = len(self._value) or self._storage.length or 0
        blank = min(plane.rows * plane.columns, MOST_OF_NOTHING) * min(self._frames, size // LEAST_OF_A_FRAME)
        if self._frames * plane.rows * plane.columns > max(MOST_PIXELS_PER_BYTE * size, blank):
            raise InputError("The file is damaged: it states more pixels than it can hold.", self._file)
        if self._storage.syntax in PLAIN:
            self._unwrap(plane.rows * plane.columns * self._storage.dtype.itemsize * self._frames)
        if self._value and (found := self._held(plane.rows * plane.columns)) > self._frames:
            self.notes.append(frames_note(found, self._frames))

    def frame(self, index: int, room: np.ndarray | None = None) -> np.ndarray:
        """One frame, (rows, columns).

        Args:
            index: of the frame in the file.
            room: (rows, columns) of whole numbers whose memory the frame may take, where it fits; a new array for each
                of many frames costs as much as reading them.

        Raises:
            InputError: it is damaged or was cut off.
        """
        if self._storage.syntax in PLAIN or pydicom.uid.UID(self._storage.syntax).is_deflated:
            pixels = self._plain(index, room)
        else:
            pixels = self._decoded(index, room)
        if _reach_beyond(pixels, self._storage.bits_stored + self._storage.shift) and BEYOND not in self.notes:
            self.notes.append(BEYOND)
        return _without_spare_bits(pixels, self._storage.bits_stored, self._storage.shift)

    def _whole(self) -> bytes:
        """The pixel data element's value, where only reading the file through tells where it is."""
        with with_pydicom_errors(self._file):
            declared = self._frames * self._shape[0] * self._shape[1] * 4
            stream = plain_stream(self._stream, MOST_HEADER_BYTES + declared)
            dataset = pydicom.dcmread(stream, specific_tags=["PixelData"], force=True)
            # pydicom leaves out an element that does not end.
            value = dataset.PixelData if "PixelData" in dataset else b""
        if not value:
            raise InputError("The file was cut off, or holds no pixels that can be read.", self._file)
        return bytes(value)

    def _unwrap(self, expected: int) -> None:
        """Take pixels out of the items of a compressed file where the file says that it is not compressed.

        Args:
            expected: bytes of all frames.
        """
        if self._storage.offset is not None:
            length = self._storage.length or 0
            if length <= expected + 1:
                return
            self._stream.seek(self._storage.offset)
            if self._stream.read(len(ITEM)) != ITEM:
                return
            self._stream.seek(self._storage.offset)
            self._value = self._stream.read(length)
        if not self._value.startswith(ITEM):
            return
        with with_pydicom_errors(self._file):
            content = b"".join(list(generate_fragments(self._value))[1:])  # the first is the table of offsets
        if len(content) not in (expected, expected + 1):
            raise InputError(
                "The file says that its pixels are not compressed, but they are, or lie in pieces of another size.",
                self._file,
            )
        self._value = content
        self._storage = replace(self._storage, offset=None, length=None)
        self.notes.append("Pixels lie in items though the file says they are not compressed; they were taken out.")

    def _held(self, pixels: int) -> int:
        """How many frames of so many pixels a value holds that was read whole."""
        if self._storage.syntax in PLAIN or pydicom.uid.UID(self._storage.syntax).is_deflated:
            return len(self._value) // max(pixels * self._storage.dtype.itemsize, 1)
        return self._encoded()

    def _encoded(self) -> int:
        """How many frames the compressed pixel data hold, as far as their offsets or their beginnings tell."""
        with with_pydicom_errors(self._file):
            offsets = parse_basic_offsets(self._value)
            if offsets or self._frames > 1:
                return len(offsets)
            begun = [piece[:2] in CODESTREAMS for piece in generate_fragments(self._value)][1:]
        return len(begun) if all(begun) else 1

    def _plain(self, index: int, room: np.ndarray | None) -> np.ndarray:
        pixels = self._array(room)
        start, buffer = index * pixels.nbytes, memoryview(pixels.reshape(-1).view(np.uint8).data)
        if self._storage.offset is None or self._storage.length is None:
            content = self._value[start : start + pixels.nbytes]
            filled = len(content)
            buffer[:filled] = content
        elif self._storage.syntax == ExplicitVRBigEndian and pixels.itemsize == 1 and self._is_in_words():
            words = np.zeros(pixels.size // 2 + 1, np.uint16)  # the frame may begin and end in the middle of one
            filled = self._read(start - start % 2, words.view(np.uint8).data) - start % 2
            buffer[:] = words.byteswap().view(np.uint8).data[start % 2 : start % 2 + pixels.size]
        else:
            filled = self._read(start, buffer)
        if filled < pixels.nbytes:
            raise InputError("The file was cut off: it holds fewer pixels than it states.", self._file)
        if self._storage.syntax == ExplicitVRBigEndian and pixels.itemsize > 1:
            pixels.byteswap(inplace=True)
        return pixels

    def _is_in_words(self) -> bool:
        """Whether the pixel data are words (OW), whose two bytes stand the other way round in big-endian files."""
        self._stream.seek((self._storage.offset or 0) - 8)
        return self._stream.read(2) == b"OW"

    def _array(self, room: np.ndarray | None) -> np.ndarray:
        """An array for a frame, in ``room`` where that is one piece of numbers of the same size."""
        fits = (
            room is not None
            and room.dtype.kind in "iu"
            and room.itemsize == self._storage.dtype.itemsize
            and room.flags.c_contiguous
        )
        return (
            room.view(self._storage.dtype) if fits and room is not None else np.empty(self._shape, self._storage.dtype)
        )

    def _read(self, start: int, buffer: memoryview) -> int:
        """Read from within the pixel data element; returns how many bytes there were."""
        offset, length = self._storage.offset or 0, self._storage.length or 0
        self._stream.seek(offset + start)
        buffer = buffer[: max(length - start, 0)]
        return int(self._stream.readinto(buffer))  # type: ignore[attr-defined]

    def _decoded(self, index: int, room: np.ndarray | None) -> np.ndarray:
        shown = f"frame {index + 1}" if self._frames > 1 else self._title
        try:
            with with_pydicom_errors(self._file):
                codestream = get_frame(self._value, index, number_of_frames=self._frames)
            told = (shown, self._file)
            return decode_frame(
                codestream, self._storage.syntax, self._shape, self._storage.dtype, told, self._array(room)
            )
        except InputError:
            raise
        except ValueError as error:
            logger.debug("decoding frame %d of %s: %s", index, self._file, error)
            raise InputError("The file is damaged: its compressed pixels cannot be decoded.", self._file) from error


def _reach_beyond(pixels: np.ndarray, bits: int) -> bool:
    """Whether numbers take more than so many bits, apart from copies of the sign."""
    if not 0 < bits < 8 * pixels.dtype.itemsize or not pixels.size:
        return False
    return bool(pixels.max() >> bits or pixels.min() < -(1 << (bits - 1)))


def _without_spare_bits(pixels: np.ndarray, stored: int, shift: int) -> np.ndarray:
    """Bits above and below those stored may hold an old overlay; those above are not always copies of the sign."""
    spare = 8 * pixels.dtype.itemsize - stored
    if not 0 < spare < 8 * pixels.dtype.itemsize:
        return pixels
    if not pixels.flags.writeable:
        pixels = pixels.copy()
    pixels <<= spare - shift
    pixels >>= spare
    return pixels
