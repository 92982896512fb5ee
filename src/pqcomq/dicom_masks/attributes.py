"""Words and numbers that all objects written here share."""

from __future__ import annotations

from pqcomq.dicom_masks.mask_object import MaskObject

MAKER = "napari-pqcomq"
CHARACTER_SET = "ISO_IR 192"
"""UTF-8: object names come in any language."""
SERIES_OFFSET = 1000
"""Added to the source's series number, so that masks are listed after the images."""


def generation(thing: MaskObject) -> str:
    """``SEMIAUTOMATIC`` for what a model drew in a user's box, ``MANUAL`` for what was drawn by hand."""
    return "MANUAL" if thing.algorithm is None else "SEMIAUTOMATIC"


def long_string(text: str, most_bytes: int = 64) -> str:
    """Text as a DICOM long string: on one line, without backslashes, which part values, and cut to its length.

    The standard counts characters, but not all programs do so in UTF-8; bytes are safe for either.
    """
    printable = "".join(c if c.isprintable() and c != "\\" else " " for c in text)
    line = " ".join(printable.split())
    return line.encode()[:most_bytes].decode(errors="ignore").rstrip()


def short_string(text: str) -> str:
    """The same for a DICOM short string."""
    return long_string(text, most_bytes=16)
