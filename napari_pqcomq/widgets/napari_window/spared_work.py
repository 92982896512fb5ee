"""What napari and vispy do over and over while they draw, done once; what is drawn stays the same.

A mesh's colour function is made anew by vispy whenever its vertices change. It takes that for another program, so that
one is compiled for every layer of lines at every slice. Kept as long as colours and limits stay, the function is the
same object, and only the vertices are sent.

The variables of a program are found by vispy in its source, comments taken out, whenever it is made. Programs with the
same source have the same variables, which are remembered.

Where the scene is built anew, napari 0.9 places the texts on the picture once for each layer, and each time looks for
the layers of every cell. Once, at the end, places them all.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any

import numpy as np
from vispy.gloo.program import Program
from vispy.visuals.mesh import MeshVisual

_MOST_PROGRAMS = 500
_SPARED = "_pqcomq_spared"
_PLACING = "_update_overlay_canvas_positions"


def spare_repeated_work() -> None:
    """Take effect for all canvases of the process; a version of napari or vispy that works otherwise is left alone."""
    _replace(MeshVisual, "_build_color_transform", _kept)
    _replace(Program, "_parse_variables_from_code", _remembered)
    with suppress(ImportError):  # napari may move its own modules
        from napari._vispy.canvas import VispyCanvas

        if hasattr(VispyCanvas, _PLACING):
            _replace(VispyCanvas, "_update_scenegraph", _placing_once)


def _replace(owner: type, name: str, wrapped: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    made = getattr(owner, name, None)
    if made is not None and not hasattr(made, _SPARED):
        replaced = wrapped(made)
        setattr(replaced, _SPARED, True)
        setattr(owner, name, replaced)


def _kept(make: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(make)
    def kept(visual: Any, colors: np.ndarray) -> Any:  # noqa: ANN401 (vispy has no types)
        key = (visual.cmap.glsl_map, tuple(visual._clim_values), colors.ndim, colors.shape[1:])
        before = visual.__dict__.get(_SPARED)
        if before is None or before[0] != key:
            before = visual.__dict__[_SPARED] = (key, make(visual, colors))
        return before[1]

    return kept


def _remembered(parse: Callable[..., Any]) -> Callable[..., Any]:
    known: dict[tuple[str, ...], dict[str, tuple[Any, ...]]] = {}

    @wraps(parse)
    def remembered(program: Any, update_variables: bool = True) -> None:  # noqa: ANN401 (vispy has no types)
        source = tuple(shader.code for shader in program._shaders)
        if source in known:
            program._code_variables = dict(known[source])
        else:
            parse(program, update_variables=False)
            if len(known) >= _MOST_PROGRAMS:
                known.pop(next(iter(known)))
            known[source] = dict(program._code_variables)
        if update_variables:
            program._process_pending_variables()

    return remembered


def _placing_once(update: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(update)
    def updated(canvas: Any, event: object = None) -> None:  # noqa: ANN401 (napari's own canvas)
        if _PLACING in canvas.__dict__:  # within another update, which places them
            update(canvas, event)
            return
        asked = []
        canvas.__dict__[_PLACING] = lambda event=None: asked.append(event)
        try:
            update(canvas, event)
        finally:
            del canvas.__dict__[_PLACING]
        if asked:
            getattr(canvas, _PLACING)()

    return updated
