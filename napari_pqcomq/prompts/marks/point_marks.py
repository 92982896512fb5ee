"""Points on the user's own view, as + and − of a constant size on screen; an open comparison draws them itself."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Points

from napari_pqcomq.layers.volume_layers import VOLUME_KEY, transform
from napari_pqcomq.prompts.marks.marks_layer import add_unchosen, marked_objects, marks_layer
from napari_pqcomq.prompts.objects.drawn_object import DrawnObject
from pqcomq.comparison.presentation.palette import INSIDE_COLOUR, OUTSIDE_COLOUR
from pqcomq.volumes.volume import Volume

_OBJECTS_KEY = "pqcomq_objects_with_points"
_PIXELS = 17
_NAME = "Points"


class PointMarks:
    """Shows the points of the objects on a layer of its own.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer

    def show(self, prompts: tuple[DrawnObject, ...], volume: Volume) -> None:
        """Draw the points of objects, on a layer that is made when there is the first."""
        points = [point for each in prompts for point in each.points]
        layer = marks_layer(self._viewer, _OBJECTS_KEY, volume)
        if layer is None and not points:
            return
        pointed = tuple(each for each in prompts if each.points)
        places = np.array([(each.z, each.y, each.x) for each in points] * 2, dtype=float).reshape(-1, 3)
        looks = _looks([each.positive for each in points])
        if layer is None:
            layer = Points(
                places,
                name=_NAME,
                size=1,
                canvas_size_limits=(_PIXELS, _PIXELS),
                border_width=0.05,
                metadata={VOLUME_KEY: volume, _OBJECTS_KEY: pointed},
                **looks,
                **transform(volume),
            )
            add_unchosen(self._viewer, layer)
            return
        if layer.metadata[_OBJECTS_KEY] != pointed:
            layer.metadata[_OBJECTS_KEY] = pointed
            layer.data = places
            if points:
                for name, values in looks.items():
                    setattr(layer, name, values)

    def kept(self, volume: Volume) -> tuple[DrawnObject, ...]:
        """The objects with points of an earlier dock, by the layer that it left."""
        return marked_objects(self._viewer, _OBJECTS_KEY, volume)


def _looks(positive: list[bool]) -> dict[str, Any]:
    """A dark disc for each point, which keeps its sign legible on any picture, then the signs."""
    signs = ["cross" if each else "hbar" for each in positive]
    colours = [INSIDE_COLOUR if each else OUTSIDE_COLOUR for each in positive]
    colours = ["black"] * len(positive) + colours or ["black"]
    # Where napari enlarges a point to its least size on screen, the border covers all of it.
    return {"symbol": ["disc"] * len(positive) + signs or "disc", "face_color": colours, "border_color": colours}
