"""One compressed frame as numbers: the one decoder for images and for segmentations.

imagecodecs wraps the reference decoders (libjpeg-turbo, CharLS, OpenJPEG); on damaged data they fail at once, where
GDCM, which SimpleITK would use, may search a file byte by byte for many seconds. pydicom's decoders are plug-ins for
three packages more, one of them under the GPL, or for GDCM again.
"""

from __future__ import annotations

from collections.abc import Callable

import imagecodecs
import numpy as np
from pydicom import uid

_Decode = Callable[[bytes], np.ndarray]

DECODERS: dict[str, _Decode] = {
    uid.JPEGBaseline8Bit: imagecodecs.jpeg8_decode,
    uid.JPEGExtended12Bit: imagecodecs.jpeg8_decode,
    uid.JPEGLossless: imagecodecs.jpeg8_decode,
    uid.JPEGLosslessSV1: imagecodecs.jpeg8_decode,
    uid.JPEGLSLossless: imagecodecs.jpegls_decode,
    uid.JPEGLSNearLossless: imagecodecs.jpegls_decode,
    uid.JPEG2000Lossless: imagecodecs.jpeg2k_decode,
    uid.JPEG2000: imagecodecs.jpeg2k_decode,
    uid.HTJ2KLossless: imagecodecs.jpeg2k_decode,
    uid.HTJ2KLosslessRPCL: imagecodecs.jpeg2k_decode,
    uid.HTJ2K: imagecodecs.jpeg2k_decode,
}
"""Decoders by transfer syntax; each takes one frame's codestream and gives (rows, columns)."""


def decode_frame(codestream: bytes, transfer_syntax: str, shape: tuple[int, int], dtype: np.dtype) -> np.ndarray:
    """Decode one frame.

    Args:
        codestream: its compressed bytes.
        transfer_syntax: UID; run-length encoding or one of ``DECODERS``.
        shape: rows, columns as the header states them.
        dtype: type of the stored pixels, as the header states it.

    Returns:
        (rows, columns) of ``dtype``.

    Raises:
        ValueError: the frame is damaged, other than the header states, or compressed in an unknown way.
    """
    if transfer_syntax == uid.RLELossless:
        return _run_lengths(codestream, shape, dtype)
    if transfer_syntax not in DECODERS:
        raise ValueError(f"no decoder for transfer syntax {transfer_syntax}")
    try:
        pixels: np.ndarray = DECODERS[transfer_syntax](codestream)
    except RuntimeError as error:  # what all of imagecodecs' errors are
        raise ValueError(str(error)) from error
    if pixels.shape != shape:
        raise ValueError(f"{pixels.shape} pixels instead of {shape}")
    # The codestream knows its own sign and width; the header's view of the same bits is the one that holds.
    return pixels.astype(dtype, copy=False)


def _run_lengths(codestream: bytes, shape: tuple[int, int], dtype: np.dtype) -> np.ndarray:
    try:
        content = imagecodecs.dicomrle_decode(codestream, dtype.newbyteorder("<"))
    except RuntimeError as error:
        raise ValueError(str(error)) from error
    values = np.frombuffer(content, dtype.newbyteorder("<"))
    if values.size < shape[0] * shape[1]:
        raise ValueError(f"{values.size} pixels instead of {shape}")
    return values[: shape[0] * shape[1]].reshape(shape).astype(dtype, copy=False)
