"""Opening DICOM objects from strangers, and seeing that they belong to a volume."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

from pqcomq.atomic_files import why
from pqcomq.dicom_masks.referenced_series import frame_of_reference
from pqcomq.errors import InputError
from pqcomq.volumes.dicom.deflated import MOST_HEADER_BYTES, plain_stream
from pqcomq.volumes.dicom.file_discovery import looks_like_dicom
from pqcomq.volumes.path_checks import is_folder
from pqcomq.volumes.volume import Volume

logger = logging.getLogger(__name__)

MOST_OBJECT_BYTES = 512 << 20
"""Of a deflated object; segmentations of a whole body take a tenth of it."""
UNDEFINED_LENGTH = 0xFFFFFFFF

SEGMENTATION, STRUCTURE_SET = "SEG", "RTSTRUCT"
_DESCRIBING = ("SegmentationType", "SegmentSequence", "StructureSetROISequence")
"""What lists the objects in a file."""
_TITLES = {SEGMENTATION: "DICOM segmentation (SEG)", STRUCTURE_SET: "DICOM structure set (RTSTRUCT)"}


def object_kind(path: Path) -> str | None:
    """``"SEG"`` or ``"RTSTRUCT"`` if a file is such an object; None for everything else.

    Raises:
        InputError: nothing is there, or it cannot be opened.
    """
    if is_folder(path) or not looks_like_dicom(path):
        return None
    with with_pydicom_errors(path):
        with path.open("rb") as stream:
            plain = plain_stream(stream, MOST_HEADER_BYTES)
            header = pydicom.dcmread(plain, stop_before_pixels=True, specific_tags=["Modality"], force=True)
        modality = str(header.get("Modality") or "")
    return modality if modality in _TITLES else None


def open_object(path: Path, kind: str) -> Dataset:
    """Read a whole object.

    Raises:
        InputError: it is missing, damaged or of another kind.
    """
    if object_kind(path) != kind:
        raise InputError(f"The file is not a {_TITLES[kind]}.", path)
    with with_pydicom_errors(path):
        with path.open("rb") as stream:
            dataset = pydicom.dcmread(plain_stream(stream, MOST_OBJECT_BYTES), force=True)
        _check_whole(dataset)
        return dataset


def object_header(path: Path) -> Dataset:
    """What an object says beside its pixels and contours; nothing tells whether those are whole.

    Raises:
        InputError: it is damaged.
    """
    with with_pydicom_errors(path), path.open("rb") as stream:
        plain = plain_stream(stream, MOST_HEADER_BYTES)
        return pydicom.dcmread(plain, stop_before_pixels=True, specific_tags=list(_DESCRIBING), force=True)


def _check_whole(dataset: Dataset) -> None:
    """See that the last element is as long as it says: pydicom takes what is left of a file that was cut off."""
    for tag in dataset.keys():  # noqa: SIM118 (iterating a data set would take every element apart)
        element = dataset.get_item(tag)
        if isinstance(element, RawDataElement) and element.length not in (len(element.value or b""), UNDEFINED_LENGTH):
            raise ValueError("cut off")


@contextmanager
def with_pydicom_errors(path: Path) -> Iterator[None]:
    """Turn whatever a damaged file raises into one sentence, and keep warnings about odd values off the terminal."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except InputError:
        raise
    except MemoryError as error:
        raise InputError("The file is too large for this computer's memory.", path) from error
    except Exception as error:  # damaged files end in exceptions of a dozen unrelated types
        logger.debug("reading a DICOM object: %r", error)
        if isinstance(error, OSError) and error.errno is not None:
            raise InputError(f"The file cannot be read: {why(error)}.", path) from error
        raise InputError("The file is a damaged DICOM object.", path) from error


def check_frame_of_reference(path: Path, frames: set[str], volume: Volume) -> tuple[str, ...]:
    """See that an object was made on the volume's own examination.

    Args:
        path: of the object.
        frames: UIDs of the frames of reference that it names.
        volume: that it is to lie on.

    Returns:
        A note where one of the two does not say, so that the positions alone decide.

    Raises:
        InputError: both say, and they differ.
    """
    own = frame_of_reference(volume)
    if own is None or not frames:
        return ("The file and the volume do not both name a frame of reference; their positions alone were compared.",)
    if own not in frames:
        raise InputError(
            f"The file belongs to another examination than {volume.name}: it lies in another frame of reference.", path
        )
    return ()
