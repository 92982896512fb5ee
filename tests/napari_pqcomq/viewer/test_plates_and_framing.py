"""What stands above the pictures, what stands at their edges, and where the camera looks."""

from __future__ import annotations

import html

import numpy as np
import pytest
import SimpleITK as sitk
from napari.layers import Layer
from qtpy.QtCore import QPoint
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QLabel

from napari_pqcomq.layers.volume_layers import image_tuple, transform
from napari_pqcomq.viewer.cameras.framing import Cells, body_ranges
from napari_pqcomq.viewer.comparison.comparison_view import ComparisonView
from napari_pqcomq.viewer.modes.base import Plate, short_titles
from napari_pqcomq.viewer.modes.mode_registry import DIFFERENCE, SIDE_BY_SIDE, SWIPE
from napari_pqcomq.viewer.navigation.orthogonal_planes import Plane, show_plane, show_surfaces
from napari_pqcomq.viewer.overlays.direction_letters import EDGES, PREFIX, DirectionLetters
from napari_pqcomq.viewer.overlays.plate_strips import headline, wordings
from napari_pqcomq.viewer.scene import Mark, Pane, Scene
from napari_pqcomq.viewer.sides.side_layers import LEFT_COLOUR, RIGHT_COLOUR
from napari_pqcomq.widgets.napari_window.gl_context import canvas_of
from pqcomq.segmentation.box import Box3D
from pqcomq.volumes.volume import Volume

BOX = Box3D(5, 5, 3, 17, 15, 8)
LINES = ("left kidney", "Dice vs full precision 0.812 · NSD 0.700", "Volume 12.3 mL (+4.7 %)")
FAIL = Mark("✗ FAIL: Dice < 0.98", "#E8743B")


def panes_of(masks, count):
    full = Pane("LiteMedSAM · FP32", LINES[2:], masks[0], LEFT_COLOUR)
    rest = [
        Pane(f"LiteMedSAM · {bits}-bit Permutation-COMQ", LINES, masks[1], RIGHT_COLOUR, FAIL) for bits in (8, 4, 2)
    ]
    return [full, *rest][:count]


@pytest.fixture
def opened(shown_viewer, volume, masks, qtbot):
    """Opens a comparison of so many sides in a window."""

    def opening(count):
        view = ComparisonView(shown_viewer, shown_viewer.window._qt_window)
        view.open(panes_of(masks, count), Scene.of_box(volume, (-160.0, 240.0), BOX))
        qtbot.wait(200)
        return view

    return opening


def strips(viewer):
    """Those in sight, from the top left."""
    labels = canvas_of(viewer.window._qt_window).findChildren(QLabel)
    return sorted((each for each in labels if each.isVisible()), key=lambda each: (each.y(), each.x()))


def body_pixels(viewer, volume, side):
    """Where the edges of the body are drawn on a side: first and last row and column of the canvas."""
    cells, camera = Cells.of(viewer), viewer.scene.camera
    row, column = divmod(side, cells.columns)
    place, ends = transform(volume), body_ranges(volume, (-160.0, 240.0))
    found = []
    for axis, middle, centre in (
        (1, (row + 0.5) * cells.height + row * cells.gap, camera.center[1]),
        (2, (column + 0.5) * cells.width + column * cells.gap, camera.center[2]),
    ):
        world = [place["translate"][axis] + place["scale"][axis] * end for end in ends[axis]]
        found.append([middle + (each - centre) * camera.zoom for each in world])
    (top, bottom), (left, right) = found
    return top, bottom, left, right


@pytest.mark.parametrize("sides", [2, 4])
def test_no_strip_lies_on_the_body(opened, shown_viewer, volume, qtbot, sides):
    view = opened(sides)
    for size in ((900, 600), (1280, 800), (1800, 1000)):
        shown_viewer.window.resize(*size)
        qtbot.wait(200)
        view.look_at(None)
        seen = strips(shown_viewer)
        assert len(seen) == sides
        for number, strip in enumerate(seen):
            top, bottom, left, right = body_pixels(shown_viewer, volume, number)
            assert top >= strip.y() + strip.height() - 1, "the picture begins below the strip"
            assert left >= strip.x() - 1
            assert right <= strip.x() + strip.width() + 1
            below = [other.y() for other in seen if other.y() > strip.y()]
            assert bottom <= min([*below, shown_viewer.canvas.size[0]]) + 1


