"""The parts of the dock: each knows its own controls and none of the others."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from napari.components import ViewerModel
from qtpy.QtWidgets import QWidget

from napari_pqcomq.app.panels.action_bar import ActionBar
from napari_pqcomq.autosave.autosave_panel import AutosavePanel
from napari_pqcomq.jobs.running.job_runner import JobRunner
from napari_pqcomq.live.live_session import LiveSession
from napari_pqcomq.prompts.objects.prompt_list import PromptList
from napari_pqcomq.prompts.prompt_panel import PromptPanel
from napari_pqcomq.results.figures.metrics_table import MetricsTable
from napari_pqcomq.results.figures.plots_panel import PlotsPanel
from napari_pqcomq.results.held.result_store import ResultStore
from napari_pqcomq.results.judging.cascade_panel import CascadePanel
from napari_pqcomq.results.judging.gate_panel import GatePanel
from napari_pqcomq.results.judging.reader_study_panel import ReaderStudyPanel
from napari_pqcomq.results.masks.corrections_panel import CorrectionsPanel
from napari_pqcomq.results.masks.result_export_panel import ResultExportPanel
from napari_pqcomq.results.result_tabs import ResultTabs
from napari_pqcomq.results.results_dock import ResultsDock
from napari_pqcomq.results.session_panel import SessionPanel
from napari_pqcomq.setup.calibration_panel import CalibrationPanel
from napari_pqcomq.setup.ground_truth_panel import GroundTruthPanel
from napari_pqcomq.setup.model_panel import ModelPanel
from napari_pqcomq.setup.mouse_panel import MousePanel
from napari_pqcomq.setup.volume_panel import VolumePanel
from napari_pqcomq.setup.weights_panel import WeightsPanel
from napari_pqcomq.translation import tr
from napari_pqcomq.viewer.comparison.comparison_view import ComparisonView
from napari_pqcomq.viewer.comparison.view_bar import ViewBar
from napari_pqcomq.viewer.navigation.pacs_mouse import PacsMouse
from napari_pqcomq.viewer.overlays.cursor_status import CursorStatus
from napari_pqcomq.viewer.overlays.direction_letters import DirectionLetters
from napari_pqcomq.viewer.overlays.plane_insets import InsetSource, PlaneInsets
from napari_pqcomq.viewer.overlays.slice_strip import SliceStrip
from napari_pqcomq.widgets.dock.question_bar import QuestionBar
from napari_pqcomq.widgets.napari_window.gl_context import GLContext
from napari_pqcomq.widgets.napari_window.message_log import MessageLog
from napari_pqcomq.widgets.napari_window.napari_docks import NapariDocks
from pqcomq.autosave.places import autosave_folder


@dataclass(frozen=True, eq=False, repr=False)
class Panels:
    """What the dock is put together from.

    Attributes:
        viewer: napari's viewer or the proxy that plugins get.
        volume: which volume, and in which window.
        model: which model, how many bits, what runs it.
        calibration: what the quantizer may look at; shown inside ``model``.
        weights: makes, loads and saves quantized weights.
        objects: the boxes that prompt the models.
        prompts: shows and changes them.
        truth: ground truth.
        store: the last finished comparison, which the panels of the results area read.
        results: those panels, behind tabs.
        results_dock: where the tabs stand, below the pictures.
        metrics: the comparison's figures.
        export: writes its masks.
        plots: its plots.
        gate: the tolerance, and a verdict for each object and model.
        cascade: the quantized model first, full precision where that is in doubt.
        corrections: brush and eraser, and what they took.
        reader_study: asks which mask is better, without names.
        session: saves and opens what was compared, and moves the boxes.
        autosave: whether unfinished work is kept on disk.
        jobs: runs work in the background, one job at a time.
        messages: what was said.
        question: what only the user can decide.
        actions: what to press next.
        view: the comparison on the canvas.
        view_bar: how it is viewed.
        slice_strip: Dice slice by slice, beside the slider.
        live: masks that follow the boxes while the view is open.
        insets: the planes beside the one in the large picture.
        mouse: what wheel and buttons do on the picture.
        mouse_panel: switches between that and napari's own.
        letters: the patient's directions on the picture, and the scale bar.
        cursor: the mouse's place in the patient, in napari's status bar.
        docks: napari's own docks, which make room for the view.
        gl_context: of the canvas, made current before napari deletes graphics.
    """

    viewer: ViewerModel
    volume: VolumePanel
    model: ModelPanel
    calibration: CalibrationPanel
    weights: WeightsPanel
    objects: PromptList
    prompts: PromptPanel
    truth: GroundTruthPanel
    store: ResultStore
    results: ResultTabs
    results_dock: ResultsDock
    metrics: MetricsTable
    export: ResultExportPanel
    plots: PlotsPanel
    gate: GatePanel
    cascade: CascadePanel
    corrections: CorrectionsPanel
    reader_study: ReaderStudyPanel
    session: SessionPanel
    autosave: AutosavePanel
    jobs: JobRunner
    messages: MessageLog
    question: QuestionBar
    actions: ActionBar
    view: ComparisonView
    view_bar: ViewBar
    slice_strip: SliceStrip
    live: LiveSession
    insets: PlaneInsets
    mouse: PacsMouse
    mouse_panel: MousePanel
    letters: DirectionLetters
    cursor: CursorStatus
    docks: NapariDocks
    gl_context: GLContext

    def release(self) -> None:
        """End the job and the comparison, and stop listening to the viewer; before Qt deletes any of the panels."""
        self.jobs.cancel()
        self.live.release()
        self.view.close()
        self.gl_context.release()
        self.cursor.release()
        self.messages.release()
        self.mouse.release()
        self.insets.release()
        self.letters.release()
        self.slice_strip.release()
        self.view_bar.release()
        self.results_dock.release()
        for panel in (self.volume, self.model, self.prompts, self.truth):
            panel.release()


def make_panels(viewer: ViewerModel, dock: QWidget) -> Generator[None, None, Panels]:
    """Make the parts, in steps; they are arranged by :func:`.lay_out`.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
        dock: the widget that will hold them.
    """
    gl_context = GLContext(viewer, dock)
    objects, store = PromptList(dock), ResultStore(dock)
    letters = DirectionLetters(viewer, dock)
    view, calibration = ComparisonView(viewer, dock), CalibrationPanel()
    volume, results = VolumePanel(viewer), ResultTabs()
    yield
    model, weights, prompts, truth = (
        ModelPanel(calibration),
        WeightsPanel(),
        PromptPanel(viewer, objects),
        GroundTruthPanel(viewer),
    )
    yield
    metrics, export, plots = MetricsTable(), ResultExportPanel(store), PlotsPanel(store)
    gate, cascade = GatePanel(store), CascadePanel()
    yield
    panels = Panels(
        viewer=viewer,
        volume=volume,
        model=model,
        calibration=calibration,
        weights=weights,
        objects=objects,
        prompts=prompts,
        truth=truth,
        store=store,
        results=results,
        results_dock=ResultsDock(results, dock),
        metrics=metrics,
        export=export,
        plots=plots,
        gate=gate,
        cascade=cascade,
        corrections=CorrectionsPanel(store),
        reader_study=ReaderStudyPanel(store),
        session=SessionPanel(),
        autosave=AutosavePanel(autosave_folder()),
        jobs=JobRunner(),
        messages=MessageLog(),
        question=QuestionBar(),
        actions=ActionBar(),
        view=view,
        view_bar=ViewBar(viewer, view),
        slice_strip=SliceStrip(viewer, dock),
        live=LiveSession(viewer, view, objects, dock),
        insets=PlaneInsets(viewer, lambda: _inset_source(volume, view, store)),
        mouse=PacsMouse(viewer, dock, lambda: volume.limits_now),
        mouse_panel=MousePanel(),
        letters=letters,
        cursor=CursorStatus(viewer),
        docks=NapariDocks(dock),
        gl_context=gl_context,
    )
    yield
    _add_tabs(panels)
    _connect(panels)
    return panels


def _add_tabs(panels: Panels) -> None:
    """What is read of a result, one behind the other."""
    add = panels.results.add_panel
    add(tr("Figures"), panels.metrics)
    add(tr("Export"), panels.export, tr("Write the masks with a record of how they were made"))
    add(tr("Plots"), panels.plots, tr("Dice along the slices, bits against Dice, latencies, layers"))
    add(tr("Gate"), panels.gate, tr("Does the quantized model pass your tolerance?"))
    add(tr("Correct"), panels.corrections, tr("Correct masks with brush and eraser, and count what it takes"))
    add(tr("Blinded"), panels.reader_study, tr("Prefer one of two masks without knowing whose they are"))


def _connect(panels: Panels) -> None:
    """What panels tell each other, whatever the work is about."""
    volume, view, mouse, objects, truth = panels.volume, panels.view, panels.mouse, panels.objects, panels.truth
    for signal in (view.changed, view.closed):
        signal.connect(lambda: panels.letters.stand_below(view.strips))
    mouse.dragged.connect(lambda limits: volume.show_limits(*limits, settled=False))
    mouse.settled.connect(lambda limits: volume.show_limits(*limits))
    panels.mouse_panel.changed.connect(mouse.set_on)
    objects.settled.connect(lambda: truth.keep_to(objects.objects))
    for signal in (volume.changed, view.changed):
        signal.connect(mouse.attach)
    for signal in (volume.changed, volume.previewed, volume.windowed, view.changed, view.closed, view.redrawn):
        signal.connect(panels.insets.refresh)


def _inset_source(volume: VolumePanel, view: ComparisonView, store: ResultStore) -> InsetSource | None:
    """What the small planes show: the volume, and where the models in sight differ, which a blinded reader sees not."""
    if volume.volume is None or volume.limits_now is None:
        return None
    return InsetSource(volume.volume, volume.limits_now, None if store.is_being_read else view.pair())
