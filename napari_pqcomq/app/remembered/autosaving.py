"""Unfinished work on disk, joined to the dock's panels and to the work flow."""

from __future__ import annotations

from qtpy.QtCore import QObject

from napari_pqcomq.app.panels.panels import Panels
from napari_pqcomq.app.work.workflow import Workflow
from napari_pqcomq.autosave.autosave import Autosave
from pqcomq.autosave.places import autosave_folder
from pqcomq.autosave.work import UnfinishedWork


def made_autosave(panels: Panels, workflow: Workflow, parent: QObject) -> Autosave:
    """Autosave of a dock; it begins with its ``start``.

    Args:
        panels: of the dock.
        workflow: of the dock; its weights are looked for on disk when work is resumed.
        parent: Qt parent.
    """
    remembered = (panels.model, panels.calibration, panels.prompts)

    def settings() -> dict[str, str]:
        return {key: value for panel in remembered for key, value in panel.preferences().items()}

    def resumed(work: UnfinishedWork) -> None:
        for panel in remembered:
            panel.restore(work.settings)
        panels.volume.take_modality(work.modality)
        workflow.recall_weights()

    def shown() -> None:
        if panels.view.is_open or panels.view.is_opening:
            autosave.offer.put_off()

    def closed() -> None:
        if panels.volume.volume is autosave.recorder.volume:  # else another volume comes, and is looked at by itself
            autosave.offer.take_up()

    autosave = Autosave(
        viewer=panels.viewer,
        volume=panels.volume,
        objects=panels.objects,
        store=panels.store,
        question=panels.question,
        jobs=panels.jobs,
        panel=panels.autosave,
        folder=autosave_folder(),
        settings=settings,
        kept=workflow.kept,
        parent=parent,
    )
    for panel in (panels.model, panels.calibration):
        panel.changed.connect(autosave.recorder.note)
    autosave.offer.resumed.connect(resumed)
    panels.view.changed.connect(shown)
    panels.view.closed.connect(closed)
    return autosave
