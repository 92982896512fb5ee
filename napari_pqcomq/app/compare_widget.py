"""The dock widget: compare a full-precision model with its quantized copies on the open volume."""

from __future__ import annotations

from collections.abc import Generator

import napari
from qtpy.QtCore import QCoreApplication, QEvent, QObject, QTimer
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QApplication, QWidget

from napari_pqcomq.app.guidance.keys import Keys
from napari_pqcomq.app.guidance.offered_actions import OfferedActions
from napari_pqcomq.app.guidance.tooltips import explain_controls
from napari_pqcomq.app.guidance.tour import Tour
from napari_pqcomq.app.on_screen.comparison_on_screen import ComparisonOnScreen
from napari_pqcomq.app.on_screen.navigation import Navigation
from napari_pqcomq.app.on_screen.volume_switch import VolumeSwitch
from napari_pqcomq.app.panels.layout import lay_out
from napari_pqcomq.app.panels.panels import make_panels
from napari_pqcomq.app.panels.steps import Steps
from napari_pqcomq.app.remembered.autosaving import made_autosave
from napari_pqcomq.app.remembered.kept_results import KeptResults
from napari_pqcomq.app.remembered.preferences import Preferences
from napari_pqcomq.app.results.correcting import Correcting
from napari_pqcomq.app.results.current_figures import CurrentFigures
from napari_pqcomq.app.results.reader_study import ReaderStudy
from napari_pqcomq.app.work.cascading import Cascading
from napari_pqcomq.app.work.sessions import Sessions
from napari_pqcomq.app.work.workflow import Workflow
from napari_pqcomq.jobs.comparing.kept_work import shared_work
from napari_pqcomq.jobs.running.freed_memory import freed_memory
from napari_pqcomq.widgets.controls.focus_ring import show_focus
from napari_pqcomq.widgets.napari_window.gl_context import canvas_of
from pqcomq.progress import finished

_LAID_OUT_MS = 300
"""Until the window knows how wide dock and slider have made it: Qt lays it out by events that follow one another."""


