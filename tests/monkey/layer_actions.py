"""What a user does with napari's own list of layers, behind the plugin's back."""

from __future__ import annotations

import numpy as np
from kinds import action
from napari.layers import Image, Labels, Points, Shapes
from napari.layers.base import Layer
from prompt_actions import anywhere

from napari_pqcomq.layers.comparison_tag import is_of_comparison
from napari_pqcomq.layers.volume_layers import volume_of

MOST_LAYERS = 12
"""Of the user's: more would only take time."""


def a_layer(window, random, admits=lambda layer: True):
    """One of them, the comparison's included."""
    found = [layer for layer in window.viewer.layers if admits(layer)]
    return random.choice(found) if found else None


@action(1)
def add_a_layer(window, random):
    """Of any kind, and of any size: the user's own."""
    if len(window.own_layers) > MOST_LAYERS:
        return False
    kind = random.choice(
        ["points", "labels", "shapes", "image", "flat image", "series", "empty labels", "empty shapes"]
    )
    viewer, numbers = window.viewer, np.random.default_rng(random.randrange(1000))
    if kind == "points":
        viewer.add_points(numbers.uniform(0, 40, (3, 3)), size=4)
    elif kind == "labels":
        viewer.add_labels(numbers.integers(0, 3, (8, 80, 96)).astype(np.uint8), scale=(5, 2, 2))
    elif kind == "shapes":
        viewer.add_shapes([numbers.uniform(0, 60, (5, 3))], shape_type="path")
    elif kind == "image":
        viewer.add_image(numbers.normal(0, 1, (8, 80, 96)).astype(np.float32), scale=(5, 2, 2))
    elif kind == "flat image":
        viewer.add_image(numbers.normal(0, 1, (40, 50)).astype(np.float32))
    elif kind == "series":
        viewer.add_image(numbers.normal(0, 1, (2, 5, 20, 20)).astype(np.float32))
    elif kind == "empty labels":
        viewer._new_labels()
    else:
        viewer.add_shapes(ndim=max(viewer.dims.ndim, 2))
    return kind


@action(1.5)
def delete_a_layer(window, random):
    layer = a_layer(window, random)
    if layer is None:
        return False
    window.viewer.layers.remove(layer)
    return layer.name


