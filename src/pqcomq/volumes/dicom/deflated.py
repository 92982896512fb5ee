"""Deflated DICOM files, inflated no further than is needed: pydicom inflates all of a file even to list it.

A file of 2.7 MB took 1.2 GB, for deflation shrinks zeros a thousandfold.
"""

from __future__ import annotations

import zlib
from io import BytesIO
from typing import BinaryIO

from pydicom.filereader import read_dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

CHUNK = 1 << 20
MOST_HEADER_BYTES = 64 << 20
"""Of what stands before the pixels; thousands of frames that say each where they lie take 20 MiB."""

_UID = DeflatedExplicitVRLittleEndian.encode()
_PREAMBLE = 132
_LONGEST_META = 1 << 16


def plain_stream(stream: BinaryIO, most: int) -> BinaryIO:
    """A DICOM file as if it were not deflated.

    Args:
        stream: at the file's beginning.
        most: bytes to inflate at the most; the rest is left out.

    Returns:
        The stream itself, at its beginning, where the file is not deflated; its data set inflated otherwise.

    Raises:
        zlib.error: the deflation is damaged.
    """
    head = stream.read(_LONGEST_META)
    stream.seek(0)
    if head[128:_PREAMBLE] != b"DICM" or _UID not in head:
        return stream
    beginning = BytesIO(head)
    beginning.seek(_PREAMBLE)
    meta = read_dataset(beginning, False, True, stop_when=lambda tag, _vr, _length: tag.group != 2)
    if meta.get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
        return stream
    length = beginning.tell()
    content = bytearray(b"\0" * 128 + b"DICM" + _meta(head[_PREAMBLE:length]))
    stream.seek(length)
    end = len(content) + most
    unpacker, packed = zlib.decompressobj(-zlib.MAX_WBITS), b""
    while len(content) < end and not unpacker.eof:
        packed = packed or stream.read(CHUNK)
        if not packed:
            break
        content += unpacker.decompress(packed, min(CHUNK, end - len(content)))
        packed = unpacker.unconsumed_tail
    return BytesIO(bytes(content))


def _meta(given: bytes) -> bytes:
    """File meta information that states no deflation; of the same length, for elements may be padded with a zero."""
    plain = ExplicitVRLittleEndian.encode()
    return given.replace(_UID, plain + b"\0" * (len(_UID) - len(plain)))
