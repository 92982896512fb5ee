"""A dock that is there at once and filled as soon as what it needs is imported.

torch, OpenVINO's helpers, DICOM, tables and plots take seconds to import. They are imported in a thread, and parts that
take their time are made in steps; meanwhile the window stays awake.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from threading import Thread

import napari
from napari.utils.notifications import show_error
from qtpy.QtCore import QEvent, QObject, QTimer, Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QDockWidget, QLabel, QMainWindow, QSizePolicy, QVBoxLayout, QWidget

from napari_pqcomq.translation import tr
from napari_pqcomq.widgets.controls.calm_bar import CalmBar
from napari_pqcomq.widgets.dock.stepwise import Stepwise
from napari_pqcomq.widgets.napari_window.gl_context import main_window_of

FILLING = QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding
"""Of what fills the dock: napari stretches an empty place beside anything else."""


class LateDock(QWidget):
    """Holds the dock's parts once they are imported.

    A kind of dock names the module of its parts, and makes them.

    Args:
        napari_viewer: given by napari.

    Attributes:
        ready: emitted when they are there.
        parts: the dock's parts, None before they are complete.
    """

    ready = Signal()
    module = ""
    waiting_text = ""
    _imported = Signal(str)

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self._is_released = self._is_placed = False
        self.parts: QWidget | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._waiting = self.waiting_page()
        self._column.addWidget(self._waiting)
        self._making = Stepwise()
        self._imported.connect(self._on_imported)
        if self.module in sys.modules:
            self._make_parts()
        else:
            Thread(target=self._import, name="imports of the dock", daemon=True).start()

    def before_import(self) -> None:
        """What must be done before the module of the parts is imported; called in the thread."""

    def make_parts(self) -> tuple[QWidget, Iterator[None]]:
        """The dock's parts, and the steps that are left to complete them.

        Called once, when their module is imported. The steps are done while they stand in the window, out of sight.
        """
        raise NotImplementedError

    def leave_waiting_page(self) -> None:
        """Keep what is still needed of the page, which is deleted next."""

    def release_parts(self) -> None:
        """Let go of the viewer: the dock is closed."""

    def finish_work(self) -> None:
        """Have at once what is being made of the user's work: the window is asked to close, and may stay."""

    def leave_window(self) -> None:
        """Keep what is not kept yet, and end what runs: the window goes, and takes its docks along unclosed."""

    def waiting_page(self) -> QWidget:
        """What is seen until the parts are imported."""
        page = QWidget()
        page.setSizePolicy(*FILLING)
        page.setMinimumWidth(360)
        column = QVBoxLayout(page)
        text, bar = QLabel(self.waiting_text), CalmBar()
        text.setWordWrap(True)
        bar.setRange(0, 0)  # nobody knows how long an import takes
        bar.setToolTip(self.waiting_text)
        column.addWidget(text)
        column.addWidget(bar)
        column.addStretch(1)
        return page

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 (Qt's name)
        """The dock is in its window."""
        super().showEvent(event)
        main_window_of(self).installEventFilter(self)
        if not self._is_placed:  # later on it stands where the user has put it
            self._is_placed = True
            QTimer.singleShot(0, self, self._stand_behind_tabs)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 (Qt's name)
        """See that the window closes, and is about to be deleted; other windows, and the process, may go on."""
        kind = event.type()
        ends = kind in (QEvent.Type.Close, QEvent.Type.DeferredDelete) and watched is main_window_of(self)
        if ends and not self._is_released:
            if kind == QEvent.Type.Close:
                self.finish_work()
            else:
                self._is_released = True
                self._making.stop()
                self.leave_window()
        return bool(super().eventFilter(watched, event))

    def event(self, event: QEvent) -> bool:
        """Let go of the viewer when the dock is closed: napari then takes the widget out of its window, and forgets it.

        Qt deletes it, or the signals of its parts would keep them for ever.
        """
        if event.type() == QEvent.Type.ParentChange and self.parent() is None and not self._is_released:
            self._is_released = True
            self._making.finish()  # parts that are half made cannot let go of the viewer
            self.release_parts()
            self.deleteLater()
        return bool(super().event(event))

    def _stand_behind_tabs(self) -> None:
        """Share the place of another of these docks: one below the other, neither has the height that it needs."""
        window = main_window_of(self)
        if not isinstance(window, QMainWindow):
            return
        held = {dock: dock.findChild(LateDock) for dock in window.findChildren(QDockWidget) if not dock.isFloating()}
        own = next((dock for dock, late in held.items() if late is self), None)
        others = [dock for dock, late in held.items() if late not in (None, self) and dock.isVisible()]
        if own is not None and others and window.dockWidgetArea(own) == window.dockWidgetArea(others[0]):
            window.tabifyDockWidget(others[0], own)
            own.raise_()

    def _import(self) -> None:
        """In the thread; a failure is told in the window, where the user waits."""
        reason = ""
        try:
            self.before_import()
            import_module(self.module)
        except Exception as error:  # whatever an installation may lack
            reason = f"{error or type(error).__name__}"
        if not self._is_released:
            self._imported.emit(reason)

    def _on_imported(self, reason: str) -> None:
        if self._is_released:
            return
        if reason:
            show_error(tr("The dock cannot be opened: {reason}.", reason=reason))
            return
        self._make_parts()

    def _make_parts(self) -> None:
        parts, steps = self.make_parts()
        parts.setVisible(False)
        parts.setSizePolicy(*FILLING)
        self._column.addWidget(parts)
        self._making.start(steps, lambda: self._show_parts(parts))

    def _show_parts(self, parts: QWidget) -> None:
        self.leave_waiting_page()
        self._waiting.setVisible(False)
        self._column.removeWidget(self._waiting)
        self._waiting.deleteLater()
        self.parts = parts
        parts.setVisible(True)
        self.ready.emit()