@action(2)
def tidy_up(window, random):
    """Delete several of the user's, so that there is room for others."""
    own = window.own_layers
    if len(own) <= MOST_LAYERS:
        return False
    for layer in random.sample(own, len(own) // 2):
        if layer in window.viewer.layers:
            window.viewer.layers.remove(layer)
            window.wait(0.02)
    return None


@action(0.2)
def delete_all_layers(window, random):
    layers = window.viewer.layers
    if not len(layers):
        return False
    if random.random() < 0.5:
        layers.clear()
    else:
        layers.select_all()
        layers.remove_selected()
    return None


@action(1)
def rename_a_layer(window, random):
    layer = a_layer(window, random)
    if layer is None:
        return False
    layer.name = random.choice(["", "mine", "Boxes", "1: image", "Points", "ct.nii.gz"])
    return layer.name


@action(1)
def duplicate_a_layer(window, random):
    """As napari's menu does."""
    if len(window.own_layers) > MOST_LAYERS:
        return False
    layer = a_layer(window, random)
    if layer is None:
        return False
    data, state, kind = layer.as_layer_data_tuple()
    state["name"] = f"{layer.name} copy"
    layers = window.viewer.layers
    layers.insert(layers.index(layer) + 1, Layer.create(_copied(data), state, kind))
    return layer.name


def _copied(data):
    return data.copy() if isinstance(data, np.ndarray) else [np.copy(each) for each in data]


@action(2)
def toggle_a_layer(window, random):
    layer = a_layer(window, random)
    if layer is None:
        return False
    layer.visible = not layer.visible
    window.seen_anew.add(layer.unique_id)
    return layer.name


@action(1)
def move_a_layer(window, random):
    layers = window.viewer.layers
    if len(layers) < 2:
        return False
    source, target = random.randrange(len(layers)), random.randint(0, len(layers))
    layers.move(source, target)
    return source, target


@action(1)
def select_layers(window, random):
    layers = window.viewer.layers
    if not len(layers):
        return False
    chosen = random.sample(list(layers), random.randint(0, min(2, len(layers))))
    layers.selection = set(chosen)
    return [layer.name for layer in chosen]


@action(1)
def change_looks(window, random):
    """Opacity, blending, colour map, contour: of any layer."""
    layer = a_layer(window, random)
    if layer is None:
        return False
    what = random.choice(["opacity", "blending", "kind"])
    if what == "opacity":
        layer.opacity = random.uniform(0.1, 1)
    elif what == "blending":
        layer.blending = random.choice(["additive", "translucent", "minimum", "opaque"])
    elif isinstance(layer, Image):
        layer.colormap = random.choice(["gray", "viridis", "magma"])
        layer.gamma = random.uniform(0.5, 1.5)
    elif isinstance(layer, Labels):
        layer.contour = random.choice([0, 1, 2])
    return f"{layer.name}: {what}"


@action(1)
def paint_labels(window, random):
    """With napari's own brush on labels of the user's, and back with its own undo."""
    layer = a_layer(window, random, lambda each: isinstance(each, Labels) and not is_of_comparison(each))
    if layer is None:
        return False
    at = [random.randrange(size) for size in layer.data.shape]
    layer.paint(at, random.randint(0, 3))
    if random.random() < 0.3:
        layer.undo()
    window.note_own()
    return layer.name


@action(1)
def use_naparis_tool(window, random):
    """Take one of napari's tools, drag with it, and perhaps leave it in the hand."""
    layer = a_layer(
        window, random, lambda each: isinstance(each, (Points, Shapes, Labels)) and not is_of_comparison(each)
    )
    if layer is None:
        return False
    window.viewer.layers.selection.active = layer
    modes = {
        Points: ["add", "select", "pan_zoom"],
        Shapes: ["add_rectangle", "select", "direct", "add_line", "vertex_insert"],
        Labels: ["paint", "erase", "fill", "pick"],
    }
    layer.mode = random.choice(modes[next(kind for kind in modes if isinstance(layer, kind))])
    window.drag(anywhere(window, random), anywhere(window, random))
    if random.random() < 0.3:
        window.key("Delete")
    mode = str(layer.mode)
    if random.random() < 0.8 and layer in window.viewer.layers:
        layer.mode = "pan_zoom"
    window.note_own()
    return f"{layer.name}: {mode}"


@action(0.7)
def edit_the_boxes(window, random):
    """Add or delete rectangles of the plugin's own layer of boxes."""
    layer = window.panels.prompts.layers.layer
    volume = window.panels.volume.volume
    if layer is None or volume is None:
        return False
    what = random.choice(["add", "outside", "delete", "ellipse"])
    z, height, width = (size / 2 for size in volume.grid.shape_zyx)
    corners = np.array([(z, 0.5, 0.5), (z, 0.5, 1), (z, 1, 1), (z, 1, 0.5)]) * (1, height, width)
    if what == "delete":
        if not len(layer.data):
            return False
        layer.selected_data = {random.randrange(len(layer.data))}
        layer.remove_selected()
    elif what == "ellipse":
        layer.add_ellipses(corners)
    else:
        layer.add_rectangles(corners if what == "add" else corners + 1000)
    window.note_own()
    return what


@action(0.5)
def change_axes_of_a_layer(window, random):
    """Scale or place, of a layer that is not the volume itself."""
    layer = a_layer(window, random, lambda each: not is_of_comparison(each) and volume_of(each) is None)
    if layer is None:
        return False
    if random.random() < 0.5:
        layer.scale = [random.uniform(0.5, 3) for _ in layer.scale]
    else:
        layer.translate = [random.uniform(-50, 50) for _ in layer.translate]
    return layer.name
