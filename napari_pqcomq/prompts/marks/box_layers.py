"""Boxes on a Shapes layer of the user's: made ready, written, and read back as boxes in voxels.

A rectangle gives the box in the slice plane, drawn on its middle slice. Its slice range and name are in the layer's
features; a rectangle that was drawn with napari's own tools gets a range round the slice that it was drawn on.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Layer, Shapes

from napari_pqcomq.layers.comparison_tag import is_of_comparison
from napari_pqcomq.layers.volume_layers import VOLUME_KEY, may_lie_on, transform, volume_of
from napari_pqcomq.prompts.objects.drawn_object import DEFAULT_REACH, MOST_OBJECTS, DrawnObject
from napari_pqcomq.translation import tr
from pqcomq.errors import InputError
from pqcomq.object_colours import object_colour
from pqcomq.segmentation.box import Box3D
from pqcomq.volumes.volume import Volume

_UNKNOWN = {"name": "", "first": np.nan, "last": np.nan}
"""Features of a shape drawn with napari's own tools, which would otherwise get those of the shape before it."""

_BOX_LINE_SHARE = 1 / 250
"""Width of the box's line over the picture's: it must not vanish where the whole slice is in sight."""


def boxes_tuple(volume: Volume, boxes: dict[str, Box3D]) -> tuple[Any, ...]:
    """Ready boxes as a napari layer tuple, each drawn on its middle slice.

    Args:
        volume: that the boxes lie in.
        boxes: by the name of what they enclose.
    """
    keywords = {
        "name": "Boxes",
        "shape_type": "rectangle",
        "features": _features([*boxes], [*boxes.values()]),
        "feature_defaults": _UNKNOWN,
        "metadata": {VOLUME_KEY: volume},
        "edge_color": [object_colour(number) for number in range(1, len(boxes) + 1)],
        **_looks(volume),
        **transform(volume),
    }
    return [rectangle(box, box.middle) for box in boxes.values()], keywords, "shapes"


def empty_box_layer(volume: Volume) -> Shapes:
    """A layer for boxes."""
    return Shapes(ndim=3, name="Boxes", metadata={VOLUME_KEY: volume}, **_looks(volume), **transform(volume))


def may_hold_boxes(layer: Layer, volume: Volume | None) -> bool:
    """Whether a layer can show boxes in a volume: what else may be drawn on it is not to be written over with them."""
    if not isinstance(layer, Shapes) or is_of_comparison(layer) or layer.ndim != 3:
        return False
    if volume_of(layer) is None:  # lines, paths and polygons of the user's are no boxes
        return {str(each) for each in layer.shape_type} <= {"rectangle"}
    return volume is None or may_lie_on(layer, volume)


def write_prompts(layer: Shapes, volume: Volume, prompts: tuple[DrawnObject, ...], z: int | None = None) -> None:
    """Draw the boxes of objects on a layer, in place of what is on it, without its telling its listeners.

    Args:
        layer: the user's; its coordinates are the volume's voxels from then on.
        volume: that the objects are in.
        prompts: to draw, each on one slice, since a shape is flat.
        z: the slice in sight: boxes that reach it are drawn there, the others on their middle slices.
    """
    place = transform(volume)
    with layer.events.data.blocker():
        layer.selected_data.clear()
        layer.data = []
        if not all(np.allclose(getattr(layer, field), place[field]) for field in ("scale", "translate")):
            for field, value in place.items():
                setattr(layer, field, value)
        boxed = [(each, each.box) for each in prompts if each.box is not None]
        if boxed:
            layer.add_rectangles([rectangle(box, drawn_on(box, z)) for _each, box in boxed])
            layer.edge_color = [each.colour for each, _box in boxed]
            layer.features = _features([each.name for each, _box in boxed], [box for _each, box in boxed])
            layer.feature_defaults = _UNKNOWN


def read_prompts(layer: Shapes, volume: Volume) -> tuple[DrawnObject, ...]:
    """The shapes of a layer as objects; only the last takes part in a comparison, until the user asks for more.

    Args:
        layer: of any scale; shapes of other kinds count as the rectangles round them.
        volume: that they prompt in; what lies outside is cut off, and shapes wholly outside are left out.
    """
    boxes = [(_name(layer, index), _box(layer, index, volume)) for index in range(min(len(layer.data), MOST_OBJECTS))]
    inside = [(name, box) for name, box in boxes if box is not None]
    return tuple(
        DrawnObject(number, name or tr("Object {number}", number=number), box, compared=number == len(inside))
        for number, (name, box) in enumerate(inside, start=1)
    )


def drawn_on(box: Box3D, z: int | None) -> int:
    """The slice that a box is drawn on: the one in sight where the box reaches it, else its middle one."""
    return z if z is not None and box.z0 <= z <= box.z1 else box.middle


def _features(names: list[str], boxes: list[Box3D]) -> dict[str, list[Any]]:
    return {"name": names, "first": [float(box.z0) for box in boxes], "last": [float(box.z1) for box in boxes]}


def _name(layer: Shapes, index: int) -> str:
    name = layer.features["name"].iloc[index] if "name" in layer.features.columns else ""
    return name.strip() if isinstance(name, str) else ""


def _box(layer: Shapes, index: int, volume: Volume) -> Box3D | None:
    """A shape's box cut off at the volume's edges, or None where nothing of it is left."""
    corners = _voxel_corners(layer, index, volume)
    first, last = _slice_range(layer, index, round(float(corners[:, 0].mean())), volume)
    _depth, height, width = volume.grid.shape_zyx
    y0, x0 = np.clip(corners[:, 1:].min(axis=0), 0, (height, width)).tolist()
    y1, x1 = np.clip(corners[:, 1:].max(axis=0), 0, (height, width)).tolist()
    try:
        return Box3D(x0, y0, first, x1, y1, last).checked(volume.grid.shape_zyx)
    except InputError:
        return None


def _slice_range(layer: Shapes, index: int, drawn: int, volume: Volume) -> tuple[int, int]:
    """First and last slice of a shape: its own where it has them, else those round the drawn one."""
    if {"first", "last"} <= set(layer.features.columns):
        first, last = layer.features["first"].iloc[index], layer.features["last"].iloc[index]
        if np.isfinite(first) and np.isfinite(last):
            return int(first), int(last)
    depth = volume.grid.shape_zyx[0]
    return max(0, min(drawn - DEFAULT_REACH, depth - 1)), min(depth - 1, max(drawn + DEFAULT_REACH, 0))


def _looks(volume: Volume) -> dict[str, Any]:
    return {"face_color": "transparent", "edge_width": box_line(volume)}


def _voxel_corners(layer: Shapes, index: int, volume: Volume) -> np.ndarray:
    """Corners (n, 3) z y x of a shape in the volume's voxels, for any scale of the layer."""
    world = np.array([layer.data_to_world(corner) for corner in np.asarray(layer.data[index])])
    return (world - np.array(volume.grid.origin[::-1])) / np.array(volume.grid.spacing_zyx)


def rectangle(box: Box3D, z: int) -> np.ndarray:
    """A box's outline on slice ``z`` as a napari rectangle, corners (4, 3) z y x."""
    corners = ((box.y0, box.x0), (box.y0, box.x1), (box.y1, box.x1), (box.y1, box.x0))
    return np.array([(z, y, x) for y, x in corners], dtype=float)


def box_line(volume: Volume) -> float:
    """Width of a box's outline in voxels."""
    return max(volume.grid.shape_zyx[1:]) * _BOX_LINE_SHARE
