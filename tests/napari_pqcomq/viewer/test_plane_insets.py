"""The small planes: what they draw, and that a click in one goes there in all planes."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QPoint, Qt

from napari_pqcomq.layers.volume_layers import image_tuple, transform
from napari_pqcomq.viewer.navigation.orthogonal_planes import Plane, show_plane, show_surfaces
from napari_pqcomq.viewer.overlays.plane_insets import InsetSource, PlaneInsets
from napari_pqcomq.viewer.scene import MaskPair
from pqcomq.comparison.presentation.palette import FULL_COLOUR


@pytest.fixture
def viewer(volume):
    viewer = ViewerModel()
    data, keywords, _kind = image_tuple(volume)
    viewer.add_image(data, **keywords)
    viewer.dims.current_step = (5, 8, 10)
    return viewer


@pytest.fixture
def insets(viewer, volume, masks, qtbot):
    insets = PlaneInsets(viewer, lambda: InsetSource(volume, (-160.0, 240.0), MaskPair(*masks)))
    insets.resize(360, 132)
    qtbot.addWidget(insets)
    insets.show()
    qtbot.waitExposed(insets)
    insets.refresh()
    qtbot.waitUntil(lambda: insets.pictures[1].toolTip() != "")
    yield insets
    insets.release()


def pixels(picture):
    """(height, width, 3) of what is drawn."""
    image = picture.grab().toImage().convertToFormat(picture.grab().toImage().Format.Format_RGB888)
    raw = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return raw[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()  # the image goes


def hue(pixel, colour):
    wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], float)
    return np.abs(pixel / max(pixel.max(), 1) - wanted / wanted.max()).max()


def test_they_show_the_two_planes_that_are_not_in_the_large_picture(insets, viewer, qtbot):
    assert [each.accessibleName() for each in insets.pictures] == ["Coronal plane", "Sagittal plane"]
    show_plane(viewer, Plane.SAGITTAL)
    qtbot.waitUntil(lambda: insets.pictures[0].accessibleName() == "Axial plane")
    assert insets.pictures[1].accessibleName() == "Coronal plane"
    show_surfaces(viewer)
    qtbot.waitUntil(lambda: insets.pictures[1].accessibleName() == "Coronal plane")
    qtbot.wait(100)
    assert [each.accessibleName() for each in insets.pictures] == ["Axial plane", "Coronal plane"], "in 3-D, too"
    assert all(pixels(each)[..., 0].max() > 100 for each in insets.pictures), "and none is black"


def test_head_is_up_proportions_are_true_and_what_differs_is_coloured(insets, viewer, volume, qtbot):
    viewer.dims.current_step = (5, 12, 10)  # row 12: only full precision has the cube there
    coronal = insets.pictures[0]
    qtbot.waitUntil(lambda: coronal.toolTip() != "")
    qtbot.wait(100)
    area = coronal.area()
    assert area.width() / area.height() == pytest.approx(40 * 1.5 / (12 * 4.0), rel=0.01)
    assert coronal.point_of(11, 0).y() < coronal.point_of(0, 0).y(), "the last slice is nearest the head"
    drawn = pixels(coronal)
    inside, outside = coronal.point_of(4, 8), coronal.point_of(10, 30)
    assert hue(drawn[round(inside.y()), round(inside.x())].astype(float), FULL_COLOUR) < 0.2
    body = drawn[round(outside.y()), round(outside.x())].astype(int)
    assert np.ptp(body) < 6, "grey where masks are none"


def test_a_click_or_a_drag_goes_to_the_place_in_all_planes(insets, viewer, qtbot):
    coronal = insets.pictures[0]
    place = coronal.point_of(8, 25)
    qtbot.mouseClick(coronal, Qt.MouseButton.LeftButton, pos=QPoint(round(place.x()), round(place.y())))
    assert viewer.dims.current_step == (8, 8, 25), "coronal keeps its own place"
    qtbot.mouseClick(coronal, Qt.MouseButton.LeftButton, pos=QPoint(1, 1))
    assert viewer.dims.current_step[0] == 11, "beyond the edge is the edge"


def test_planes_are_the_volume_s_own_whatever_else_is_open(insets, viewer, volume, qtbot, monkeypatch):
    cut = []
    for picture in insets.pictures:
        monkeypatch.setattr(picture, "_cut", lambda source, plane, at: cut.append((plane, at)))
    place = transform(volume)
    below = [place["translate"][0] - 30.0, *place["translate"][1:]]
    viewer.add_image(np.zeros((60, 60, 80)), **{**place, "scale": (1.0, 1.0, 1.0), "translate": below})
    viewer.dims.point = [place["translate"][axis] + n * place["scale"][axis] for axis, n in enumerate((9, 7, 6))]
    assert viewer.dims.current_step[0] != 9
    insets.refresh()
    qtbot.waitUntil(lambda: cut == [(Plane.CORONAL, 7), (Plane.SAGITTAL, 6)])
    insets.pictures[0].chosen.emit((0, 2), (4, 10))
    there = [place["translate"][axis] + n * place["scale"][axis] for axis, n in enumerate((4, 7, 10))]
    assert viewer.dims.point == pytest.approx(there)


def test_turning_slices_cuts_no_other_slice_out_of_the_volume(insets, viewer, qtbot, monkeypatch):
    cut = []
    for picture in insets.pictures:
        monkeypatch.setattr(picture, "_cut", lambda source, plane, at: cut.append((plane, at)))
    before = insets.pictures[0].point_of(*insets.pictures[0]._place)
    viewer.dims.set_current_step(0, 9)
    qtbot.waitUntil(lambda: insets.pictures[0].point_of(*insets.pictures[0]._place) != before)
    assert cut == [], "only the line moves"
    viewer.dims.set_current_step(1, 9)
    qtbot.waitUntil(lambda: bool(cut))
    assert cut == [(Plane.CORONAL, 9)]
    insets.refresh()
    qtbot.waitUntil(lambda: len(cut) == 3)
    assert cut[1:] == [(Plane.CORONAL, 9), (Plane.SAGITTAL, 10)], "masks or window have changed"


def test_nothing_is_asked_for_once_the_dock_is_taken_apart(viewer, volume, qtbot):
    asked = []
    insets = PlaneInsets(viewer, lambda: asked.append(1))
    qtbot.addWidget(insets)
    insets.release()
    insets.refresh()
    qtbot.wait(300)
    assert asked == []
