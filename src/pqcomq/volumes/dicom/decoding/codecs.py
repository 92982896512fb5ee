"""The decoders by name; imported in the process that decodes.

imagecodecs wraps the reference decoders (libjpeg-turbo, CharLS, OpenJPEG); on damaged data they fail at once, where
GDCM, which SimpleITK would use, may search a file byte by byte for many seconds. pydicom's decoders are plug-ins for
three packages more, one of them under the GPL, or for GDCM again.
"""

from __future__ import annotations

from collections.abc import Callable

import imagecodecs
import numpy as np

CODECS: dict[str, Callable[[bytes], np.ndarray]] = {
    "JPEG": lambda codestream: imagecodecs.jpeg8_decode(codestream),
    "JPEG-LS": lambda codestream: imagecodecs.jpegls_decode(codestream),
    "JPEG 2000": lambda codestream: imagecodecs.jpeg2k_decode(codestream),
}
"""Each takes one frame's codestream and gives (rows, columns); imagecodecs loads a library when it is first called."""
RUN_LENGTHS = "run lengths"


def decode(codec: str, codestream: bytes, shape: tuple[int, int], dtype: np.dtype) -> np.ndarray:
    """Decode one frame.

    Args:
        codec: ``RUN_LENGTHS`` or one of ``CODECS``.
        codestream: its compressed bytes.
        shape: rows, columns as the header states them.
        dtype: type of the stored pixels, as the header states it.

    Returns:
        (rows, columns) of ``dtype``.

    Raises:
        ValueError: the frame is damaged, or other than the header states.
    """
    try:
        if codec == RUN_LENGTHS:
            return _run_lengths(codestream, shape, dtype)
        pixels = CODECS[codec](codestream)
    except RuntimeError as error:  # what all of imagecodecs' errors are
        raise ValueError(str(error)) from error
    if pixels.shape != shape:
        raise ValueError(f"{pixels.shape} pixels instead of {shape}")
    if pixels.dtype.itemsize > dtype.itemsize:
        raise ValueError(f"{pixels.dtype} instead of {dtype}")
    # The codestream knows its own sign; the header's view of the same bits is the one that holds.
    return pixels.astype(dtype, copy=False)


def _run_lengths(codestream: bytes, shape: tuple[int, int], dtype: np.dtype) -> np.ndarray:
    content = imagecodecs.dicomrle_decode(codestream, dtype.newbyteorder("<"))
    values = np.frombuffer(content, dtype.newbyteorder("<"))
    if values.size < shape[0] * shape[1]:
        raise ValueError(f"{values.size} pixels instead of {shape}")
    return values[: shape[0] * shape[1]].reshape(shape).astype(dtype, copy=False)
