"""Beside a series, whose layers have one axis more, everything is still about the volume's own axes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from napari.layers import Layer
from qtpy.QtCore import Qt

from napari_pqcomq.layers.volume_layers import image_tuple, transform, voxel_at
from napari_pqcomq.prompts.objects.prompt_list import PromptList
from napari_pqcomq.prompts.prompt_panel import PromptPanel
from napari_pqcomq.viewer.comparison.comparison_view import ComparisonView
from napari_pqcomq.viewer.modes.mode_registry import SWIPE
from napari_pqcomq.viewer.navigation.orthogonal_planes import Plane, current_plane, show_plane
from napari_pqcomq.viewer.navigation.volume_in_sight import VolumeInSight
from napari_pqcomq.viewer.overlays.cursor_status import CursorStatus
from napari_pqcomq.viewer.overlays.direction_letters import DirectionLetters
from napari_pqcomq.viewer.overlays.plane_insets import InsetSource, PlaneInsets
from napari_pqcomq.viewer.overlays.slice_strip import SliceStrip, StripRow
from napari_pqcomq.viewer.scene import MaskPair, Pane, Scene
from napari_pqcomq.viewer.sides.side_layers import LEFT_COLOUR, RIGHT_COLOUR
from pqcomq.segmentation.box import Box3D

BOX = Box3D(5, 5, 7, 17, 15, 9)
MOMENTS = 5


@pytest.fixture
def beside(shown_viewer, volume):
    """A window with the volume and five moments of it, the third in sight."""
    shown_viewer.add_layer(Layer.create(*image_tuple(volume)))
    place = transform(volume)
    series = np.zeros((MOMENTS, *volume.voxels.shape), np.uint8)
    shown_viewer.add_image(
        series, name="series", scale=(1, *place["scale"]), translate=(0, *place["translate"]), visible=False
    )
    shown_viewer.dims.set_current_step(0, 2)
    shown_viewer.dims.set_current_step(1, 4)
    return shown_viewer


@pytest.fixture
def view(beside, volume, masks):
    view = ComparisonView(beside, beside.window._qt_window)
    panes = [Pane("FP32", (), masks[0], LEFT_COLOUR), Pane("4-bit", (), masks[1], RIGHT_COLOUR)]
    view.open(panes, Scene.of_box(volume, (-160.0, 240.0), BOX))
    yield view
    view.close()


@pytest.mark.parametrize(("plane", "axis"), [(Plane.AXIAL, 0), (Plane.CORONAL, 1), (Plane.SAGITTAL, 2)])
def test_a_comparison_goes_to_its_object_and_draws_it_in_every_plane(view, beside, volume, plane, axis):
    show_plane(beside, plane)
    assert current_plane(beside) is plane
    here = voxel_at(volume, beside.dims.point)[axis]
    low, high = BOX.ranges_zyx[axis]
    assert low <= here <= high
    vertices = beside.layers["1: lines"].vertices
    assert len(vertices) > 3 and set(vertices[:, axis]) == {here}
    view.look_at(BOX)
    place = transform(volume)
    for number, seen in zip(plane.value[0][1:], beside.scene.camera.center[1:], strict=True):
        middle = place["translate"][number] + place["scale"][number] * sum(BOX.ranges_zyx[number]) / 2
        assert seen == pytest.approx(middle, abs=16)
    assert beside.dims.point[0] == 2, "the series stays at its moment"


def test_the_curtain_is_dragged(view, beside, drag):
    view.show(SWIPE)
    drag(beside, (5.0, 19.5), (5.0, 9.5))
    drawn = beside.layers["1: lines"]
    curtain = drawn.vertices[drawn.vertices[:, 1] > 29]
    assert curtain[:, 2].mean() == pytest.approx(9.5, abs=0.6)


def test_boxes_are_drawn_and_moved_and_seen(beside, volume, drag, qtbot):
    objects = PromptList()
    panel = PromptPanel(beside, objects)
    qtbot.addWidget(panel)
    panel.set_volume(volume)
    panel.draw()
    drag(beside, (5.0, 6.0), (14.0, 16.0))
    box = objects.current_prompt.box
    assert (box.z0, box.z1) == (0, 9)
    assert box.x0 == pytest.approx(6, abs=0.5)
    drag(beside, (9.0, 11.0), (12.0, 14.0))
    assert objects.current_prompt.box.x0 == pytest.approx(9, abs=0.7)
    panel.nudge(1, 0)
    assert objects.current_prompt.box.x0 == pytest.approx(10, abs=0.7)
    beside.dims.set_current_step(1, 7)
    assert panel.layers.layer.data[0][0][0] == 7
    panel.release()


def test_letters_planes_and_places_are_told(beside, volume, masks, qtbot):
    letters = DirectionLetters(beside)
    letters.set_volume(volume)
    assert letters.letters() == {"middle_left": "R", "middle_right": "L", "top_center": "A", "bottom_center": "P"}
    show_plane(beside, Plane.CORONAL)
    assert letters.letters()["top_center"] == "S"
    letters.release()
    show_plane(beside, Plane.AXIAL)
    insets = PlaneInsets(beside, lambda: InsetSource(volume, (-160.0, 240.0), MaskPair(*masks)))
    insets.resize(360, 132)
    qtbot.addWidget(insets)
    insets.refresh()
    qtbot.waitUntil(lambda: insets.pictures[0].accessibleName() == "Coronal plane")
    insets.show()
    qtbot.mouseClick(insets.pictures[0], Qt.MouseButton.LeftButton, pos=insets.pictures[0].point_of(8, 30).toPoint())
    assert voxel_at(volume, beside.dims.point)[0] == 8
    assert voxel_at(volume, beside.dims.point)[2] == 30
    assert beside.dims.point[0] == 2
    insets.release()
    status = CursorStatus(beside)
    status.set_volume(volume)
    beside.cursor.position = (2.0, 304.0, 30.0, 10.0)
    beside.status = {"coordinates": " [2 1 10 20]", "value": "1", "layer_base": "", "source_type": "", "plugin": ""}
    assert beside.status["coordinates"].startswith("L 10.0  P 30.0  S 304.0 mm")
    status.release()


def test_the_strip_of_slices_stands_along_its_own_slider(beside, volume, qtbot):
    strip = SliceStrip(beside, beside.window._qt_window)
    strip.show_rows([StripRow("2-bit", "Dice", dict.fromkeys(range(12), 0.9))], volume, 6, "#44BB99")
    qtbot.wait(200)
    assert strip.isVisible()
    sliders = [each for each in strip._sliders() if each.axis == 1]
    slider = sliders[0].slider
    left = strip.mapFromGlobal(slider.mapToGlobal(slider.rect().topLeft())).x()
    assert strip.column(0).left() == pytest.approx(left + 10, abs=2)
    assert strip.column(11).right() == pytest.approx(left + slider.width() - 10, abs=2)
    show_plane(beside, Plane.CORONAL)
    assert not strip.isVisible(), "it is of axial slices"
    strip.release()


def test_another_volume_comes_into_sight(beside, volume):
    sight = VolumeInSight(beside)
    sight.show(volume)
    grid = replace(volume.grid, origin=(900.0, 0.0, 0.0))
    other = replace(volume, voxels=volume.voxels.copy(), name="other", grid=grid)
    beside.add_layer(Layer.create(*image_tuple(other)))
    sight.show(other)
    assert beside.layers["other"].visible
    assert not beside.layers["block"].visible
    sight.release()
