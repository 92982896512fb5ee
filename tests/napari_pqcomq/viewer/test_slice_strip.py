from __future__ import annotations

import math
from dataclasses import replace

import pytest
from napari.layers import Layer
from qtpy.QtCore import QPoint, QPointF, QRect, Qt
from qtpy.QtTest import QTest

from napari_pqcomq.layers.volume_layers import image_tuple
from napari_pqcomq.results.figures.slice_rows import slice_rows
from napari_pqcomq.viewer.comparison.comparison_view import ComparisonView
from napari_pqcomq.viewer.navigation.orthogonal_planes import Plane, show_plane, show_surfaces
from napari_pqcomq.viewer.overlays.slice_strip import SliceStrip, StripRow, colour_of
from napari_pqcomq.viewer.scene import Pane, Scene
from napari_pqcomq.viewer.sides.side_layers import LEFT_COLOUR, RIGHT_COLOUR
from napari_pqcomq.widgets.napari_window.gl_context import canvas_of
from pqcomq.comparison.comparison_result import ObjectComparison
from pqcomq.segmentation.box import Box3D

ROWS = (
    StripRow("8-bit", "8-bit: Dice vs full precision", dict.fromkeys(range(3, 9), 1.0)),
    StripRow("2-bit", "2-bit: Dice vs full precision", {z: 0.5 if z == 6 else 0.99 for z in range(3, 9)}),
)


@pytest.fixture
def strip(shown_viewer, volume, qtbot):
    """A strip of two rows on the twelve slices of the block, in a window."""
    shown_viewer.add_layer(Layer.create(*image_tuple(volume)))
    made = SliceStrip(shown_viewer, shown_viewer.window._qt_window)
    made.show_rows(ROWS, volume, 6, "#44BB99")
    qtbot.wait(200)
    yield made
    made.release()
    qtbot.wait(50)


@pytest.fixture
def chosen(strip):
    """The slices that were chosen."""
    found = []
    strip.slice_chosen.connect(found.append)
    return found


def middle(strip, z):
    return strip.column(z).center().toPoint()


def test_it_stands_between_the_picture_and_the_slider(strip, shown_viewer):
    canvas = canvas_of(shown_viewer.window._qt_window)
    assert strip.isVisible()
    assert strip.y() >= canvas.y() + canvas.height()
    assert strip.height() == strip.sizeHint().height()


def test_of_a_long_name_of_a_row_the_bits_are_seen(strip, volume, qtbot):
    seen = []
    for bits in (4, 8):
        strip.show_rows([replace(ROWS[1], title=f"{bits}-bit Round to nearest")], volume, 6, "#44BB99")
        qtbot.wait(100)
        seen.append(strip.grab(QRect(0, 8, 60, 11)).toImage())
    assert seen[0] != seen[1]


def test_a_slice_without_a_dice_says_so(strip, volume):
    strip.show_rows([replace(ROWS[1], values={6: math.nan})], volume, 6, "#44BB99")
    assert strip.text_at(6).endswith("2-bit: Dice vs full precision –")


def test_a_dot_marks_the_slices_of_which_a_model_is_in_doubt(strip, volume, qtbot):
    rows = (ROWS[0], StripRow("2-bit", ROWS[1].measure, ROWS[1].values, {6: 0.41, 7: 0.79}))
    strip.show_rows(rows, volume, 6, "#44BB99")
    qtbot.wait(50)
    assert strip.text_at(6).endswith("2-bit: Dice vs full precision 0.500, in doubt by itself (stability 0.41)")
    assert "doubt" not in strip.text_at(5)
    picture = strip.grab().toImage()
    scale = picture.devicePixelRatio()

    def colour(z, row):
        point = QPointF(strip.column(z).center().x(), strip.column(z).top() + (row + 0.5) * 11 - 0.5) * scale
        return picture.pixelColor(point.toPoint())

    assert colour(7, 1).lightness() > 200, "a white dot"
    assert colour(5, 1).lightness() < 200 and colour(7, 0).lightness() < 200


