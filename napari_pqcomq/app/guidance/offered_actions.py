"""What can be done now: which buttons and keys are in force, how far the steps are, and the hint line."""

from __future__ import annotations

from qtpy.QtCore import QObject

from napari_pqcomq.app.guidance.hint_line import next_step, not_taken
from napari_pqcomq.app.panels.panels import Panels
from napari_pqcomq.app.panels.steps import Steps
from napari_pqcomq.app.remembered.kept_results import KeptResults
from napari_pqcomq.app.work.workflow import Workflow
from napari_pqcomq.widgets.napari_window.shortcuts import Shortcuts
from pqcomq.models.catalogue.entries import PROMPT_KINDS


class OfferedActions(QObject):
    """Brings what is offered in line with the work and what is on screen.

    Args:
        panels: of the dock.
        steps: of the dock.
        workflow: of the dock.
        kept_results: of the dock.
        shortcuts: of the dock.
        parent: Qt parent.
    """

    def __init__(
        self,
        panels: Panels,
        steps: Steps,
        workflow: Workflow,
        kept_results: KeptResults,
        shortcuts: Shortcuts,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._panels, self._steps, self._workflow = panels, steps, workflow
        self._kept_results, self._shortcuts = kept_results, shortcuts

    def refresh(self) -> None:
        """Look at everything anew."""
        panels, can_start, is_open = self._panels, self._workflow.can_start, self._panels.view.is_open
        is_reading = self._workflow.on_screen.is_reading
        self._offer_weights()
        reasons = {kind: not_taken(panels.model.settings.key, kind) for kind in PROMPT_KINDS}
        panels.prompts.lock(is_reading)
        panels.prompts.offer_drawing(panels.volume.volume is not None, reasons)
        panels.actions.offer(compare=can_start and panels.prompts.has_objects, live=can_start, is_open=is_open)
        panels.actions.offer_kept(self._kept_results.offered is not None and can_start)
        panels.actions.show_hint(self._hint())
        panels.view_bar.setVisible(is_open)
        panels.view_bar.offer_keeping(not is_reading)
        self._shortcuts.set_open(is_open)

    def _offer_weights(self) -> None:
        panels, weights = self._panels, self._workflow.weights
        is_free, chosen = not panels.jobs.is_running, weights.chosen
        if chosen:
            panels.weights.show_ready([(each.settings.title, each.effective_bits) for each in chosen])
        else:
            panels.weights.show_missing(panels.calibration.choice, weights.finished_titles)
        panels.weights.offer_elsewhere(weights.made_elsewhere if is_free else None)
        self._steps.show_state(weights.finished_titles, len(weights.missing))
        saved = weights.to_save if is_free else None
        title = "" if saved is None else saved.settings.title
        panels.weights.offer(quantize=self._workflow.can_start, load=is_free, save=title)

    def _hint(self) -> str:
        """What the user should do now."""
        panels, on_screen, is_open = self._panels, self._workflow.on_screen, self._panels.view.is_open
        return next_step(
            has_volume=panels.volume.volume is not None,
            has_box=panels.prompts.has_objects,
            draws_boxes=not not_taken(panels.model.settings.key, "box"),
            lacks_checkpoint=panels.model.lacks_checkpoint,
            has_weights=bool(self._workflow.weights.chosen),
            is_shown=is_open,
            is_live=is_open and panels.live.is_live(on_screen.current_number),
            has_kept=self._kept_results.offered is not None,
            is_reading=on_screen.is_reading,
            is_running=panels.jobs.is_running,
            is_opening=panels.view.is_opening and not panels.jobs.is_running,
        )