class CompareWidget(QWidget):
    """Puts the dock together: makes the panels, connects their buttons to the work flow, and arranges them.

    Args:
        napari_viewer: given by napari.
        in_steps: it is made by :attr:`making`, and not before this returns.

    Attributes:
        making: the steps that make it, for a dock in a window that stays awake meanwhile.
        panels: the parts of the dock.
        tour: of five steps, offered once.
        steps: those with settings, in the order of the work.
        on_screen: what the picture shows.
        workflow: what is done, in its order.
        reader_study: two masks without names in the view.
        figures: of the object in sight.
        sessions: saved, and opened again.
        navigation: takes the user to objects and slices.
        kept_results: what was compared before on the open volume.
        correcting: brush and eraser.
        cascading: the quantized model first, full precision where that is in doubt.
        autosave: unfinished work on disk.
        keys: in force, and their list.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer, *, in_steps: bool = False) -> None:
        super().__init__()
        self._is_released = False
        self._laid_out = QTimer(self)
        self._laid_out.setSingleShot(True)
        self._laid_out.setInterval(_LAID_OUT_MS)
        self.making = self._make(napari_viewer)
        if not in_steps:
            finished(self.making)

    def _make(self, viewer: napari.viewer.Viewer) -> Generator[None, None, None]:
        """The steps of making it. What was opened meanwhile was open before, for what is made later."""
        show_focus(self)  # before anything is in it, or Qt would style that twice
        self.panels = yield from make_panels(viewer, self)
        yield
        self.on_screen = ComparisonOnScreen(self.panels, self)
        self.workflow = Workflow(self.panels, self.on_screen, self, shared_work())
        self.reader_study = ReaderStudy(self.panels, self.on_screen)
        self.figures = CurrentFigures(self.panels, self.on_screen)
        self.sessions = Sessions(self.panels, self.workflow)
        self.navigation = Navigation(self.panels, self.on_screen, self)
        self.kept_results = KeptResults(self.panels, self.workflow, self)
        self.correcting = Correcting(self.panels, self.on_screen, self)
        self.cascading = Cascading(self.panels, self.workflow, self)
        self._switch = VolumeSwitch(self.panels, self)
        self.keys = Keys(self.panels, self.navigation, self.correcting, self)
        yield
        self.steps = Steps(self.panels)
        self._offered = OfferedActions(
            self.panels, self.steps, self.workflow, self.kept_results, self.keys.shortcuts, self
        )
        self.tour = Tour(self.panels, self.steps, self.panels.volume.open_sample, self)
        self._preferences = Preferences(self.panels, self.tour)
        self.autosave = made_autosave(self.panels, self.workflow, self)
        yield
        yield from lay_out(self.panels, self.steps, self.keys.shortcuts.table(), self)
        explain_controls(self.panels)
        self._connect()
        self._preferences.restore()
        # A window that is closed does not close its docks one by one.
        self.panels.volume.changed.connect(self._preferences.keep)
        _application().aboutToQuit.connect(self._preferences.keep)
        _application().aboutToQuit.connect(self.autosave.release)
        self._offered.refresh()
        self.tour.offer()
        self.autosave.start()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 (Qt's name)
        """The dock is in its window, and so is the canvas."""
        super().showEvent(event)
        self.panels.mouse.attach()
        self.keys.shortcuts.watch(canvas_of(self))
        self.window().installEventFilter(self)
        self._laid_out.start()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 (Qt's name)
        """See that the window becomes wider, as it does for the slider of a volume."""
        if event.type() == QEvent.Type.Resize and watched is self.window() and not self._is_released:
            self._laid_out.start()  # anew, so that a window that is dragged wider asks once
        return bool(super().eventFilter(watched, event))

    def event(self, event: QEvent) -> bool:
        """Let go of the viewer when the dock is closed: napari then takes the widget out of its window, and forgets it.

        Qt deletes it, or its own signals would keep it, and the volume, for ever.
        """
        if event.type() == QEvent.Type.ParentChange and self.parent() is None and not self._is_released:
            self.release()
            self.deleteLater()
        return bool(super().event(event))

    def finish(self) -> None:
        """Have the layers at once that are being made of masks."""
        for layers in (self.on_screen.keeping, self.correcting):
            layers.finish()

    def leave(self) -> None:
        """Keep settings and work, and end what runs; of a window that is being deleted nothing else is touched."""
        if self._is_released:
            return
        self._is_released = True
        self._laid_out.stop()
        self._preferences.keep()
        for listener in (self._preferences.keep, self.autosave.release):
            _application().aboutToQuit.disconnect(listener)
        self.autosave.release()
        self.panels.jobs.cancel()
        self.panels.model.release()
        self.panels.live.end()
        self.kept_results.release()
        freed_memory().soon()

    def release(self) -> None:
        """Keep the settings, end what runs, and stop listening to the viewer; once."""
        if self._is_released:
            return
        self.finish()
        self.panels.jobs.abandon()
        self.leave()
        self.keys.release()
        self.correcting.release()
        self._switch.release()
        self.panels.release()
        self.figures.release()

    def _connect(self) -> None:
        panels, workflow = self.panels, self.workflow
        self._laid_out.timeout.connect(panels.docks.fit_screen)
        workflow.changed.connect(self._offered.refresh)
        panels.question.asked.connect(self.steps.make_room)
        for signal in (self.on_screen.shown, panels.volume.changed):
            signal.connect(panels.mouse.take_focus)  # arrows work without a click first
        for signal in (panels.view.closed, panels.volume.changed):
            signal.connect(freed_memory().soon)
        panels.weights.quantize_requested.connect(workflow.quantize)
        panels.weights.load_requested.connect(workflow.weights.load)
        panels.weights.save_requested.connect(workflow.weights.save)
        panels.weights.elsewhere_requested.connect(workflow.weights.use_elsewhere)
        panels.prompts.draw_requested.connect(workflow.draw)
        panels.actions.compare_requested.connect(workflow.compare)
        panels.actions.live_requested.connect(lambda: workflow.open_live())
        panels.actions.close_requested.connect(panels.view.close)
        panels.actions.kept_requested.connect(self.kept_results.bring_back)
        panels.view_bar.worst_requested.connect(self.navigation.go_to_worst)
        panels.view_bar.divergence_requested.connect(self.navigation.go_to_divergence)
        panels.view_bar.keep_requested.connect(self.on_screen.keep_masks)


def _application() -> QCoreApplication:
    """The running one; no widget is without."""
    running = QApplication.instance()
    assert running is not None  # noqa: S101
    return running
