"""The cascade as an action of the dock: small first, big when in doubt."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from napari.utils.notifications import show_error, show_info
from qtpy.QtCore import QObject

from napari_pqcomq.app.on_screen.mask_keeping import add_masks
from napari_pqcomq.app.panels.panels import Panels
from napari_pqcomq.app.work.job_requests import cascade_job, expected_passes
from napari_pqcomq.app.work.workflow import Workflow
from napari_pqcomq.jobs.comparing.cascade_jobs import CascadeOutcome, ReadThresholdJob
from napari_pqcomq.jobs.progress.parts import WHOLE
from napari_pqcomq.results.masks.kept_masks import labels_layer
from napari_pqcomq.translation import tr
from napari_pqcomq.viewer.navigation.slice_steps import show_slice
from pqcomq.cohort.packages import check_installed
from pqcomq.cohort.statistics.cascade_threshold import CascadeThreshold
from pqcomq.comparison.presentation.comparison_text import short_precision
from pqcomq.errors import InputError
from pqcomq.quantization.quantized_model import QuantizedModel


class Cascading(QObject):
    """Joins the cascade's panel to the work flow; its limit is the gate's, one for both.

    Args:
        panels: of the dock.
        workflow: of the dock.
        parent: Qt parent.
    """

    def __init__(self, panels: Panels, workflow: Workflow, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._panels, self._workflow = panels, workflow
        panel = panels.cascade
        panel.run_requested.connect(self.run)
        panel.cohort_requested.connect(self.take_threshold)
        panel.slice_chosen.connect(self._go_to)
        panel.changed.connect(self._to_gate)
        panels.gate.changed.connect(self._from_gate)
        panels.volume.changed.connect(panel.clear)
        workflow.changed.connect(self.refresh)
        self._from_gate()
        self.refresh()

    def refresh(self) -> None:
        """Bring the buttons in line with what can be done now."""
        panels, workflow = self._panels, self._workflow
        is_free = not panels.jobs.is_running
        panels.cascade.offer(
            run=workflow.can_start and panels.prompts.has_objects,
            cohort=is_free and bool(workflow.weights.chosen),
            models=[each.settings.title for each in panels.model.choices],
        )

    def run(self, part: tuple[float, float] = WHOLE) -> None:
        """Run the cascade in the background, quantizing first where that is still to be done.

        Args:
            part: of the bar, where something was done for it before.
        """
        panels, workflow = self._panels, self._workflow
        missing = workflow.weights.missing
        if missing:
            workflow.quantize_then(missing, self.run, tr("then the cascade runs"), expected_passes(panels, 2))
            return
        try:
            job = cascade_job(panels, workflow.models, self._weights(), workflow.on_screen.embeddings)
        except InputError as error:
            show_error(str(error))
        else:
            panels.jobs.start(job.steps, self._show, tr("Running the cascade…"), part=part)

    def take_threshold(self, folder: Path) -> None:
        """Take the limit that a cohort has told for these weights, in the background."""
        if not self._workflow.weights.chosen or self._panels.jobs.is_running:
            return

        def take(found: CascadeThreshold) -> None:
            if not self._workflow.weights.chosen or self._weights().segmenter.fingerprint != job.fingerprint:
                show_info(tr("The limit was not taken: another quantized model was chosen meanwhile."))
                return
            self._panels.cascade.set_threshold(found.threshold)
            self._panels.cascade.show_message(found.sentence)

        try:
            check_installed()
        except InputError as error:
            show_error(str(error))
            return
        job = ReadThresholdJob(folder, self._weights().segmenter.fingerprint)
        self._panels.jobs.start(job.steps, take, tr("Reading {folder}…", folder=folder.name))

    def _weights(self) -> QuantizedModel:
        """Of the quantized model that is asked first."""
        chosen = self._workflow.weights.chosen
        return chosen[min(max(self._panels.cascade.models.currentIndex(), 0), len(chosen) - 1)]

    def _show(self, outcome: CascadeOutcome) -> None:
        """Give the masks to the user as a layer, and tell who has answered where."""
        panels = self._panels
        name = tr(
            "Cascade of {precision} below {threshold:g}",
            precision=short_precision(outcome.small.segmenter.precision),
            threshold=outcome.threshold,
        )
        layer = labels_layer(outcome.labels, name, outcome.volume, outcome.names, outcome.origins)
        add_masks(panels, layer, outcome.volume)
        if outcome.volume is panels.volume.volume:  # the table would lead to slices of another one
            panels.cascade.show_outcome(outcome, name)
            if panels.view.is_open:
                show_info(tr("The layer “{name}” is shown when the comparison is closed.", name=name))

    def _go_to(self, z: int) -> None:
        """Show a slice of the volume that the table is about; it is emptied where another one is chosen."""
        volume = self._panels.volume.volume
        if volume is not None:
            show_slice(self._panels.viewer, volume, z)

    def _to_gate(self) -> None:
        gate, threshold = self._panels.gate, self._panels.cascade.threshold
        if gate.tolerance.stability != threshold:
            gate.set_tolerance(replace(gate.tolerance, stability=threshold))

    def _from_gate(self) -> None:
        panel, threshold = self._panels.cascade, self._panels.gate.tolerance.stability
        if panel.threshold != threshold:
            panel.set_threshold(threshold)
