"""Scribbles on the user's own view, voxel by voxel in their objects' colours; an open comparison draws them itself."""

from __future__ import annotations

import numpy as np
from napari.components import ViewerModel
from napari.layers import Points

from napari_pqcomq.layers.volume_layers import VOLUME_KEY, transform
from napari_pqcomq.prompts.marks.marks_layer import add_unchosen, marked_objects, marks_layer
from napari_pqcomq.prompts.objects.drawn_object import DrawnObject
from pqcomq.volumes.volume import Volume

_OBJECTS_KEY = "pqcomq_objects_with_scribbles"
_NAME = "Scribbles"


class ScribbleMarks:
    """Shows the scribbles of the objects on a layer of its own.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer

    def show(self, prompts: tuple[DrawnObject, ...], volume: Volume) -> None:
        """Draw the scribbles of objects, on a layer that is made when there is the first."""
        drawn = tuple(each for each in prompts if each.scribble is not None)
        layer = marks_layer(self._viewer, _OBJECTS_KEY, volume)
        if layer is None and not drawn:
            return
        if layer is None:
            layer = Points(
                ndim=3,
                name=_NAME,
                symbol="square",
                size=1,
                border_width=0,
                opacity=0.7,
                metadata={VOLUME_KEY: volume, _OBJECTS_KEY: ()},
                **transform(volume),
            )
            add_unchosen(self._viewer, layer)
        if layer.metadata[_OBJECTS_KEY] != drawn:
            layer.metadata[_OBJECTS_KEY] = drawn
            places = [np.array(each.scribble.voxels) for each in drawn if each.scribble is not None]  # (n, 3) z y x
            layer.data = np.concatenate(places).astype(float) if places else np.zeros((0, 3))
            if places:
                colours = [each.colour for each, own in zip(drawn, places, strict=True) for _voxel in own]
                layer.face_color = colours
                layer.size = 1
                layer.symbol = "square"

    def kept(self, volume: Volume) -> tuple[DrawnObject, ...]:
        """The objects with scribbles of an earlier dock, by the layer that it left."""
        return marked_objects(self._viewer, _OBJECTS_KEY, volume)
