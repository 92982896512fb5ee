"""What napari opens: the dock at once, and what it needs as soon as that is imported.

torch, OpenVINO's helpers, DICOM and plots take seconds to import. They are imported in a thread; meanwhile the dock
is there, volumes can be opened, and the window stays awake.
"""

from __future__ import annotations

import sys
from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING

import napari
from napari.utils.notifications import show_error
from qtpy.QtCore import QEvent, Signal
from qtpy.QtWidgets import QLabel, QProgressBar, QSizePolicy, QVBoxLayout, QWidget

from napari_pqcomq.setup.open_menu import OpenMenu

if TYPE_CHECKING:
    from napari_pqcomq.app.compare_widget import CompareWidget

_MODULE = "napari_pqcomq.app.compare_widget"
_FILLING = QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding
"""Of what fills the dock: napari stretches an empty place beside anything else."""
_WAITING = "Loading the models' code, once in each napari session. Volumes can be opened meanwhile."


class CompareDock(QWidget):
    """Holds the dock's parts once they are imported.

    Args:
        napari_viewer: given by napari.

    Attributes:
        ready: emitted when they are there.
        parts: the dock's parts, None before.
    """

    ready = Signal()
    _imported = Signal(str)

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self._is_released = False
        self.parts: CompareWidget | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._waiting: QWidget | None = None
        self._imported.connect(self._on_imported)
        if _MODULE in sys.modules:
            self._make_parts()
        else:
            self._waiting = _waiting_page(napari_viewer)
            self._column.addWidget(self._waiting)
            Thread(target=self._import, name="imports of the dock", daemon=True).start()

    def event(self, event: QEvent) -> bool:
        """Let go of the viewer when the dock is closed: napari then takes the widget out of its window."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self._is_released = True
            if self.parts is not None:
                self.parts.release()
        return bool(super().event(event))

    def _import(self) -> None:
        """In the thread; a failure is told in the window, where the user waits."""
        reason = ""
        try:
            import_module(_MODULE)
        except Exception as error:  # whatever an installation may lack
            reason = f"{error or type(error).__name__}"
        if not self._is_released:
            self._imported.emit(reason)

    def _on_imported(self, reason: str) -> None:
        if self._is_released:
            return
        if reason:
            show_error(f"{reason}: the dock cannot be opened.")
            return
        self._make_parts()

    def _make_parts(self) -> None:
        from napari_pqcomq.app.compare_widget import CompareWidget

        if self._waiting is not None:
            self._waiting.setVisible(False)
            self._column.removeWidget(self._waiting)
            self._waiting.deleteLater()
            self._waiting = None
        self.parts = CompareWidget(self._viewer)
        self.parts.setSizePolicy(*_FILLING)
        self._column.addWidget(self.parts)
        self.ready.emit()


def _waiting_page(viewer: napari.viewer.Viewer) -> QWidget:
    """What is seen until the parts are imported."""
    page = QWidget()
    page.setSizePolicy(*_FILLING)
    page.setMinimumWidth(360)
    column = QVBoxLayout(page)
    text, bar = QLabel(_WAITING), QProgressBar()
    text.setWordWrap(True)
    bar.setRange(0, 0)  # nobody knows how long an import takes
    bar.setToolTip(_WAITING)
    for widget in (OpenMenu(viewer), text, bar):
        column.addWidget(widget)
    column.addStretch(1)
    return page