def test_a_click_a_drag_and_the_arrows_choose_slices(strip, chosen, shown_viewer, qtbot):
    QTest.mousePress(strip, Qt.MouseButton.LeftButton, pos=middle(strip, 2))
    QTest.mouseMove(strip, middle(strip, 4))
    qtbot.waitUntil(lambda: len(chosen) > 1)
    QTest.mouseRelease(strip, Qt.MouseButton.LeftButton, pos=middle(strip, 4))
    QTest.mouseClick(strip, Qt.MouseButton.LeftButton, pos=QPoint(strip.width() - 1, 12))
    assert chosen == [2, 4, 11], "beyond the last slice is the last slice"
    shown_viewer.dims.set_current_step(0, 10)
    strip.setFocus()
    QTest.keyClick(strip, Qt.Key.Key_Left)
    assert chosen[-1] == 9


def test_pixels_tell_the_worst_slice_and_leave_the_rest_dark(strip, qtbot):
    picture = strip.grab().toImage()
    ratio = picture.devicePixelRatio()

    def colour(z, row):
        place = middle(strip, z)
        return picture.pixelColor(int(place.x() * ratio), int((8 + 11 * row + 5) * ratio)).name()

    assert colour(6, 1) == colour_of(0.5).name() == "#fde737"
    assert colour(4, 0) == colour_of(1.0).name() == "#00224e"
    assert colour(4, 1) == colour_of(0.99).name()
    assert colour(1, 0) == colour(10, 1) == "#1b1f26", "no value, no colour"


def test_every_slice_tells_its_figures(strip):
    assert strip.text_at(6).splitlines() == [
        "Slice 6 · the models agree least here",
        "8-bit: Dice vs full precision 1.000",
        "2-bit: Dice vs full precision 0.500",
    ]
    assert strip.text_at(0).splitlines() == ["Slice 0", "outside the box"]


def test_it_gives_way_in_other_planes_and_when_there_is_nothing_to_show(strip, shown_viewer):
    show_plane(shown_viewer, Plane.CORONAL)
    assert not strip.isVisible()
    show_plane(shown_viewer, Plane.AXIAL)
    assert strip.isVisible()
    strip.clear()
    assert not strip.isVisible()


def test_colours_get_brighter_with_the_damage_and_there_is_one_for_no_value():
    lightness = [colour_of(dice).lightnessF() for dice in (1.0, 0.98, 0.95, 0.9)]
    assert lightness == sorted(lightness)
    assert colour_of(0.2) == colour_of(0.0)
    assert colour_of(math.nan).name() == "#3a3f48"


def test_rows_hold_agreement_and_accuracy_apart(volume, masks, comparison_of):
    left, right = masks
    comparison = comparison_of(volume, left, right, truth=left, precision="2-bit test")
    rows = slice_rows(ObjectComparison("cube", (comparison,), left))
    assert [row.title for row in rows] == ["2-bit", "vs truth"]
    assert [row.measure for row in rows] == ["2-bit: Dice vs full precision", "FP32: Dice vs ground truth"]
    assert rows[0].values[5] == pytest.approx(comparison.slices[2].agreement)
    assert rows[1].values[5] == 1.0
    without = comparison_of(volume, left, right, precision="2-bit test")
    assert len(slice_rows(ObjectComparison("cube", (without,)))) == 1


def test_the_frame_is_round_the_slice_in_sight_when_slices_come_back_from_3d(strip, shown_viewer, volume, masks):
    view = ComparisonView(shown_viewer, shown_viewer.window._qt_window)
    panes = Pane("FP32", (), masks[0], LEFT_COLOUR), Pane("2-bit", (), masks[1], RIGHT_COLOUR)
    view.open(panes, Scene.of_box(volume, (-160.0, 240.0), Box3D(5, 5, 3, 17, 15, 8)))
    shown_viewer.dims.set_current_step(0, 8)
    show_surfaces(shown_viewer)
    show_plane(shown_viewer, Plane.AXIAL)
    assert shown_viewer.dims.current_step[0] == 8
    assert strip._here == 8, "and not round the slice that the camera turned round"
    view.close()
