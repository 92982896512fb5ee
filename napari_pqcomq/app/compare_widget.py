"""The dock widget: compare a full-precision model with its quantized copies on the open volume."""

from __future__ import annotations

import napari
from qtpy.QtCore import QCoreApplication, QEvent
from qtpy.QtWidgets import QApplication, QWidget

from napari_pqcomq.app.hints import next_step
from napari_pqcomq.app.key_bindings import key_bindings
from napari_pqcomq.app.layout import lay_out
from napari_pqcomq.app.navigation import Navigation
from napari_pqcomq.app.panels import make_panels
from napari_pqcomq.app.preferences import Preferences
from napari_pqcomq.app.results_controller import ResultsController
from napari_pqcomq.app.tooltips import explain_controls
from napari_pqcomq.app.workflow import Workflow
from napari_pqcomq.widgets.shortcuts import Shortcuts


class CompareWidget(QWidget):
    """Puts the dock together: makes the panels, connects their buttons to the work flow, and arranges them.

    Args:
        napari_viewer: given by napari.

    Attributes:
        panels: the parts of the dock.
        workflow: what is done with them.
        results: joins the panels of the results area to the view.
        navigation: takes the user to objects and slices.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._is_released = False
        self.panels = make_panels(napari_viewer, self)
        self.workflow = Workflow(self.panels, self)
        self.results = ResultsController(self.panels, self.workflow)
        self.navigation = Navigation(self.panels, self.workflow, self)
        self._preferences = Preferences(self.panels)
        self._shortcuts = Shortcuts(self, key_bindings(self.panels, self.navigation))
        lay_out(self.panels, self._shortcuts.table(), self)
        explain_controls(self.panels, self)
        self._connect()
        self._preferences.restore()
        # A window that is closed does not close its docks one by one.
        self.panels.volume.changed.connect(self._preferences.keep)
        _application().aboutToQuit.connect(self._preferences.keep)
        self.refresh()

    def refresh(self) -> None:
        """Bring buttons and the hint line in line with what can be done now."""
        panels, workflow = self.panels, self.workflow
        is_open, weights = panels.view.is_open, workflow.weights
        if weights:
            panels.weights.show_ready([(each.settings.title, each.effective_bits) for each in weights])
        else:
            panels.weights.show_missing(panels.calibration.choice)
        panels.weights.offer(
            quantize=workflow.can_start,
            load=not panels.jobs.is_running,
            save=workflow.has_weights_to_save,
        )
        panels.prompts.offer_drawing(panels.volume.volume is not None)
        panels.actions.offer(
            compare=workflow.can_start and panels.prompts.has_box, live=workflow.can_start, is_open=is_open
        )
        panels.actions.show_hint(self._hint())
        panels.view_bar.setVisible(is_open)
        panels.view_bar.offer_keeping(not workflow.is_reading)
        self._shortcuts.set_open(is_open)

    def _hint(self) -> str:
        """What the user should do now."""
        panels, is_open = self.panels, self.panels.view.is_open
        return next_step(
            has_volume=panels.volume.volume is not None,
            has_box=panels.prompts.has_box,
            lacks_checkpoint=panels.model.lacks_checkpoint,
            has_weights=bool(self.workflow.weights),
            is_shown=is_open,
            is_live=is_open and panels.live.is_live(self.workflow.current_number),
        )

    def event(self, event: QEvent) -> bool:
        """Let go of the viewer when the dock is closed: napari then takes the widget out of its window."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.release()
        return bool(super().event(event))

    def release(self) -> None:
        """Keep the settings, end what runs, and stop listening to the viewer; once."""
        if self._is_released:
            return
        self._is_released = True
        self._preferences.keep()
        _application().aboutToQuit.disconnect(self._preferences.keep)
        self.panels.release()
        self.results.release()

    def _connect(self) -> None:
        panels, workflow = self.panels, self.workflow
        workflow.changed.connect(self.refresh)
        panels.weights.quantize_requested.connect(workflow.quantize)
        panels.weights.load_requested.connect(workflow.load_weights)
        panels.weights.save_requested.connect(workflow.save_weights)
        panels.prompts.draw_requested.connect(workflow.draw)
        panels.actions.compare_requested.connect(workflow.compare)
        panels.actions.live_requested.connect(lambda: workflow.open_live())
        panels.actions.close_requested.connect(panels.view.close)
        panels.view_bar.worst_requested.connect(self.navigation.go_to_worst)
        panels.view_bar.divergence_requested.connect(self.navigation.go_to_divergence)
        panels.view_bar.keep_requested.connect(workflow.keep_masks)


def _application() -> QCoreApplication:
    """The running one; no widget is without."""
    running = QApplication.instance()
    assert running is not None  # noqa: S101
    return running
