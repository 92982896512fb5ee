"""The shaders of the plugin's own layers are made once, not whenever their vertices or their cell change.

vispy makes a mesh's colour function anew with its vertices, and the transforms of every picture with its cell. It takes
either for another program: it puts the source together, and OpenGL compiles and links it. The colour function of a mesh
can stay as long as its colours do, and where the source is the one of before, so can the program: its variables are set
anew in any case.

Only the visual of the layer at hand works so, for as long as it lives; vispy itself and others' layers are left alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Layer
from vispy.visuals.mesh import MeshVisual


def keep_program(layer: Layer) -> None:
    """Link the program of a layer's visual only when its source changes.

    Args:
        layer: of the plugin's own, in the viewer. Without a canvas nothing is done, nor where napari or vispy work
            otherwise than in the versions known.
    """
    _keep(visual_of(layer))


def _keep(visual: Any | None) -> None:  # noqa: ANN401 (vispy has no types)
    program = getattr(visual, "view_program", None)
    link = getattr(program, "set_shaders", None)
    if program is None or link is None or "set_shaders" in vars(program):  # which is kept already
        return
    if isinstance(visual, MeshVisual):
        _keep_colours(visual)

    def set_shaders(vert: str, frag: str, geom: str | None = None, update_variables: bool = True) -> None:
        source = [vert, frag] if geom is None else [vert, frag, geom]
        if [getattr(each, "code", None) for each in program.shaders] != source:
            link(vert, frag, geom, update_variables=update_variables)

    program.set_shaders = set_shaders


def _keep_colours(mesh: Any) -> None:  # noqa: ANN401 (vispy has no types)
    """Let a mesh keep its colour function as long as its colours, their limits and the kind of its values stay."""
    make = getattr(mesh, "_build_color_transform", None)
    if make is None:
        return
    made: dict[tuple[object, ...], object] = {}

    def build_color_transform(colours: np.ndarray) -> object:
        kind = mesh.cmap, tuple(mesh._clim_values), colours.shape[1:]
        if kind not in made:
            made.clear()
            made[kind] = make(colours)
        return made[kind]

    mesh._build_color_transform = build_color_transform


def visual_of(layer: Layer) -> Any | None:  # noqa: ANN401 (vispy has no types)
    """What draws a layer, found among those who listen to its slices; None without a canvas."""
    for callback in layer.events.set_data.callbacks:
        listener: Any = callback[0]() if isinstance(callback, tuple) else None
        if hasattr(listener, "node"):
            return listener.node
    return None
