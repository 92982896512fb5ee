"""A blinded reading in the view: two masks without names, and nothing in sight that tells whose they are."""

from __future__ import annotations

from napari.utils.notifications import show_error

from napari_pqcomq.app.on_screen.comparison_on_screen import ComparisonOnScreen
from napari_pqcomq.app.panels.panels import Panels
from napari_pqcomq.results.judging.reader_study_panel import Pair
from napari_pqcomq.translation import tr
from napari_pqcomq.viewer.modes.mode_registry import SIDE_BY_SIDE
from napari_pqcomq.viewer.scene import Pane, Scene

_NEUTRAL = "#E6E9EE"
"""Of both headings while reading blinded."""


class ReaderStudy:
    """Joins the tab "Blinded" to the view.

    Args:
        panels: of the dock.
        on_screen: of the dock.
    """

    def __init__(self, panels: Panels, on_screen: ComparisonOnScreen) -> None:
        self._panels, self._on_screen = panels, on_screen
        panels.reader_study.started.connect(self._begin)
        panels.reader_study.shown.connect(self._show)
        panels.reader_study.ended.connect(self._end)
        panels.view.closed.connect(panels.reader_study.stop)

    def _begin(self) -> None:
        """Put away everything that names the models."""
        panels, on_screen = self._panels, self._on_screen
        if on_screen.result is None or on_screen.result is not panels.store.result or panels.jobs.is_running:
            panels.reader_study.stop()
            show_error(tr("Press Compare first, and wait until it is done: there is nothing on screen to read."))
            return
        panels.results.isolate(panels.reader_study)
        on_screen.begin_reading()

    def _show(self, pair: Pair) -> None:
        panels, result = self._panels, self._on_screen.result
        if result is None:
            return
        panes = [Pane(tr("Left"), (), pair.left, _NEUTRAL), Pane(tr("Right"), (), pair.right, _NEUTRAL)]
        panels.view.show(SIDE_BY_SIDE)
        panels.view.open(panes, Scene(result.volume, panels.volume.contrast_limits, blinded=True))
        panels.view.go_to(pair.z)
        panels.view.look_at(pair.box)  # all of it before the window draws again: nothing of another place is seen

    def _end(self) -> None:
        """Bring back figures and names."""
        self._panels.results.isolate(None)
        if self._on_screen.is_reading:  # not where it was refused at once
            self._on_screen.end_reading()
