"""One compressed frame as numbers: the one door to the decoders, for images and for segmentations."""

from __future__ import annotations

import numpy as np
from pydicom import uid

from pqcomq.atomic_files import why
from pqcomq.errors import InputError
from pqcomq.volumes.dicom.decoding.decoder_process import DecoderEndedError
from pqcomq.volumes.dicom.decoding.decoders import can_start_processes, decoders

CODEC_OF: dict[str, str] = {
    uid.RLELossless: "run lengths",
    uid.JPEGBaseline8Bit: "JPEG",
    uid.JPEGExtended12Bit: "JPEG",
    uid.JPEGLossless: "JPEG",
    uid.JPEGLosslessSV1: "JPEG",
    uid.JPEGLSLossless: "JPEG-LS",
    uid.JPEGLSNearLossless: "JPEG-LS",
    uid.JPEG2000Lossless: "JPEG 2000",
    uid.JPEG2000: "JPEG 2000",
    uid.HTJ2KLossless: "JPEG 2000",
    uid.HTJ2KLosslessRPCL: "JPEG 2000",
    uid.HTJ2K: "JPEG 2000",
}
"""Decoders by transfer syntax."""


def decode_frame(
    codestream: bytes,
    transfer_syntax: str,
    shape: tuple[int, int],
    dtype: np.dtype,
    told: tuple[str, object],
    room: np.ndarray | None = None,
) -> np.ndarray:
    """Decode one frame.

    Args:
        codestream: its compressed bytes.
        transfer_syntax: UID; one of ``CODEC_OF``.
        shape: rows, columns as the header states them.
        dtype: type of the stored pixels, as the header states it.
        told: what is read, e.g. ``"slice 12"``, and the file, for a message.
        room: (rows, columns) of ``dtype`` to put them in; a new array by default.

    Returns:
        (rows, columns) of ``dtype``.

    Raises:
        ValueError: the frame is damaged, other than the header states, or compressed in an unknown way.
        InputError: the decoder died of it, or cannot be started.
    """
    if transfer_syntax not in CODEC_OF:
        raise ValueError(f"no decoder for transfer syntax {transfer_syntax}")
    codec = CODEC_OF[transfer_syntax]
    if not can_start_processes():
        from pqcomq.volumes.dicom.decoding.codecs import decode

        return decode(codec, codestream, shape, dtype)
    what, file = told
    damage = None
    try:
        with decoders().one() as process:
            try:
                return process.decode(codec, codestream, shape, dtype, room)
            except ValueError as problem:  # told by a process that lives on
                damage = problem
    except DecoderEndedError as end:
        raise InputError(f"The decoder of {codec} {end} while reading {what}.", file) from end
    except OSError as error:
        raise InputError(f"The decoder of {codec} cannot be started: {why(error)}.", file) from error
    raise damage
