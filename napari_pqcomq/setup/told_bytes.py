"""The bytes of a download on their way from its thread to the window's."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QObject, Signal

from napari_pqcomq.jobs.models.model_fetch_jobs import Transfer


class _Told(QObject):
    changed = Signal(float, float)


def telling_transfer(show: Callable[[float, float], None]) -> Transfer:
    """A transfer whose bytes are shown in the window's thread.

    It outlives the widget that shows them: a dock may be closed, or filled, while a download goes on.

    Args:
        show: a method of a widget, given the bytes that are here and all of them.
    """
    told = _Told()
    told.changed.connect(show)
    return Transfer(lambda done, total: told.changed.emit(done, total))
