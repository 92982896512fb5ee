"""What was finished on a volume is there again when dock or volume are opened anew."""

from __future__ import annotations

from qtpy.QtCore import QObject

from napari_pqcomq.app.panels.panels import Panels
from napari_pqcomq.app.work.workflow import Workflow
from napari_pqcomq.jobs.comparing.kept_work import KeptResult, KeptTruth, RecallJob
from napari_pqcomq.prompts.objects.merging import merged
from napari_pqcomq.translation import tr
from pqcomq.comparison.comparison_result import ComparisonResult


class KeptResults(QObject):
    """Keeps the last comparison and the ground truth of each volume, and brings them back.

    Args:
        panels: of the dock.
        workflow: of the dock.
        parent: Qt parent.
    """

    def __init__(self, panels: Panels, workflow: Workflow, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._panels, self._workflow = panels, workflow
        self._volume_key = ""
        panels.store.changed.connect(self._keep)
        panels.store.jitters_changed.connect(self._complete)
        panels.objects.settled.connect(self._complete)
        panels.objects.settled.connect(self._keep_truth)
        panels.reader_study.ended.connect(self._complete)
        panels.store.corrected.connect(self._complete)
        panels.truth.changed.connect(self._keep_truth)
        panels.truth.label.valueChanged.connect(self._keep_truth)
        workflow.changed.connect(self._on_changed)
        self._on_changed()

    @property
    def offered(self) -> KeptResult | None:
        """What could be brought back now: the last comparison of the open volume while none is on screen."""
        workflow, view = self._workflow, self._panels.view
        is_shown = view.is_open or view.is_opening or workflow.on_screen.is_reading
        return None if is_shown else workflow.kept.result(workflow.volume_key)

    def bring_back(self) -> None:
        """Show what is offered, once it is sure that it belongs to the open volume."""
        panels, kept, volume = self._panels, self.offered, self._panels.volume.volume
        if kept is None or volume is None or panels.jobs.is_running:
            return

        def show(result: ComparisonResult) -> None:
            if result.volume is not panels.volume.volume:
                return  # another was chosen meanwhile; this one is still kept
            panels.objects.load(merged(kept.prompts, panels.objects.objects))
            self._workflow.show_result(result, finish)

        def finish() -> None:
            panels.store.set_jitters(kept.jitters)
            if kept.corrections:
                panels.store.take_corrections(kept.corrections)
            if kept.reading is not None:
                panels.reader_study.show_finished(kept.reading)
            self._workflow.kept.keep(self._workflow.volume_key, kept)

        panels.jobs.start(RecallJob(kept, volume).steps, show, tr("Looking for the last comparison…"))

    def release(self) -> None:
        """The dock closes: keep what there is, and let go of what can be made again in a moment."""
        self._complete()
        self._workflow.changed.disconnect(self._on_changed)
        for signal in (self._panels.truth.changed, self._panels.objects.settled):
            signal.disconnect(self._keep_truth)
        self._workflow.models.rest()

    def _keep(self) -> None:
        result = self._panels.store.result
        if result is not None and result.volume is self._panels.volume.volume:
            self._workflow.kept.keep(self._workflow.volume_key, KeptResult.of(result, self._panels.objects.objects))

    def _complete(self) -> None:
        """Boxes were moved, masks corrected, or a reading has ended, since the comparison was finished."""
        panels, store = self._panels, self._panels.store
        if store.result is None or store.result.volume is not panels.volume.volume:
            return
        since: dict[str, object] = {
            "jitters": dict(store.jitters),
            "reading": store.finished_reading,
            "corrections": store.corrections,
        }
        if panels.objects.objects:  # where the layer of the boxes was removed, those compared are kept
            since["prompts"] = panels.objects.objects
        self._workflow.kept.complete(self._workflow.volume_key, store.result, **since)

    def _keep_truth(self) -> None:
        layer, key, truths = self._panels.truth.layer, self._workflow.volume_key, self._workflow.kept.truths
        if not key or key != self._volume_key:
            return
        if layer is None:
            if key in truths and self._panels.truth.layers.findText(truths[key].layer) >= 0:
                del truths[key]  # it is there, and the user has chosen none
            return
        labels, objects = self._panels.truth.labels_set, self._panels.objects.objects
        if not objects and key in truths and truths[key].layer == layer.name:
            return  # the layer of the boxes was removed; they may come back
        truths[key] = KeptTruth(
            layer.name, {each.name: labels[each.number] for each in objects if each.number in labels}
        )

    def _on_changed(self) -> None:
        """Another volume is open: choose its ground truth again."""
        key, truth = self._workflow.volume_key, self._panels.truth
        if key == self._volume_key or truth.volume is not self._panels.volume.volume:
            return  # boxes and labels may still be those of the volume before
        self._volume_key = ""  # what is chosen meanwhile is not the user's choice
        kept = self._workflow.kept.truths.get(key)
        if kept is not None and truth.choose_named(kept.layer):
            objects = self._panels.objects.objects
            truth.set_labels({each.number: kept.labels[each.name] for each in objects if each.name in kept.labels})
        self._volume_key = key
