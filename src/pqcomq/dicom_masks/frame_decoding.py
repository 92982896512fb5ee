"""The pixels of a multi-frame object, a frame at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from pydicom.dataset import Dataset
from pydicom.pixels import iter_pixels
from pydicom.uid import ExplicitVRBigEndian


def decoded_frames(dataset: Dataset, indices: Sequence[int]) -> Iterator[np.ndarray]:
    """Decode some frames.

    Args:
        dataset: with its pixel data, stored in any way that pydicom decodes.
        indices: of the frames, from 0.

    Yields:
        (rows, columns) unsigned; one bit a pixel comes as uint8 0 and 1.

    Raises:
        ValueError, AttributeError: the pixel data are missing, too short, or of an unknown kind.
    """
    syntax = dataset.file_meta.TransferSyntaxUID
    if dataset.BitsAllocated == 1 and not syntax.is_encapsulated:
        if syntax == ExplicitVRBigEndian:
            raise ValueError("packed bits in the retired big-endian order")
        yield from _packed_frames(dataset, indices)
    elif indices:
        yield from iter_pixels(dataset, indices=list(indices))


def _packed_frames(dataset: Dataset, indices: Sequence[int]) -> Iterator[np.ndarray]:
    """Frames of one bit a pixel, which follow one another without a gap: one may begin in the middle of a byte.

    pydicom 3.0 gives the wrong number of pixels for such a frame when it is asked for it alone.
    """
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    packed = np.frombuffer(dataset.PixelData, np.uint8)
    if packed.size * 8 < rows * columns * int(dataset.NumberOfFrames):
        raise ValueError("pixel data too short")
    for index in indices:
        first = index * rows * columns
        held = packed[first // 8 : -(-(first + rows * columns) // 8)]
        bits = np.unpackbits(held, bitorder="little")
        yield bits[first % 8 : first % 8 + rows * columns].reshape(rows, columns)
