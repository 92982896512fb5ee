"""Everything that goes wrong unseen: exceptions in slots, threads and clean-up, errors logged, and Qt's fatal words."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
import warnings
from pathlib import Path

from napari.utils.notifications import ErrorNotification, notification_manager
from qtpy.QtCore import QtMsgType, qInstallMessageHandler

import napari_pqcomq
import pqcomq

OURS = tuple(str(Path(package.__file__).parent) for package in (napari_pqcomq, pqcomq))
SERIOUS = ("QObject::", "QThread", "QPainter", "QTimer", "QBasicTimer", "Internal C++ object")
"""What Qt says of objects that are used wrongly; of screens, fonts and styles it says much else."""


def is_ours(error):
    """Whether the plugin's or the engine's code has a part in an exception.

    PySide lists among the callers of what failed the filters of events that Qt has asked before: those do not count,
    unless one of them failed.
    """
    each, chain = error, []
    while each is not None:
        chain.append(traceback.extract_tb(each.__traceback__))
        each = each.__cause__ or each.__context__
    return any(
        frame.filename.startswith(OURS) and (frame.name != "eventFilter" or frame is frames[-1])
        for frames in chain
        for frame in frames
    )


class Alarms(logging.Handler):
    """Listens everywhere until the process ends."""

    def __init__(self):
        super().__init__(logging.ERROR)
        self._found = []
        self.foreign = []
        sys.excepthook = lambda kind, error, _where: self.note(error, "in a slot")
        threading.excepthook = lambda told: self.note(told.exc_value, f"in the thread {told.thread}")
        sys.unraisablehook = lambda told: self.note(told.exc_value, f"while cleaning up {told.object!r:.200}")
        qInstallMessageHandler(self._on_qt)
        notification_manager.notification_ready.connect(self._on_notice)
        logging.getLogger().addHandler(self)
        warnings.simplefilter("always", RuntimeWarning)
        warnings.showwarning = self._on_warning

    def note(self, error, where):
        """An exception that nobody caught; the plugin's is a fault, napari's own is told of at the end."""
        told = "".join(traceback.format_exception(error))
        self._put(f"{where}: {told}", is_ours=is_ours(error))

    def taken(self):
        """The faults since it was asked last."""
        found, self._found = self._found, []
        return found

    def emit(self, record):
        told = record.getMessage()
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            told += "".join(traceback.format_exception(error))
        by_us = any(place in told for place in OURS) if error is None else is_ours(error)
        self._put(f"logged by {record.name}: {told}", is_ours=by_us)

    def _on_qt(self, kind, context, message):
        is_fatal = kind in (QtMsgType.QtFatalMsg, QtMsgType.QtCriticalMsg)
        if is_fatal or message.startswith(SERIOUS):
            self._put(f"Qt: {message}", is_ours=is_fatal)

    def _on_notice(self, notice):
        if isinstance(notice, ErrorNotification):
            self.note(notice.exception, "shown as an error")

    def _on_warning(self, message, category, filename, lineno, file=None, line=None):
        if issubclass(category, RuntimeWarning):
            self._put(f"warned in {filename}:{lineno}: {message}", is_ours=filename.startswith(OURS))

    def _put(self, told, *, is_ours):
        (self._found if is_ours else self.foreign).append(told)