def test_strips_say_title_verdict_and_dice_and_all_else_when_hovered_over(opened, shown_viewer):
    view = opened(4)
    texts = [strip.text() for strip in strips(shown_viewer)]
    assert "FP32" in texts[0]
    for text, bits in zip(texts[1:], "842", strict=True):
        assert f"{bits}-bit" in text
        assert "✗ FAIL" in text
        assert "Dice vs full precision 0.812" in text
        assert "<br>" not in text, "one line in a square"
        assert "…" not in text
    tip = strips(shown_viewer)[1].toolTip()
    assert all(html.escape(line) in tip for line in (*LINES, FAIL.text))
    view.close()
    assert strips(shown_viewer) == []


def test_strips_keep_their_place_when_their_words_change(opened, shown_viewer, qtbot):
    view = opened(2)
    before = [strip.geometry() for strip in strips(shown_viewer)]
    assert "<br>" in strips(shown_viewer)[1].text(), "two lines where cells are high"
    view.set_lines([("Encoding slice 5…",)] * 2)
    qtbot.wait(50)
    assert [strip.geometry() for strip in strips(shown_viewer)] == before
    assert "Encoding slice 5…" in strips(shown_viewer)[1].text()


def test_a_narrow_strip_takes_shorter_words_and_its_tooltip_tells_the_rest(opened, shown_viewer, qtbot):
    view = opened(4)
    strip = strips(shown_viewer)[3]
    strip.resize(120, strip.height())
    qtbot.wait(50)
    assert "LiteMedSAM" not in strip.text()
    assert "LiteMedSAM · 2-bit Permutation-COMQ" in strip.toolTip()
    strip.resize(300, strip.height())
    qtbot.wait(50)
    assert "✗ FAIL" in strip.text()
    assert "…" not in strip.text()
    assert view.is_open


def test_other_views_have_their_strips_and_leave_none_behind(opened, shown_viewer):
    view = opened(4)
    view.show(DIFFERENCE)
    assert [strip.y() for strip in strips(shown_viewer)] == [0, 0, 0]
    assert "mL" in strips(shown_viewer)[1].text()
    view.show(SIDE_BY_SIDE)
    assert len(strips(shown_viewer)) == 4


def test_wordings_get_shorter_and_say_the_figure_whole_or_not_at_all():
    plate = Plate("LiteMedSAM · 4-bit X", "white", LINES, FAIL, short_titles("LiteMedSAM · 4-bit X"))
    said = ["   ".join(words for words, _colour in lines[0]) for lines in wordings(plate, 1)]
    assert said[0] == "LiteMedSAM · 4-bit X   ✗ FAIL: Dice < 0.98   Dice vs full precision 0.812"
    assert said[3] == "4-bit   ✗ FAIL   Dice vs full precision 0.812"
    assert said[-1] == "4-bit   ✗ FAIL"
    assert all(each.endswith("Dice vs full precision 0.812") or "Dice vs" not in each for each in said)
    assert wordings(plate, 2)[-1] == [[("4-bit", "white")], [("✗ FAIL", FAIL.colour)]]
    following = Plate("4-bit", "white", ("Encoding slice 5…",))
    assert wordings(following, 2)[-1][1] == [("Encoding slice 5…", "")], "without a verdict there is room for it"
    assert [len(each) for each in said] == sorted((len(each) for each in said), reverse=True)
    assert headline(("Volume 3 mL",)) == "Volume 3 mL"
    assert headline(()) == ""


@pytest.mark.parametrize("sides", [2, 4])
def test_an_object_fills_half_of_its_cell_and_one_call_shows_the_whole_slice(opened, shown_viewer, volume, sides):
    view = opened(sides)
    view.look_at(None)
    whole = shown_viewer.scene.camera.zoom
    view.look_at(BOX)
    zoom, cells = shown_viewer.scene.camera.zoom, Cells.of(shown_viewer)
    room = cells.width, cells.height - view.strips.height
    shares = (BOX.x1 - BOX.x0) * 1.5 * zoom / room[0], (BOX.y1 - BOX.y0) * 2.0 * zoom / room[1]
    assert 0.5 <= max(shares) + 1e-6 <= 0.86, "more where the cell would be black beside the body"
    assert zoom > whole
    assert view.is_close
    view.look_at(None)
    assert shown_viewer.scene.camera.zoom == pytest.approx(whole)


