"""Letters for the patient's directions at the edges of every picture, and a scale bar, while a volume is open.

In 3-D they turn with the camera, and name two directions where an edge lies between them, as "LA" for left and front.

They are napari's text overlays, one an edge; they are in screenshots of the canvas. Those of a grid, repeated in each
of its cells, are others than those of a single picture: napari deletes a grid's texts when it is left, and makes them
again when it is entered, which takes longer than all else; what is out of sight by then it keeps.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from napari.components import Camera, ViewerModel
from napari.components.overlays import TextOverlay

from napari_pqcomq.viewer.orthogonal_planes import show_unmirrored
from napari_pqcomq.viewer.overlays.plate_strips import PlateStrips
from pqcomq.volumes.volume import Volume

PREFIX = "pqcomq_"
GRID_PREFIX = "pqcomq_grid_"
EDGES = ("middle_left", "middle_right", "top_center", "bottom_center")
_BACKGROUND = (0.0, 0.0, 0.0, 0.4)
_POINTS = 11
_LEAST_SHARE = 0.38
"""Sine of 22.5 degrees: an edge that lies nearer to an axis than that is named by this axis alone."""


class DirectionLetters:
    """The letters of one viewer.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._volume: Volume | None = None
        self._had_scale_bar = viewer.canvas.overlays.scale_bar.visible
        self._lines_above = 0
        self._followed = (
            viewer.dims.events.order,
            viewer.dims.events.ndisplay,
            viewer.dims.events.ndim,
            viewer.scene.camera.events.orientation,
            viewer.scene.camera.events.angles,
        )
        for event in self._followed:
            event.connect(self._show)
        self._in_batch = False
        grid, layers = viewer.canvas.grid.events, viewer.layers.events
        grid.enabled.connect(self._hide_others)  # before napari has left or entered the grid,
        grid.enabled.connect(self._show, position="last")  # and after: meanwhile letters would have no cells
        layers.begin_batch.connect(self._begin_batch)
        layers.end_batch.connect(self._end_batch, position="last")

    def set_volume(self, volume: Volume | None) -> None:
        """Letter another volume, or none."""
        self._volume = volume
        self._viewer.canvas.overlays.scale_bar.visible = volume is not None or self._had_scale_bar
        self._show()

    def stand_below(self, strips: PlateStrips | None) -> None:
        """Put the upper letter below the strips above the pictures, if there are any."""
        self._lines_above = 0 if strips is None else strips.lines
        self._show()

    def release(self) -> None:
        """Take the letters off the canvas, and let go of the viewer."""
        for event in self._followed:
            event.disconnect(self._show)
        grid, layers = self._viewer.canvas.grid.events, self._viewer.layers.events
        grid.enabled.disconnect(self._hide_others)
        grid.enabled.disconnect(self._show)
        layers.begin_batch.disconnect(self._begin_batch)
        layers.end_batch.disconnect(self._end_batch)
        overlays = self._viewer.canvas.overlays
        for name in [prefix + edge for prefix in (PREFIX, GRID_PREFIX) for edge in EDGES]:
            if name in overlays:
                del overlays[name]
        overlays.scale_bar.visible = self._had_scale_bar

    def letters(self) -> dict[str, str]:
        """The letter at each edge; in 3-D one or two of them, the foremost direction first."""
        dims = self._viewer.dims
        if self._volume is None or dims.ndim != 3:
            return dict.fromkeys(EDGES, "")
        if dims.ndisplay == 3:
            return _turned(self._viewer.scene.camera, [self._volume.grid.letters(axis) for axis in range(3)])
        down, across = (2 - int(axis) for axis in dims.order[-2:])  # of the grid, whose axes are x y z
        left, right = self._volume.grid.letters(across)
        ends = self._volume.grid.letters(down)
        bottom, top = ends if self._viewer.scene.camera.orientation2d[0] == "up" else ends[::-1]
        return {"middle_left": left, "middle_right": right, "top_center": top, "bottom_center": bottom}

    def _begin_batch(self, event: object = None) -> None:
        self._in_batch = True

    def _end_batch(self, event: object = None) -> None:
        self._in_batch = False
        self._show()

    def _hide_others(self, event: object = None) -> None:
        """Put the letters of a single picture out of sight in a grid, and those of a grid without one."""
        overlays = self._viewer.canvas.overlays
        others = PREFIX if self._viewer.canvas.grid.enabled else GRID_PREFIX
        for edge in EDGES:
            if others + edge in overlays:
                overlays[others + edge].visible = False

    def _show(self, event: object = None) -> None:
        if self._in_batch:  # at its end
            return
        if self._volume is not None and self._viewer.dims.ndisplay == 3:
            show_unmirrored(self._viewer)  # however 3-D was entered; what is lettered is true
        self._hide_others()
        overlays, in_grid = self._viewer.canvas.overlays, self._viewer.canvas.grid.enabled
        prefix = GRID_PREFIX if in_grid else PREFIX
        for edge, letter in self.letters().items():
            if prefix + edge not in overlays:
                if not letter:
                    continue
                overlays[prefix + edge] = _overlay(edge, letter, in_grid)
            overlay = overlays[prefix + edge]
            lines = self._lines_above if edge == "top_center" and letter else 0
            overlay.text = "\n" * lines + letter
            overlay.box = lines == 0  # it would darken the picture from the edge down
            overlay.visible = bool(letter)


def _turned(camera: Camera, ends: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The letters where the camera shows a volume that is not mirrored.

    Args:
        camera: in 3-D.
        ends: of the axes x y z, the letters at their low and high ends.
    """
    ahead, up = (np.array(each)[::-1] for each in (camera.view_direction, camera.up_direction))  # (3,) x y z
    right = np.cross(ahead, up)
    edges = {"middle_left": -right, "middle_right": right, "top_center": up, "bottom_center": -up}
    return {edge: _along(direction, ends) for edge, direction in edges.items()}


def _along(direction: np.ndarray, ends: Sequence[tuple[str, str]]) -> str:
    """The letters of the one or two axes that a direction (3,) x y z runs along."""
    size = np.abs(direction) / np.linalg.norm(direction)
    axes = [int(axis) for axis in np.argsort(-size)[:2] if size[axis] > _LEAST_SHARE]
    return "".join(ends[axis][int(direction[axis] > 0)] for axis in axes)


def _overlay(edge: str, letter: str, in_grid: bool) -> TextOverlay:
    return TextOverlay(
        position=edge,
        text=letter,
        color="white",  # type: ignore[arg-type]  # names are taken
        box_color=_BACKGROUND,  # type: ignore[arg-type]  # tuples are taken
        font_size=_POINTS,
        gridded=in_grid,
    )
