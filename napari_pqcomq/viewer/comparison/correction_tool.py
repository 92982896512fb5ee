"""Brush and eraser on one side of an open comparison: the current object's mask is corrected where it stands."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from napari.components import ViewerModel
from qtpy.QtCore import QObject, Signal

from napari_pqcomq.layers import naparis_tools
from napari_pqcomq.layers.axes_in_sight import is_axial
from napari_pqcomq.layers.discs import disc_along
from napari_pqcomq.layers.volume_layers import transform, voxel_at
from napari_pqcomq.viewer.comparison.comparison_view import ComparisonView
from napari_pqcomq.viewer.modes.mode_registry import SIDE_BY_SIDE

Tool = Literal["brush", "eraser"]
DEFAULT_RADIUS_MM = 5.0


@dataclass(frozen=True, eq=False)
class Painted:
    """A finished stroke.

    Attributes:
        side: that was painted on, counted from 0.
        number: of the object.
        z: slice number.
        before: (y, x) object numbers of the slice.
        after: likewise.
        began: seconds, of the tool's clock.
        ended: seconds.
    """

    side: int
    number: int
    z: int
    before: np.ndarray = field(repr=False)
    after: np.ndarray = field(repr=False)
    began: float
    ended: float

    @property
    def changed(self) -> np.ndarray:
        """Voxels (y, x) of the slice that the stroke changed, bool."""
        return np.asarray(self.before != self.after)


class CorrectionTool(QObject):
    """Paints while a tool is in the hand, on axial slices, side by side; everything else the mouse does rests then.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
        view: the comparison.
        number: asked for the current object, 0 for none.
        parent: Qt parent.
        clock: seconds.

    Attributes:
        painted: emitted with a :class:`Painted` after each stroke that changed something.
        taken: emitted with the tool that is in the hand from now on, "" for none.
        radius_mm: of the disc that is painted.
    """

    painted = Signal(object)
    taken = Signal(str)

    def __init__(
        self,
        viewer: ViewerModel,
        view: ComparisonView,
        number: Callable[[], int],
        parent: QObject | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(parent)
        self._viewer, self._view, self._number, self._clock = viewer, view, number, clock
        self.radius_mm = DEFAULT_RADIUS_MM
        self.tool: Tool | None = None
        viewer.mouse_drag_callbacks.append(self._on_drag)
        view.closed.connect(lambda: self.take(None))
        view.changed.connect(self._on_view)

    def take(self, tool: Tool | None) -> None:
        """Take a tool into the hand; the same again, or None, lays it down."""
        tool = None if tool == self.tool or not self._view.is_open else tool
        if tool != self.tool:
            self.tool = tool
            if tool is not None:
                naparis_tools.lay_down(self._viewer)
            if tool is not None and self._view.name != SIDE_BY_SIDE:
                self._view.show(SIDE_BY_SIDE)
            self._show_cursor()
            self.taken.emit(tool or "")

    def set_radius(self, millimetres: float) -> None:
        """Paint a larger or a smaller disc."""
        self.radius_mm = millimetres
        if self.tool is not None:
            self._show_cursor()

    def release(self) -> None:
        """Stop listening to the viewer."""
        self.take(None)
        if self._on_drag in self._viewer.mouse_drag_callbacks:
            self._viewer.mouse_drag_callbacks.remove(self._on_drag)

    def _on_view(self) -> None:
        """In a single picture nothing is painted, and the mouse must not look as if it were."""
        if self._view.name != SIDE_BY_SIDE:
            self.take(None)

    def _show_cursor(self) -> None:
        """A circle as large as the disc."""
        cursor = self._viewer.cursor
        cursor.scaled = True
        cursor.size = 2 * self.radius_mm
        cursor.style = "circle" if self.tool else "standard"  # type: ignore[assignment]  # names are taken

    def _on_drag(self, viewer: ViewerModel, event: Any) -> Iterator[None]:  # noqa: ANN401 (napari's event)
        side, number, volume, tool = self._side_under_mouse(), self._number(), self._view.volume, self.tool
        if tool is None or event.button != 1 or side is None or not number or volume is None:
            return
        if not is_axial(self._viewer.dims):
            return
        if naparis_tools.is_in_hand(self._viewer):
            self.take(None)  # one of napari's was taken up since
            return
        place, z = transform(volume), voxel_at(volume, self._viewer.dims.point)[0]
        camera = self._viewer.scene.camera
        panned, camera.mouse_pan = camera.mouse_pan, False
        before, began = self._view.masks(z)[side], self._clock()
        here = _voxel(event, place)
        now = self._paint(before.copy(), side, z, number, tool, here, here)
        try:
            yield
            is_here = True
            while event.type == "mouse_move":
                # Another slice, or the end of the comparison, ends the stroke before the button is let go.
                is_here = is_here and self._view.volume is volume and voxel_at(volume, viewer.dims.point)[0] == z
                if is_here:
                    there = _voxel(event, place)
                    now = self._paint(now, side, z, number, tool, here, there)
                    here = there
                yield
        finally:
            camera.mouse_pan = panned
        if self._view.volume is volume and (now != before).any():
            self.painted.emit(Painted(side, number, z, before, now, began, self._clock()))

    def _paint(
        self, mask: np.ndarray, side: int, z: int, number: int, tool: Tool, start: np.ndarray, end: np.ndarray
    ) -> np.ndarray:
        """A slice's mask after the disc has gone from one place to another."""
        volume = self._view.volume
        assert volume is not None  # noqa: S101 (a stroke began on it)
        found = disc_along(start, end, self.radius_mm, volume.grid.spacing_zyx[1:], mask.shape)
        if found is None:
            return mask
        patch, inside = found
        if tool == "eraser":
            mask[patch][inside & (mask[patch] == number)] = 0
        else:
            mask[patch][inside] = number
        self._view.set_mask_of(side, z, mask)
        return mask

    def _side_under_mouse(self) -> int | None:
        """Of the cells side by side; None elsewhere."""
        grid, cell = self._viewer.canvas.grid, self._viewer.cursor.viewbox
        if not grid.enabled or cell is None:
            return None
        index = cell[0] * grid.shape[1] + cell[1]
        return index if index < self._view.sides else None


def _voxel(event: Any, place: dict[str, Any]) -> np.ndarray:  # noqa: ANN401 (napari's event)
    """Row and column under the mouse, in voxels."""
    voxel: np.ndarray = (np.asarray(event.position[-3:]) - place["translate"]) / place["scale"]
    return voxel[1:]
