"""Keeps other packages' warnings off the terminal, in a log file; only in processes of our own.

What one library thinks of the way in which another imports it is nothing that a user could act on, and pages of it hide
what the program itself has to say. Warnings and log records of ``pqcomq`` and ``napari_pqcomq`` are shown as ever.
Of those that may quote a patient's header the place in the library is kept, without the words.
Whoever chose filters (``python -W``, ``PYTHONWARNINGS``) or set ``PQCOMQ_DEBUG`` sees everything.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TextIO

from platformdirs import user_log_path

_OURS = ("pqcomq", "napari_pqcomq")
_QUOTING = ("pydicom", "highdicom", "nibabel", "nrrd")
"""Packages whose warnings quote what headers say, perhaps of a patient: where they arose is kept, not their words."""
_MOST_BYTES = 2**20


def log_file() -> Path:
    """Where other packages' warnings are kept: ``warnings.log`` in the platform's log folder for ``napari-pqcomq``."""
    return user_log_path("napari-pqcomq", appauthor=False) / "warnings.log"


def log_file_title() -> str:
    """The same for people, with the home folder as ``~``."""
    path = log_file()
    try:
        home = Path.home()
    except RuntimeError:  # a user without an entry and without HOME, as in a container
        return str(path)
    return f"~/{path.relative_to(home).as_posix()}" if path.is_relative_to(home) else str(path)


def keep_others_warnings_in_log(path: Path | None = None) -> None:
    """Send warnings and log records of other packages to a file from now on.

    Args:
        path: of the file; by default :func:`log_file`. Once it holds 1 MiB it is renamed and begun anew.
    """
    if sys.warnoptions or os.environ.get("PQCOMQ_DEBUG"):
        return
    handler = _LogFile(path or log_file(), maxBytes=_MOST_BYTES, backupCount=1, encoding="utf-8", delay=True)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(_WithoutQuotes("%(asctime)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    for name in _OURS:
        _show_records_of(name)
    redirect_others_warnings()


def redirect_others_warnings() -> None:
    """Send other packages' warnings to their log; again wherever another program (napari) has taken them over."""
    shown_before = warnings.showwarning

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if file is not None or _is_ours(filename):
            shown_before(message, category, filename, lineno, file, line)
        else:
            quoting = any(part in _QUOTING for part in Path(filename).parts)
            told = (
                f"{category.__name__}, {_place(filename, lineno)}"
                if quoting
                else warnings.formatwarning(message, category, filename, lineno, line)
            )
            logging.getLogger("py.warnings").warning("%s", told)

    if not (sys.warnoptions or os.environ.get("PQCOMQ_DEBUG")):
        warnings.showwarning = show


def _is_ours(filename: str) -> bool:
    """Whether a file belongs to one of our packages."""
    modules = [sys.modules[name] for name in _OURS if name in sys.modules]
    folders = [Path(module.__file__).parent for module in modules if module.__file__]
    return any(folder in Path(filename).parents for folder in folders)


def _show_records_of(name: str) -> None:
    """Print a package's log records as Python does where nobody set up logging: the message, on standard error."""
    logger = logging.getLogger(name)
    shown = logging.StreamHandler()
    shown.setLevel(logging.WARNING)
    logger.addHandler(shown)
    logger.propagate = False


def _place(filename: str, line: int) -> str:
    return f"{filename}:{line}; its words are not kept, since they may quote a patient's header"


class _WithoutQuotes(logging.Formatter):
    """Leaves out what a library says of a header."""

    def format(self, record: logging.LogRecord) -> str:
        if record.name.partition(".")[0] in _QUOTING:
            told = {"msg": _place(record.pathname, record.lineno), "args": (), "exc_info": None, "exc_text": None}
            record = logging.makeLogRecord(record.__dict__ | told)
        return super().format(record)


class _LogFile(RotatingFileHandler):
    """A log that makes its folder with its first record, and prints what cannot be kept."""

    def _open(self) -> TextIOWrapper:
        Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
        return super()._open()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        sys.stderr.write(self.format(record) + "\n")
