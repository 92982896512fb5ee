"""Figures of the current object: in the table, on the picture and on the buttons, for the slice and theme in sight."""

from __future__ import annotations

from napari_pqcomq.app.on_screen.comparison_on_screen import ComparisonOnScreen
from napari_pqcomq.app.panels.panels import Panels
from napari_pqcomq.layers.volume_layers import voxel_at
from napari_pqcomq.results.figures.slice_rows import slice_rows
from napari_pqcomq.viewer.comparison.result_panes import plate_lines, plate_marks
from napari_pqcomq.viewer.navigation.slice_steps import show_slice
from pqcomq.comparison.comparison_result import ObjectComparison
from pqcomq.object_colours import object_colour


class CurrentFigures:
    """Has table, plots, plates and slice strip be about the same object, and says whose figures they are.

    Args:
        panels: of the dock.
        on_screen: of the dock.
    """

    def __init__(self, panels: Panels, on_screen: ComparisonOnScreen) -> None:
        self._panels, self._on_screen = panels, on_screen
        self._tabulated: tuple[ObjectComparison, float] | None = None  # what the table of figures is about
        self._connect()
        self._on_theme()
        self._on_tolerance()

    def release(self) -> None:
        """Stop listening to the viewer."""
        viewer = self._panels.viewer
        viewer.dims.events.current_step.disconnect(self._on_slice)
        viewer.events.theme.disconnect(self._on_theme)

    def show(self) -> None:
        """Show the current object in the table, on the plates and on the buttons."""
        panels, on_screen = self._panels, self._on_screen
        found, comparison, result = on_screen.current_result(), on_screen.current_comparison(), on_screen.result
        if found is None or comparison is None or result is None:
            panels.view_bar.set_places(None, None)
            is_live = result is not None and panels.view.is_open and not on_screen.is_reading
            panels.slice_strip.blank() if is_live else panels.slice_strip.clear()
            self._tell_subject()
            return
        divergence = comparison.divergence
        panels.view_bar.set_places(comparison.worst_slice, str(divergence) if divergence else None)
        number = found.number
        tolerance = panels.gate.tolerance
        panels.view.set_lines(plate_lines(result, number, tolerance), plate_marks(result, number, tolerance))
        rows = slice_rows(found, tolerance.stability)
        panels.slice_strip.show_rows(rows, result.volume, comparison.worst_slice, object_colour(number))
        self._tabulate(found)
        self._tell_subject()

    def _connect(self) -> None:
        panels = self._panels
        panels.store.changed.connect(self._on_result)
        panels.plots.slice_chosen.connect(self._go_to)
        panels.slice_strip.slice_chosen.connect(panels.view.go_to)
        panels.gate.changed.connect(self._on_tolerance)
        panels.view.closed.connect(panels.slice_strip.clear)
        panels.view.closed.connect(self._tell_subject)
        panels.live.lines_changed.connect(panels.view.set_lines)
        panels.view_bar.candidate_chosen.connect(self.show)
        panels.gate.changed.connect(self.show)
        self._on_screen.shown.connect(self.show)
        # After the live session, which listens since it was made: it knows by then which masks have become live.
        panels.objects.changed.connect(self.show)
        panels.viewer.dims.events.current_step.connect(self._on_slice)
        panels.viewer.events.theme.connect(self._on_theme)

    def _on_result(self) -> None:
        """Another comparison is finished."""
        panels, result = self._panels, self._panels.store.result
        if result is None:
            self._tabulated = None
            panels.results.conceal()
            return
        self._tabulate(result.objects[0])
        self._tell_subject()
        panels.results.reveal()

    def _tabulate(self, found: ObjectComparison) -> None:
        below = self._panels.gate.tolerance.stability
        if (found, below) != self._tabulated:
            self._tabulated = (found, below)
            self._panels.metrics.show_object(found, below)
            self._panels.plots.show_object(found.number)

    def _tell_subject(self) -> None:
        """Say whose figures are in sight, and grey them where the prompt has been changed since."""
        panels, found = self._panels, None if self._tabulated is None else self._tabulated[0]
        is_of_before = found is not None and panels.view.is_open and panels.live.is_live(found.number)
        panels.results_dock.tell("" if found is None else found.name, is_of_before=is_of_before)
        panels.metrics.setEnabled(not is_of_before)

    def _on_tolerance(self) -> None:
        self._panels.plots.set_tolerance(self._panels.gate.tolerance)

    def _go_to(self, z: int) -> None:
        """Show a slice of what the plots are about, whose comparison may be closed and other volumes open by now."""
        result = self._panels.store.result
        if result is not None:
            show_slice(self._panels.viewer, result.volume, z)

    def _on_slice(self, event: object = None) -> None:
        panels, result = self._panels, self._panels.store.result
        volume = panels.volume.volume if result is None else result.volume
        if volume is not None:
            panels.plots.set_slice(voxel_at(volume, panels.viewer.dims.point)[0])

    def _on_theme(self, event: object = None) -> None:
        self._panels.plots.set_dark(self._panels.viewer.theme != "light")
