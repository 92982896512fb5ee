"""Letters for the patient's directions at the edges of every picture, and a scale bar, while a volume is open.

In 3-D they turn with the camera, and name two directions where an edge lies between them, as "LA" for left and front.

Those of a single picture are napari's text overlays, and in screenshots of the canvas. Those of a grid's cells and of
a comparison are :class:`.CellLetters`: napari places its own anew, layer by layer, at every switch of views.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from napari.components import Camera, ViewerModel
from napari.components.overlays import TextOverlay
from qtpy.QtWidgets import QWidget

from napari_pqcomq.layers.axes_in_sight import axes_in_sight
from napari_pqcomq.viewer.navigation.orthogonal_planes import show_unmirrored
from napari_pqcomq.viewer.overlays.cell_letters import CellLetters
from napari_pqcomq.viewer.overlays.plate_strips import PlateStrips
from napari_pqcomq.widgets.napari_window.listeners import Listeners
from pqcomq.volumes.volume import Volume

PREFIX = "pqcomq_"
EDGES = ("middle_left", "middle_right", "top_center", "bottom_center")
_BACKGROUND = (0.0, 0.0, 0.0, 0.4)
_POINTS = 11
_LEAST_SHARE = 0.38
"""Sine of 22.5 degrees: an edge that lies nearer to an axis than that is named by this axis alone."""


class DirectionLetters:
    """The letters of one viewer.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
        inside: a widget of the same window, or None: then grids and comparisons have no letters.

    Attributes:
        cells: those of a grid and of a comparison.
    """

    def __init__(self, viewer: ViewerModel, inside: QWidget | None = None) -> None:
        self._viewer = viewer
        self._volume: Volume | None = None
        self._had_scale_bar = viewer.canvas.overlays.scale_bar.visible
        self._strips: PlateStrips | None = None
        self.cells = CellLetters(viewer, inside)
        self._listeners = Listeners()
        dims, camera = viewer.dims.events, viewer.scene.camera.events
        grid = viewer.canvas.grid.events
        followed = (dims.order, dims.ndisplay, dims.ndim, camera.orientation, camera.angles, grid.enabled)
        self._listeners.connect((event, self._show) for event in followed)

    def set_volume(self, volume: Volume | None) -> None:
        """Letter another volume, or none."""
        self._volume = volume
        if self._strips is None:  # a comparison has bars of its own
            self._viewer.canvas.overlays.scale_bar.visible = volume is not None or self._had_scale_bar
        self._show()

    def stand_below(self, strips: PlateStrips | None) -> None:
        """Put the letters of a comparison below the strips above its pictures; None where none is open."""
        self._strips = strips
        self._show()

    def release(self) -> None:
        """Take the letters off the canvas, and let go of the viewer."""
        self._listeners.disconnect()
        self.cells.remove()
        overlays = self._viewer.canvas.overlays
        for edge in EDGES:
            if PREFIX + edge in overlays:
                del overlays[PREFIX + edge]
        overlays.scale_bar.visible = self._had_scale_bar

    def letters(self) -> dict[str, str]:
        """The letter at each edge; in 3-D one or two of them, the foremost direction first."""
        dims = self._viewer.dims
        axes = axes_in_sight(dims)
        if self._volume is None or axes is None:
            return dict.fromkeys(EDGES, "")
        if dims.ndisplay == 3:
            return _turned(self._viewer.scene.camera, [self._volume.grid.letters(axis) for axis in range(3)])
        down, across = (2 - axis for axis in axes[1:])  # of the grid, whose axes are x y z
        left, right = self._volume.grid.letters(across)
        ends = self._volume.grid.letters(down)
        bottom, top = ends if self._viewer.scene.camera.orientation2d[0] == "up" else ends[::-1]
        return {"middle_left": left, "middle_right": right, "top_center": top, "bottom_center": bottom}

    def _show(self, event: object = None) -> None:
        if self._volume is not None and self._viewer.dims.ndisplay == 3:
            show_unmirrored(self._viewer)  # however 3-D was entered; what is lettered is true
        letters = self.letters()
        if self._strips is not None or self._viewer.canvas.grid.enabled:
            self.cells.show(letters, 0 if self._strips is None else self._strips.height)
            letters = dict.fromkeys(EDGES, "")
        else:
            self.cells.show({}, 0)
        for edge, letter in letters.items():
            self._show_on_picture(edge, letter)

    def _show_on_picture(self, edge: str, letter: str) -> None:
        """Write a letter at an edge of the whole canvas, or nothing."""
        overlays, name = self._viewer.canvas.overlays, PREFIX + edge
        if name in overlays:
            overlays[name].visible = bool(letter)
        if letter and name not in overlays:
            overlays[name] = _overlay(edge, letter)
        elif letter:
            overlays[name].text = letter


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


def _overlay(edge: str, letter: str) -> TextOverlay:
    return TextOverlay(
        visible=True,
        position=edge,
        text=letter,
        color="white",  # type: ignore[arg-type]  # names are taken
        box_color=_BACKGROUND,  # type: ignore[arg-type]  # tuples are taken
        font_size=_POINTS,
    )
