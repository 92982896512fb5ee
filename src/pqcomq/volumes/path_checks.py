"""What can be wrong with a path before its content matters."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from pqcomq.atomic_files import why
from pqcomq.errors import InputError


def is_there(path: Path) -> bool:
    """Whether there is something that may be looked at; older versions of Python raise where it may not."""
    with suppress(OSError, ValueError):
        return path.exists()
    return False


def is_folder(path: Path) -> bool:
    """Whether ``path`` is a folder rather than a readable, non-empty regular file.

    Args:
        path: what the user named.

    Returns:
        True for a folder, False for a regular file that can be opened.

    Raises:
        InputError: nothing is there, it may not be read, it is empty, or it is a pipe or device, which could block
            for ever.
    """
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            os.scandir(path).close()
            return True
        regular = stat.S_ISREG(status.st_mode)
        if regular:
            path.open("rb").close()
    except FileNotFoundError:
        raise InputError("There is no such file or folder.", path) from None
    except OSError as error:
        raise InputError(f"The file cannot be opened: {why(error)}.", path) from error
    except ValueError as error:  # a null character in the name
        raise InputError("The file has a name that cannot be used.", repr(str(path))) from error
    if not regular:
        raise InputError("This is neither a file nor a folder.", path)
    if status.st_size == 0:
        raise InputError("The file is empty.", path)
    return False
