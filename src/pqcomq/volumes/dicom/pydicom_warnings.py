"""pydicom's many voices turned into one sentence or silence."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from pqcomq.atomic_files import why
from pqcomq.errors import InputError
from pqcomq.volumes.dicom.elements import OddValueError

logger = logging.getLogger(__name__)

_WARNING_FILTERS = threading.Lock()
"""Python's warning filters belong to the whole process: two threads that change and restore them would mix them up."""


@contextmanager
def with_pydicom_errors(what: object) -> Iterator[None]:
    """Turn whatever pydicom raises on a damaged file into one sentence, and keep its warnings off the terminal.

    Only one thread at a time is inside, which costs nothing: pydicom's parsing is Python and holds the interpreter
    anyway. Files are therefore opened and read outside.

    Raises:
        InputError: whatever went wrong.
    """
    try:
        with _WARNING_FILTERS, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns about every odd value, in tags that do not matter here too
            yield
    except InputError:
        raise
    except OddValueError as error:
        raise InputError(f"The file is damaged: {error}.", what) from error
    except Exception as error:  # damaged files end in exceptions of a dozen unrelated types
        logger.debug("pydicom on %s: %r", what, error)
        if isinstance(error, OSError) and error.errno is not None:  # pydicom raises OSError of its own, too
            raise InputError(f"The file cannot be read: {why(error)}.", what) from error
        raise InputError("The file is a damaged DICOM file.", what) from error
