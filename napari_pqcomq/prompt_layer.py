"""Box prompts on a Shapes layer: made ready, and read back as boxes in voxels.

A rectangle gives the box in the slice plane. Its slice range is not drawn; ready boxes carry theirs in the layer's
features, drawn ones get a range round the slice that they were drawn on.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Shapes

from napari_pqcomq.layers import VOLUME_KEY, transform
from napari_pqcomq.side_layers import BOX_COLOUR, box_line
from pqcomq.errors import InputError
from pqcomq.segmentation.box import Box3D
from pqcomq.volumes.volume import Volume

DEFAULT_REACH = 5
"""Slices on either side of the drawn one."""


def boxes_tuple(volume: Volume, boxes: dict[str, Box3D]) -> tuple[Any, ...]:
    """Ready boxes as a napari layer tuple, each drawn on its middle slice.

    Args:
        volume: that the boxes lie in.
        boxes: by the name of what they enclose.
    """
    keywords = {
        "name": "Boxes",
        "shape_type": "rectangle",
        "features": {
            "name": list(boxes),
            "first": [box.z0 for box in boxes.values()],
            "last": [box.z1 for box in boxes.values()],
        },
        "metadata": {VOLUME_KEY: volume},
        **_looks(volume),
        **transform(volume),
    }
    return [_rectangle(box) for box in boxes.values()], keywords, "shapes"


def empty_box_layer(volume: Volume) -> Shapes:
    """A layer to draw boxes on."""
    return Shapes(ndim=3, name="Box", metadata={VOLUME_KEY: volume}, **_looks(volume), **transform(volume))


def chosen_shape(layer: Shapes) -> int | None:
    """Index of the shape that prompts: the selected one, else the last drawn; None on an empty layer."""
    if len(layer.selected_data) == 1:
        return int(next(iter(layer.selected_data)))
    return len(layer.data) - 1 if len(layer.data) else None


def slice_range(layer: Shapes, index: int, volume: Volume) -> tuple[int, int]:
    """First and last slice of a shape: its own where it has them, else those round the drawn one."""
    if {"first", "last"} <= set(layer.features.columns):
        first, last = layer.features["first"].iloc[index], layer.features["last"].iloc[index]
        if np.isfinite(first) and np.isfinite(last):
            return int(first), int(last)
    drawn = round(float(_voxel_corners(layer, index, volume)[:, 0].mean()))
    depth = volume.grid.shape_zyx[0]
    return max(0, min(drawn - DEFAULT_REACH, depth - 1)), min(depth - 1, max(drawn + DEFAULT_REACH, 0))


def box_from(layer: Shapes, first: int, last: int, volume: Volume) -> Box3D:
    """The chosen shape as a box, cut off at the volume's edges.

    Args:
        layer: with at least one shape.
        first: lowest slice.
        last: highest slice.
        volume: that the box prompts in.

    Raises:
        InputError: nothing is drawn, or the box lies outside the volume.
    """
    index = chosen_shape(layer)
    if index is None:
        raise InputError("There is no box yet: press “Draw a box” and drag a rectangle round the organ.")
    corners = _voxel_corners(layer, index, volume)[:, 1:]
    _depth, height, width = volume.grid.shape_zyx
    y0, x0 = np.clip(corners.min(axis=0), 0, (height, width)).tolist()
    y1, x1 = np.clip(corners.max(axis=0), 0, (height, width)).tolist()
    return Box3D(x0, y0, first, x1, y1, last).checked(volume.grid.shape_zyx)


def _looks(volume: Volume) -> dict[str, Any]:
    return {"edge_color": BOX_COLOUR, "face_color": "transparent", "edge_width": box_line(volume)}


def _rectangle(box: Box3D) -> np.ndarray:
    corners = [(box.y0, box.x0), (box.y0, box.x1), (box.y1, box.x1), (box.y1, box.x0)]
    return np.array([(box.middle, y, x) for y, x in corners], dtype=float)


def _voxel_corners(layer: Shapes, index: int, volume: Volume) -> np.ndarray:
    """Corners (n, 3) z y x of a shape in the volume's voxels, whatever the layer's own scale is."""
    world = np.array([layer.data_to_world(corner) for corner in np.asarray(layer.data[index])])
    if world.shape[1] != 3:
        raise InputError(f"The shapes layer {layer.name!r} is flat; draw the box with “Draw a box”.")
    return (world - np.array(volume.grid.origin[::-1])) / np.array(volume.grid.spacing_zyx)
