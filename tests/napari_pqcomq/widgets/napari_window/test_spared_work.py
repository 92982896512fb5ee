"""What is drawn again is not made again."""

from __future__ import annotations

import numpy as np
import pytest
from napari._vispy.canvas import VispyCanvas
from napari.layers import Surface
from vispy.gloo.program import Program
from vispy.visuals.mesh import MeshVisual
from vispy.visuals.shaders.program import ModularProgram

from napari_pqcomq.widgets.napari_window.spared_work import spare_repeated_work

SQUARE = (
    np.array([[0, 0, 0], [0, 0, 9], [0, 9, 9], [0, 9, 0]], float),
    np.array([[0, 1, 2], [0, 2, 3]]),
    np.full(4, 0.5),
)


@pytest.fixture(autouse=True)
def spared():
    spare_repeated_work()


@pytest.fixture
def built(monkeypatch):
    """Programs in the order in which they are compiled."""
    programs = []
    build = ModularProgram._build
    monkeypatch.setattr(ModularProgram, "_build", lambda program: (programs.append(program), build(program)))
    return programs


def test_a_mesh_with_other_vertices_is_drawn_by_the_same_program(shown_viewer, qtbot, built):
    layer = shown_viewer.add_layer(Surface(SQUARE, colormap="red", contrast_limits=(0, 1), shading="none"))
    shown_viewer.reset_view()
    qtbot.wait(100)
    assert shown_viewer.screenshot(flash=False)[..., 0].max() > 0
    built.clear()
    layer.data = (SQUARE[0] * [1, 0.5, 1], *SQUARE[1:])
    lower = shown_viewer.screenshot(flash=False)[..., 0]
    assert built == []
    layer.data = SQUARE
    assert (shown_viewer.screenshot(flash=False)[..., 0] > 60).sum() > 1.5 * (lower > 60).sum(), (
        "the vertices are others"
    )
    layer.contrast_limits = (0.4, 0.45)
    layer.colormap = "blue"
    brightest = shown_viewer.screenshot(flash=False)[..., :3].reshape(-1, 3).max(axis=0)
    assert brightest[2] > brightest[0], "another colour is another program"


def test_it_takes_effect_once():
    before = MeshVisual._build_color_transform, Program._parse_variables_from_code, VispyCanvas._update_scenegraph
    spare_repeated_work()
    after = MeshVisual._build_color_transform, Program._parse_variables_from_code, VispyCanvas._update_scenegraph
    assert after == before


def test_a_program_of_a_source_seen_before_has_its_variables():
    source = (
        "attribute vec2 place; void main() { gl_Position = vec4(place, 0, 1); }",
        "uniform vec4 tint; void main() {}",
    )
    first, second = Program(*source), Program(*source)
    assert first.variables == second.variables
    assert {name for _kind, _type, name in second.variables} == {"place", "tint"}
    other = Program(source[0], source[1].replace("tint", "shade"))
    assert {name for _kind, _type, name in other.variables} == {"place", "shade"}
