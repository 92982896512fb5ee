"""The one error type a user is meant to read."""

from __future__ import annotations

import re

LONGEST_PATH = 60
"""Characters of a path that a message shows whole."""
MOST_PIECES = 5
"""Folders and name, from which on a path has something in its middle to leave out."""
_UNSEEN = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069\\ud800-\\udfff]")
"""Characters that end a line, steer a terminal, turn what follows round, or cannot be written: a name may have them."""
_PATH = re.compile(r"(?:[A-Za-z]:|~)?(?:[/\\][^/\\\s:;,()'\"]+){3,}")


_LACKS_MEMORY = "out of memory", "enough memory", "allocate memory", "bad_alloc", "bad allocation"
"""How torch, CUDA and OpenVINO say it; other sentences with the word memory are about its layout."""


class InputError(ValueError):
    """Bad input from outside: a file, a folder, a box, a setting.

    The message is one clear sentence that says what is wrong, then where. The command line prints it and exits with
    status 2; the plugin shows it as a notification. Nothing is written and nothing that was already loaded is lost
    when it is raised.

    Args:
        reason: the sentence; long paths in it are shortened in the middle, so that the problem stays in sight, and
            characters that would end its line or steer a terminal are shown as question marks.
        place: the file or folder that it is about, put behind the sentence in brackets, however its name is spelt.

    Attributes:
        reason: the sentence alone, for records that are to name no place on this machine.
        place: what is in the brackets, not shortened; None where there are none.

    Examples:
        >>> import pqcomq
        >>> print(pqcomq.InputError("The file was cut off before its first voxel.", "ct.nii"))
        The file was cut off before its first voxel (ct.nii).
    """

    def __init__(self, reason: str = "", place: object = None) -> None:
        self.reason = message = printable(with_short_paths(reason))
        self.place = None if place is None else str(place)
        if place is not None:
            where = printable(short_path(str(place)))
            message = f"{message.removesuffix('.')} ({where})" + "." * message.endswith(".")
        super().__init__(message)


def lacks_memory(error: BaseException) -> bool:
    """Whether an error says that memory has run out.

    Examples:
        >>> lacks_memory(MemoryError()), lacks_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory"))
        (True, True)
    """
    told = str(error).lower()
    return isinstance(error, MemoryError) or any(words in told for words in _LACKS_MEMORY)


def printable(text: str) -> str:
    """Text on one line that does nothing to a terminal, whatever names of files in it hold.

    Examples:
        >>> printable("a" + chr(10) + "b.dcm")
        'a?b.dcm'
    """
    return _UNSEEN.sub("?", text)


def with_short_paths(message: str) -> str:
    """A sentence whose long paths keep their beginning and their end.

    Args:
        message: that may hold absolute paths.

    Examples:
        >>> with_short_paths("There is no file /media/archive/2026/patients/0815/study/series-3/CT/IM000127.dcm.")
        'There is no file /media/…/CT/IM000127.dcm.'
    """
    return _PATH.sub(lambda found: short_path(found[0]), message)


def short_path(path: str) -> str:
    """A path as messages show it: a long one keeps its beginning, and its end with the folder that it lies in."""
    pieces = re.split(r"[/\\]", path)
    if len(path) <= LONGEST_PATH or len(pieces) < MOST_PIECES:
        return path
    separator = re.search(r"[/\\]", path)
    between = separator[0] if separator else "/"
    first = pieces[0] or f"{between}{pieces[1]}"
    return between.join((first, "…", *pieces[-2:]))
