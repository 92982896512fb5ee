"""Layers on which prompts are marked on the user's own view, and which remember the objects that they show."""

from __future__ import annotations

from napari.components import ViewerModel
from napari.layers import Points

from napari_pqcomq.layers.volume_layers import VOLUME_KEY
from napari_pqcomq.prompts.objects.drawn_object import DrawnObject
from pqcomq.volumes.volume import Volume


def marks_layer(viewer: ViewerModel, key: str, volume: Volume) -> Points | None:
    """The layer of marks on a volume, found by the key under which it keeps its objects."""
    # A volume whose modality was set anew has the same voxels.
    own = (each for each in viewer.layers if isinstance(each, Points) and key in each.metadata)
    return next((each for each in own if each.metadata[VOLUME_KEY].voxels is volume.voxels), None)


def marked_objects(viewer: ViewerModel, key: str, volume: Volume) -> tuple[DrawnObject, ...]:
    """The objects that such a layer shows; none where there is no layer."""
    layer = marks_layer(viewer, key, volume)
    objects: tuple[DrawnObject, ...] = () if layer is None else layer.metadata[key]
    return objects


def add_unchosen(viewer: ViewerModel, layer: Points) -> None:
    """Add a layer of marks and leave the chosen layer as it is: napari's own tool for points was not asked for."""
    chosen = viewer.layers.selection.active
    viewer.add_layer(layer)
    viewer.layers.selection.active = chosen
