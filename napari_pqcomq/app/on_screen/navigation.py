"""Where the user is taken: to an object, to the worst slice, to the slice where the models first diverge."""

from __future__ import annotations

from qtpy.QtCore import QObject

from napari_pqcomq.app.on_screen.comparison_on_screen import ComparisonOnScreen
from napari_pqcomq.app.panels.panels import Panels
from napari_pqcomq.layers.axes_in_sight import axes_in_sight
from napari_pqcomq.layers.volume_layers import slice_millimetres, voxel_at
from pqcomq.segmentation.box import Box3D


class Navigation(QObject):
    """Moves slice and camera of the open comparison.

    Args:
        panels: of the dock.
        on_screen: of the dock.
        parent: Qt parent.
    """

    def __init__(self, panels: Panels, on_screen: ComparisonOnScreen, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._panels, self._on_screen = panels, on_screen
        on_screen.shown.connect(self._on_shown)
        panels.prompts.objects.chosen.connect(self._on_chosen)

    def go_to_worst(self) -> None:
        """Show the slice on which the models agree least about the current object, and the object on it."""
        found = self._on_screen.current_comparison()
        if found is not None:
            self._panels.view.go_to(found.worst_slice)
            self._look_at_object()

    def go_to_divergence(self) -> None:
        """Show the slice on which the models first diverge."""
        found = self._on_screen.current_comparison()
        if found is not None and found.divergence is not None:
            self._panels.view.go_to(found.divergence.z)

    def toggle_zoom(self) -> None:
        """Look at the current object, or back at the whole slice."""
        if self._panels.view.is_close:
            self._panels.view.look_at(None)
        else:
            self._look_at_object()

    def _on_shown(self) -> None:
        """A finished comparison is looked at where its object is; live masks and readings where the user was."""
        if self._on_screen.result is not None:
            self._look_at_object()

    def _on_chosen(self) -> None:
        """The user has chosen an object of the list: look at it, on a slice of its box."""
        current, view = self._panels.objects.current_prompt, self._panels.view
        volume = view.volume
        if current is None or volume is None or not view.is_open or self._on_screen.is_reading:
            return
        if voxel_at(volume, self._panels.viewer.dims.point)[0] not in current.asked.slices:
            view.go_to(current.asked.start)
        self._look_at_object()

    def _look_at_object(self) -> None:
        current = self._panels.objects.current_prompt
        if current is not None and not self._on_screen.is_reading:
            self._go_through(current.extent)
            self._panels.view.look_at(current.box)  # of points nobody knows how far: the whole slice

    def _go_through(self, box: Box3D) -> None:
        """Let the planes that are not in sight go through an object, unless they do."""
        dims, volume = self._panels.viewer.dims, self._panels.view.volume
        if volume is None:
            return
        point, here = list(dims.point), voxel_at(volume, dims.point)
        for axis in (axes_in_sight(dims) or ())[-dims.ndisplay :]:
            low, high = box.ranges_zyx[axis]
            if not low <= here[axis] <= high:
                point[axis - 3] = slice_millimetres(volume, round((low + high) / 2), axis)
        dims.point = tuple(point)
