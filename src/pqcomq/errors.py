"""The one error type a user is meant to read."""

from __future__ import annotations

import re

LONGEST_PATH = 60
"""Characters of a path that a message shows whole."""
_PATH = re.compile(r"(?:[A-Za-z]:|~)?(?:[/\\][^/\\\s:;,()'\"]+){3,}")


class InputError(ValueError):
    """Bad input from outside: a file, a folder, a box, a setting.

    The message is one clear sentence that names the offending file or value and the problem. The command line
    prints it and exits with status 2; the plugin shows it as a notification. Nothing is written and nothing that
    was already loaded is lost when it is raised.

    Args:
        message: the sentence; long paths in it are shortened in the middle, so that the problem stays in sight.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(with_short_paths(message))


def with_short_paths(message: str) -> str:
    """A sentence whose long paths keep their beginning and their end.

    Args:
        message: that may hold absolute paths.

    Examples:
        >>> with_short_paths("There is no file /media/archive/2026/patients/0815/study/series-3/CT/IM000127.dcm.")
        'There is no file /media/…/CT/IM000127.dcm.'
    """
    return _PATH.sub(lambda found: _short(found[0]), message)


def _short(path: str) -> str:
    if len(path) <= LONGEST_PATH:
        return path
    separator = re.search(r"[/\\]", path)
    between = separator[0] if separator else "/"
    start, *_middle, folder, name = re.split(r"[/\\]", path.removesuffix("."))
    first = start or f"{between}{_middle[0]}"
    end = "." if path.endswith(".") else ""
    return between.join((first, "…", folder, name)) + end