@pytest.mark.parametrize("size", [(1280, 500), (1920, 800)])
def test_no_flat_cell_is_more_than_a_third_black_when_an_object_is_looked_at(shown_viewer, volume, masks, qtbot, size):
    z, y, x = np.indices((12, 60, 80))
    inside = ((y - 30) / 24) ** 2 + ((x - 40) / 36) ** 2 < 1
    whole = sitk.GetImageFromArray(np.where(inside, 40, -1000).astype(np.int16))
    whole.SetSpacing((3.0, 3.0, 5.0))
    patient = Volume.of(whole, "CT", "patient")
    organ = ((y - 26) ** 2 + (x - 46) ** 2 < 144) & (abs(z - 5) < 3)
    shown_viewer.window.resize(*size)
    view = ComparisonView(shown_viewer, shown_viewer.window._qt_window)
    box = Box3D.around(organ)
    view.open(panes_of((organ, organ), 4), Scene.of_box(patient, (-160.0, 240.0), box))
    view.hide("boxes", True)
    view.hide("masks", True)
    qtbot.wait(300)
    view.look_at(box)
    qtbot.wait(300)
    picture = shown_viewer.screenshot(canvas_only=True, flash=False)[..., :3].max(axis=-1)
    cells = Cells.of(shown_viewer)
    for number in range(4):
        area = cells.area(*divmod(number, cells.columns))
        cell = picture[area.top() + view.strips.height : area.bottom(), area.left() : area.right()]
        assert (cell < 25).mean() <= 1 / 3 + 0.02


@pytest.mark.parametrize("sides", [2, 4])
def test_the_camera_looks_at_the_same_place_after_another_plane_or_3d(opened, shown_viewer, sides):
    view = opened(sides)
    for box in (None, BOX):
        view.look_at(box)
        camera = shown_viewer.scene.camera
        before = camera.center, camera.zoom
        show_plane(shown_viewer, Plane.CORONAL)
        show_plane(shown_viewer, Plane.AXIAL)
        np.testing.assert_allclose(camera.center[1:], before[0][1:], atol=0.2)
        show_plane(shown_viewer, Plane.CORONAL)
        show_surfaces(shown_viewer)
        show_plane(shown_viewer, Plane.AXIAL)
        np.testing.assert_allclose(camera.center[1:], before[0][1:], atol=0.2)
        assert camera.zoom == pytest.approx(before[1], rel=0.01)


def test_the_camera_stays_where_the_user_has_put_it(opened, shown_viewer, qtbot):
    opened(2)
    shown_viewer.scene.camera.zoom = 7.5
    shown_viewer.window.resize(1000, 700)
    qtbot.wait(200)
    assert shown_viewer.scene.camera.zoom == 7.5


def test_the_body_is_found_and_not_the_ground_round_it(volume):
    assert body_ranges(volume, (-160.0, 240.0)) == ((-0.5, 11.5), (3.5, 25.5), (3.5, 35.5))
    assert body_ranges(volume, (5000.0, 6000.0)) == ((-0.5, 11.5), (-0.5, 29.5), (-0.5, 39.5)), "nothing stands out"


def test_letters_stand_at_the_edges_of_every_cell_or_of_the_single_picture(opened, shown_viewer, volume, qtbot):
    shown_viewer.add_layer(Layer.create(*image_tuple(volume)))
    letters = DirectionLetters(shown_viewer, shown_viewer.window._qt_window)
    letters.set_volume(volume)
    canvas = canvas_of(shown_viewer.window._qt_window)
    view, overlays = opened(3), shown_viewer.canvas.overlays
    letters.stand_below(view.strips)
    expected = dict(zip(EDGES, "RLAP", strict=True))

    def on_picture():
        return "".join(overlays[PREFIX + edge].text for edge in EDGES if overlays[PREFIX + edge].visible)

    assert on_picture() == ""
    assert letters.cells.texts() == [expected] * 3, "none in the fourth cell, which is empty"
    for strip, top in zip(strips(shown_viewer), letters.cells.places("top_center"), strict=True):
        assert strip.geometry().contains(QPoint(top.center().x(), strip.geometry().center().y())), "in its cell"
        assert top.top() >= strip.geometry().bottom(), "below the strip"
        assert canvas.childAt(top.center()) is None, "the mouse goes through it"
    view.show(DIFFERENCE)
    assert on_picture() == "", "napari would place them again for every layer"
    assert letters.cells.texts() == [expected]
    assert letters.cells.places("top_center")[0].top() >= strips(shown_viewer)[0].geometry().bottom()
    view.show(SIDE_BY_SIDE)
    show_plane(shown_viewer, Plane.CORONAL)
    assert letters.cells.texts() == [dict(zip(EDGES, "RLSI", strict=True))] * 3
    view.close()
    letters.stand_below(view.strips)
    assert letters.cells.texts() == []
    assert on_picture() == "RLAP", "as before"
    shown_viewer.canvas.grid.enabled = True  # the user's own
    for count in (1, 2):
        assert letters.cells.texts() == [expected] * count
        shown_viewer.add_labels(np.zeros((2, 2, 2), np.uint8))
    letters.release()
    assert not any(PREFIX + edge in overlays for edge in EDGES)


