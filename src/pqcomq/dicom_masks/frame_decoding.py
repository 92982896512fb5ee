"""The pixels of a multi-frame object, a frame at a time, decoded as the images are.

Packed bits and frames that lie in the file as they are take a line of NumPy each; compressed frames go to the
decoders, :mod:`pqcomq.volumes.dicom.decoding.decode`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.uid import ExplicitVRBigEndian

from pqcomq.volumes.dicom.decoding.decode import decode_frame


def decoded_frames(dataset: Dataset, indices: Sequence[int], path: Path) -> Iterator[np.ndarray]:
    """Decode some frames.

    Args:
        dataset: with its pixel data, plain, deflated or compressed frame by frame.
        indices: of the frames, from 0.
        path: of the file, for messages.

    Yields:
        (rows, columns) unsigned; one bit a pixel comes as uint8 0 and 1.

    Raises:
        InputError: a decoder died of a frame.
        ValueError, AttributeError: the pixel data are missing, too short, or of an unknown kind.
    """
    syntax = dataset.file_meta.TransferSyntaxUID
    bits, shape = int(dataset.BitsAllocated), (int(dataset.Rows), int(dataset.Columns))
    if bits not in (1, 8, 16):
        raise ValueError(f"{bits} bits a pixel")
    dtype = np.dtype(f"u{max(bits // 8, 1)}")
    if syntax.is_encapsulated:
        for index in indices:
            codestream = get_frame(dataset.PixelData, index, number_of_frames=int(dataset.NumberOfFrames))
            yield decode_frame(codestream, syntax, shape, dtype, (f"frame {index + 1}", path))
        return
    if bits == 1:
        if syntax == ExplicitVRBigEndian:
            raise ValueError("packed bits in the retired big-endian order")
        yield from _packed_frames(dataset, indices, shape)
        return
    order: Literal["<", ">"] = ">" if syntax == ExplicitVRBigEndian else "<"
    size, count = shape[0] * shape[1], int(dataset.NumberOfFrames)
    stored = np.frombuffer(dataset.PixelData, dtype.newbyteorder(order), size * count)  # too few are a ValueError
    for index in indices:
        yield stored[index * size : (index + 1) * size].reshape(shape).astype(dtype)


def _packed_frames(dataset: Dataset, indices: Sequence[int], shape: tuple[int, int]) -> Iterator[np.ndarray]:
    """Frames of one bit a pixel, which follow one another without a gap: one may begin in the middle of a byte."""
    size = shape[0] * shape[1]
    packed = np.frombuffer(dataset.PixelData, np.uint8)
    if packed.size * 8 < size * int(dataset.NumberOfFrames):
        raise ValueError("pixel data too short")
    for index in indices:
        first = index * size
        bits = np.unpackbits(packed[first // 8 : -(-(first + size) // 8)], bitorder="little")
        yield bits[first % 8 : first % 8 + size].reshape(shape)
