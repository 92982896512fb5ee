"""The shaders of the plugin's own layers are linked once, not whenever their vertices or their cell change.

vispy makes a mesh's colour function anew with its vertices, and the transforms of every picture with its cell. It takes
either for another program, which OpenGL compiles and links. Most times the source is the one of before, and the program
that is there can stay: its variables are set anew in any case.

Only the visual of the layer at hand works so, for as long as it lives; vispy itself and others' layers are left alone.
"""

from __future__ import annotations

from typing import Any

from napari.layers import Layer


def keep_program(layer: Layer) -> None:
    """Link the program of a layer's visual only when its source changes.

    Args:
        layer: of the plugin's own, in the viewer. Without a canvas nothing is done, nor where napari or vispy work
            otherwise than in the versions known.
    """
    program = getattr(visual_of(layer), "view_program", None)
    link = getattr(program, "set_shaders", None)
    if program is None or link is None:
        return

    def set_shaders(vert: str, frag: str, geom: str | None = None, update_variables: bool = True) -> None:
        source = [vert, frag] if geom is None else [vert, frag, geom]
        if [getattr(each, "code", None) for each in program.shaders] != source:
            link(vert, frag, geom, update_variables=update_variables)

    program.set_shaders = set_shaders


def visual_of(layer: Layer) -> Any | None:  # noqa: ANN401 (vispy has no types)
    """What draws a layer, found among those who listen to its slices; None without a canvas."""
    for callback in layer.events.set_data.callbacks:
        listener: Any = callback[0]() if isinstance(callback, tuple) else None
        if hasattr(listener, "node"):
            return listener.node
    return None