def test_letters_and_scale_bar_stand_on_the_picture_from_the_opening_of_a_volume(viewer, volume):
    viewer.add_layer(Layer.create(*image_tuple(volume)))
    viewer.dims.order = (0, 1, 2)
    letters = DirectionLetters(viewer)
    assert not any(PREFIX + edge in viewer.canvas.overlays for edge in EDGES)
    letters.set_volume(volume)

    def seen():
        overlays = viewer.canvas.overlays
        return "".join(overlays[PREFIX + edge].text for edge in EDGES if overlays[PREFIX + edge].visible)

    assert seen() == "RLAP"
    assert viewer.canvas.overlays.scale_bar.visible
    show_plane(viewer, Plane.CORONAL)
    assert seen() == "RLSI"
    show_plane(viewer, Plane.SAGITTAL)
    assert seen() == "APSI"
    show_surfaces(viewer)
    assert set("RLAPSI") >= set(seen()) != set()
    show_plane(viewer, Plane.AXIAL)
    assert seen() == "RLAP"
    letters.set_volume(None)
    assert seen() == ""
    letters.release()
    assert not any(PREFIX + edge in viewer.canvas.overlays for edge in EDGES)
    assert not viewer.canvas.overlays.scale_bar.visible


def test_the_mouse_over_a_strip_leaves_the_picture_alone(opened, shown_viewer, qtbot):
    opened(4)
    before = shown_viewer.scene.camera.center
    canvas, strip = canvas_of(shown_viewer.window._qt_window), strips(shown_viewer)[0]
    assert canvas.childAt(strip.geometry().center()) is strip
    QTest.mouseMove(strip, QPoint(20, 8))
    qtbot.wait(50)
    np.testing.assert_array_equal(shown_viewer.scene.camera.center, before)


def test_no_letter_lies_under_the_scale_bar_of_a_low_picture(opened, shown_viewer, volume, qtbot):
    view, letters = opened(4), DirectionLetters(shown_viewer, shown_viewer.window._qt_window)
    letters.set_volume(volume)
    letters.stand_below(view.strips)
    canvas = canvas_of(shown_viewer.window._qt_window)
    canvas.setFixedSize(600, 210)  # as on a screen of 1280 × 800 at a scale of 150 %, above the results
    qtbot.waitUntil(lambda: tuple(shown_viewer.canvas.size) == (210, 600))
    (bar,) = view.scale_bar.places()
    for edge in EDGES:
        assert not any(bar.intersects(place) for place in letters.cells.places(edge)), edge
    letters.release()


def test_scale_bars_take_a_quarter_of_a_picture_at_most_and_measure_it(opened, shown_viewer, qtbot):
    view, camera = opened(4), shown_viewer.scene.camera
    for name in (SIDE_BY_SIDE, SWIPE):
        view.show(name)
        for zoom in (camera.zoom, 3 * camera.zoom):  # the second as with Ctrl and the wheel
            camera.zoom = zoom
            cells, (length,), (place,) = Cells.of(shown_viewer), view.scale_bar.lengths(), view.scale_bar.places()
            assert min(0.1 * cells.width, 60) <= length * zoom <= min(0.25 * cells.width, 150)
            assert cells.area(cells.rows - 1, cells.columns - 1).contains(place)
            canvas = canvas_of(shown_viewer.window._qt_window)
            picture = canvas.grab(place).toImage()
            white = [x for x in range(place.width()) if picture.pixelColor(x, place.height() - 8).lightness() > 240]
            assert white[-1] - white[0] == pytest.approx(length * zoom, abs=1.5), "what it says is what is drawn"
    show_surfaces(shown_viewer)
    assert view.scale_bar.places() == []
    show_plane(shown_viewer, Plane.AXIAL)
    assert len(view.scale_bar.places()) == 1
