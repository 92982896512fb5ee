"""What is drawn again is not linked again; napari's and vispy's own classes stay as they are."""

from __future__ import annotations

import numpy as np
import pytest
from napari._vispy.canvas import VispyCanvas
from napari.components import ViewerModel
from napari.layers import Surface
from vispy.gloo.program import Program
from vispy.visuals.mesh import MeshVisual
from vispy.visuals.shaders.program import ModularProgram

from napari_pqcomq.viewer.comparison.comparison_view import ComparisonView
from napari_pqcomq.viewer.scene import Pane, Scene
from napari_pqcomq.widgets.napari_window.kept_programs import keep_program, visual_of
from pqcomq.segmentation.box import Box3D

SQUARE = (
    np.array([[0, 0, 0], [0, 0, 9], [0, 9, 9], [0, 9, 0]], float),
    np.array([[0, 1, 2], [0, 2, 3]]),
    np.full(4, 0.5),
)


def surface(colour):
    return Surface(SQUARE, colormap=colour, contrast_limits=(0, 1), shading="none")


@pytest.fixture
def linked(monkeypatch):
    """Programs in the order in which they are linked."""
    programs = []
    link = Program.set_shaders

    def linking(program, *source, **more):
        programs.append(program)
        link(program, *source, **more)

    monkeypatch.setattr(Program, "set_shaders", linking)
    return programs


def test_a_mesh_with_other_vertices_is_drawn_by_the_same_program(shown_viewer, qtbot, linked):
    layer = shown_viewer.add_layer(surface("red"))
    keep_program(layer)
    shown_viewer.reset_view()
    qtbot.wait(100)
    assert shown_viewer.screenshot(flash=False)[..., 0].max() > 0
    linked.clear()
    layer.data = (SQUARE[0] * [1, 0.5, 1], *SQUARE[1:])
    lower = shown_viewer.screenshot(flash=False)[..., 0]
    assert linked == []
    layer.data = SQUARE
    assert (shown_viewer.screenshot(flash=False)[..., 0] > 60).sum() > 1.5 * (lower > 60).sum(), (
        "the vertices are others"
    )
    layer.contrast_limits = (0.4, 0.45)
    layer.colormap = "blue"
    brightest = shown_viewer.screenshot(flash=False)[..., :3].reshape(-1, 3).max(axis=0)
    assert brightest[2] > brightest[0], "another colour is another program"


def test_the_source_of_a_mesh_is_put_together_once(shown_viewer, qtbot, monkeypatch):
    own, other = shown_viewer.add_layer(surface("red")), shown_viewer.add_layer(surface("green"))
    keep_program(own)
    own.data = SQUARE
    qtbot.wait(100)
    shown_viewer.screenshot(flash=False)
    built, build = [], ModularProgram._build

    def building(program):
        built.append(program)
        build(program)

    monkeypatch.setattr(ModularProgram, "_build", building)
    for layer in (own, other):
        layer.data = (SQUARE[0] * [1, 0.5, 1], *SQUARE[1:])
    shown_viewer.screenshot(flash=False)
    assert visual_of(own).view_program not in built
    assert visual_of(other).view_program in built


def test_layers_of_others_are_linked_as_ever(shown_viewer, qtbot, linked):
    own, other = shown_viewer.add_layer(surface("red")), shown_viewer.add_layer(surface("green"))
    keep_program(own)
    qtbot.wait(100)
    shown_viewer.screenshot(flash=False)
    linked.clear()
    for layer in (own, other):
        layer.data = (SQUARE[0] * [1, 0.5, 1], *SQUARE[1:])
    shown_viewer.screenshot(flash=False)
    assert visual_of(own).view_program not in linked
    assert visual_of(other).view_program in linked


def test_without_a_canvas_there_is_nothing_to_keep():
    layer = ViewerModel().add_layer(surface("red"))
    assert visual_of(layer) is None
    keep_program(layer)


def test_a_comparison_changes_no_class_of_napari_or_vispy(viewer, volume, masks):
    """A plugin must not change its host."""
    classes = (MeshVisual, Program, VispyCanvas, Surface)
    before = [dict(vars(each)) for each in classes]
    view = ComparisonView(viewer)
    view.open(
        [Pane("FP32", (), masks[0], "red"), Pane("4-bit", (), masks[1], "blue")],
        Scene.of_box(volume, (-160.0, 240.0), Box3D(5, 5, 3, 17, 15, 8)),
    )
    assert [dict(vars(each)) for each in classes] == before
    canvas = viewer.window._qt_viewer.canvas
    assert not [name for name in vars(canvas) if callable(getattr(VispyCanvas, name, None))]
    view.close()
