"""What the open view shows: a finished comparison, masks that follow the boxes, or a blinded reading."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from napari.utils.notifications import show_error
from qtpy.QtCore import QObject, Signal

from napari_pqcomq.app.on_screen.mask_keeping import MaskKeeping
from napari_pqcomq.app.panels.panels import Panels
from napari_pqcomq.live.live_session import LiveModels
from napari_pqcomq.live.live_truth import LiveTruth
from napari_pqcomq.translation import tr
from napari_pqcomq.viewer.comparison.result_panes import live_panes, lowest_failing, panes_of
from napari_pqcomq.viewer.scene import Pane, Scene
from pqcomq.comparison.compared_model import ComparedModel
from pqcomq.comparison.comparison_result import ComparisonResult, ObjectComparison
from pqcomq.comparison.model_result import Comparison
from pqcomq.progress import Progress
from pqcomq.segmentation.embedding_cache import EmbeddingCache
from pqcomq.segmentation.prompt import Prompt
from pqcomq.volumes.volume import Volume

_CACHE_BYTES = 2**30
"""Four models on sixty slices."""


def nothing() -> None:
    """What follows where nothing does."""


class ComparisonOnScreen(QObject):
    """Opens the view, lets masks follow the boxes in it, and knows what is in sight; runs no models over slices.

    Args:
        panels: of the dock.
        parent: Qt parent.

    Attributes:
        changed: emitted when something else is in sight than before, or is about to be.
        shown: emitted after something else has come on screen: a comparison, live masks, or a blinded reading.
        keeping: makes layers of the masks in sight.
        embeddings: of the slices that models have seen.
        result: the comparison whose masks the view shows or showed last; None where it shows live masks alone.
        is_reading: a blinded reading is under way: nothing else may run, and neither names nor figures may be seen.
    """

    changed = Signal()
    shown = Signal()

    def __init__(self, panels: Panels, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._panels = panels
        self.keeping, self.embeddings = MaskKeeping(panels, self), EmbeddingCache(_CACHE_BYTES)
        self.result: ComparisonResult | None = None
        self.is_reading = False
        self._compared_models: tuple[ComparedModel, ...] = ()  # of the sides, in their order
        self._truth = LiveTruth(
            panels.truth, panels.view, panels.objects, lambda: self.result is None and not self.is_reading
        )
        self._connect()

    def set_volume(self, volume: Volume | None) -> None:
        """Be about another volume: what is in sight of the one before goes.

        Args:
            volume: None where none is open.
        """
        panels = self._panels
        self.result = None
        shown = panels.store.result  # a volume of another modality is another one with the same voxels
        if shown is not None and (volume is None or shown.volume.voxels is not volume.voxels):
            panels.store.clear()
        for part in (panels.cursor, panels.letters, panels.prompts, panels.truth):
            part.set_volume(volume)
        self._on_box()

    def show_masks(self, result: ComparisonResult, then: Callable[[], None] = nothing) -> None:
        """Put the masks and plates of a result in the view; ``then`` is called when they are on screen."""
        self.result = result
        truths = [found.truth for found in result.objects if found.truth is not None]
        truth = np.logical_or.reduce(truths) if truths else None

        def opened() -> None:
            self._follow(result.models, {each.number: each.prompt for each in result.objects})
            then()
            self.shown.emit()

        number, tolerance = self.current_number, self._panels.gate.tolerance
        self._open(panes_of(result, number, tolerance), truth, opened, lowest_failing(result, number, tolerance))

    def show_live(self, compared_models: tuple[ComparedModel, ...], then: Callable[[], None] = nothing) -> None:
        """Open the view without masks; they follow the boxes, and ``then`` is called when it is open."""
        self.result = None

        def opened() -> None:
            self._follow(compared_models, {})
            self.shown.emit()
            then()

        panes = live_panes([each.segmenter for each in compared_models], self._volume)
        self._open(panes, self._panels.truth.fitting_truth(), opened)

    def begin_reading(self) -> None:
        """A blinded reading begins: stop everything that names the models."""
        self.is_reading = True
        self._panels.live.stop()
        self._panels.view_bar.set_candidates([])
        self.shown.emit()

    def end_reading(self) -> None:
        """A blinded reading has ended: bring the comparison back, unless the user has closed the view."""
        self.is_reading = False
        if self.result is not None and self._panels.view.is_open:
            self.show_masks(self.result)
        self.changed.emit()

    def keep_masks(self) -> None:
        """Keep the masks in sight, live ones included, as labels layers, shown when the comparison is closed."""
        if self._panels.view.is_open and not self.is_reading:  # a reader must not learn the names
            self.keeping.keep(self._compared_models, self.result)

    @property
    def current_number(self) -> int:
        """Number of the current object, 0 where there is none."""
        current = self._panels.objects.current_prompt
        return current.number if current else 0

    def current_result(self) -> ObjectComparison | None:
        """The current object's result; None while it is live, out of sight, or read blinded."""
        panels, number = self._panels, self.current_number
        if self.result is None or self.is_reading or not panels.view.is_open or panels.live.is_live(number):
            return None
        return self.result.of(number)

    def current_comparison(self) -> Comparison | None:
        """The current object's comparison with the model that views of two are about."""
        found = self.current_result()
        return None if found is None else found.comparisons[self._panels.view.candidate - 1]

    @property
    def _volume(self) -> Volume:
        volume = self._panels.volume.volume
        assert volume is not None  # noqa: S101 (it was just worked on)
        return volume

    def _connect(self) -> None:
        panels = self._panels
        panels.volume.previewed.connect(panels.view.set_contrast_limits)
        panels.volume.windowed.connect(self._on_window)
        panels.objects.settled.connect(self._on_box)  # a volume of labels is not counted at every move
        panels.truth.changed.connect(self._on_box)
        panels.truth.label.valueChanged.connect(self._truth.draw)
        panels.view.closed.connect(self._on_closed)
        panels.view.opening.connect(lambda step, total: panels.jobs.show_drawing(_opening(step, total)))
        panels.live.failed.connect(show_error)
        panels.jobs.running.connect(panels.live.pause)
        # After the live session, which listens since it was made: it knows by then which masks have become live.
        panels.objects.changed.connect(self._on_objects)
        panels.view.changed.connect(self.changed)
        self.shown.connect(self.changed)

    def _open(self, panes: list[Pane], truth: np.ndarray | None, then: Callable[[], None], candidate: int = 1) -> None:
        panels = self._panels
        if not panels.view.is_open:
            panels.docks.make_room()
        panels.view_bar.set_candidates([pane.title for pane in panes[1:]], candidate - 1)
        panels.prompts.show_in_view(True)
        limits, objects = panels.volume.contrast_limits, panels.objects.objects
        panels.view.open_in_steps(
            panes, Scene(self._volume, limits, objects, truth, self.current_number), then, candidate
        )
        self.changed.emit()

    def _follow(self, compared_models: tuple[ComparedModel, ...], compared: dict[int, Prompt]) -> None:
        """Let masks follow the boxes from now on."""
        self._compared_models = compared_models
        segmenters = tuple(each.segmenter for each in compared_models)
        window = self._panels.volume.intensity_window
        self._panels.live.start(LiveModels(self._volume, window, segmenters, self.embeddings), compared)

    def _on_window(self, limits: tuple[float, float]) -> None:
        """The picture, and what live models see if they see that; figures stay those of the window of then."""
        self._panels.view.set_contrast_limits(limits)
        self._panels.live.set_window(self._panels.volume.intensity_window)

    def _on_objects(self) -> None:
        if self._truth.is_of_another:
            self._truth.choose()
        self.changed.emit()

    def _on_box(self) -> None:
        self._truth.choose()
        self.changed.emit()

    def _on_closed(self) -> None:
        self._panels.live.stop()
        self._panels.docks.restore()
        self._panels.prompts.show_in_view(False)
        self.changed.emit()


def _opening(step: int, total: int) -> Progress:
    """How far the view is while it is opened."""
    return Progress(step, total, tr("Opening the view, step {step} of {total}", step=step, total=total))
