"""What is seen in 3-D: no mirror image of the patient, letters that turn with the camera, and where models differ."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Layer
from qtpy.QtWidgets import QApplication

from napari_pqcomq.layers.volume_layers import image_tuple, transform
from napari_pqcomq.viewer.comparison.comparison_view import ComparisonView
from napari_pqcomq.viewer.navigation.orthogonal_planes import Plane, show_plane, show_surfaces
from napari_pqcomq.viewer.overlays.direction_letters import PREFIX, DirectionLetters
from napari_pqcomq.viewer.scene import Pane, Scene
from napari_pqcomq.viewer.sides.side_layers import FULL_COLOUR, LEFT_COLOUR, QUANTIZED_COLOUR, RIGHT_COLOUR
from pqcomq.segmentation.box import Box3D

FROM_FRONT = (-0.35, 1.0, 0.45)
"""z y x; a little from above and from the patient's right."""
HEAD_UP = (1.0, 0.0, 0.0)
SEEN = {"both": (4, 8, 8), "only full": (8, 8, 8), "only quantized": (4, 8, 18)}
"""A voxel of each kind, z y x."""


@pytest.fixture
def lettered(shown_viewer, volume):
    """A viewer with a volume, its letters, and blobs at the patient's left (red), head (green) and front (blue)."""
    viewer = shown_viewer
    viewer.add_layer(Layer.create(*image_tuple(volume)))
    letters = DirectionLetters(viewer)
    letters.set_volume(volume)
    viewer.layers[0].visible = False
    for name, colour, blob in (
        ("left", "red", np.s_[4:8, 12:18, 32:38]),
        ("head", "lime", np.s_[10:12, 12:18, 17:23]),
        ("front", "blue", np.s_[4:8, 0:4, 17:23]),
    ):
        mask = np.zeros(volume.voxels.shape, np.uint8)
        mask[blob] = 1
        layer = viewer.add_labels(mask, name=name, **transform(volume))
        layer.colormap = {None: "transparent", 0: "transparent", 1: colour}
    yield viewer, letters
    letters.release()


def place_of(viewer, channel):
    """Row and column of the middle of what is red (0), green (1) or blue (2), from the middle of the picture."""
    QApplication.processEvents()
    picture = viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(int)
    others = [each for each in range(3) if each != channel]
    rows, columns = np.nonzero((picture[..., channel] > 100) & (picture[..., others].max(axis=-1) < 90))
    assert rows.size > 20
    return rows.mean() - picture.shape[0] / 2, columns.mean() - picture.shape[1] / 2


@pytest.mark.parametrize("way", ["button", "after the front", "napari's own"])
def test_the_patients_left_is_right_when_seen_from_the_front(lettered, volume, way):
    viewer, letters = lettered
    if way == "after the front":
        show_plane(viewer, Plane.CORONAL)
    if way == "napari's own":
        viewer.dims.ndisplay = 3
    else:
        show_surfaces(viewer)
    camera = viewer.scene.camera
    camera.set_view_direction(FROM_FRONT, HEAD_UP)
    camera.center, camera.zoom = (322.0, 40.0, 10.0), 6
    column = place_of(viewer, 0)[1]
    assert column > 20
    assert place_of(viewer, 1)[0] < -20
    assert place_of(viewer, 2)[1] < column
    told = letters.letters()
    assert (told["middle_right"][0], told["middle_left"][0], told["top_center"][0]) == ("L", "R", "S")


def test_letters_turn_with_the_camera_and_name_two_directions_between_axes(lettered):
    viewer, letters = lettered
    show_surfaces(viewer)
    camera = viewer.scene.camera
    camera.set_view_direction((0, 1, 0), HEAD_UP)
    assert letters.letters() == {"middle_left": "R", "middle_right": "L", "top_center": "S", "bottom_center": "I"}
    camera.set_view_direction((0, -1, 0), HEAD_UP)  # from behind
    assert letters.letters()["middle_right"] == "R"
    camera.set_view_direction((0, 1, -0.9), HEAD_UP)  # half from the patient's left
    assert letters.letters()["middle_right"] == "LP"
    assert letters.letters()["middle_left"] == "RA"
    shown = viewer.canvas.overlays
    assert (shown[PREFIX + "middle_right"].text, shown[PREFIX + "middle_right"].visible) == ("LP", True)
    show_plane(viewer, Plane.AXIAL)
    assert shown[PREFIX + "middle_right"].text == "L"


def scene_of(volume):
    return Scene.of_box(volume, (-160.0, 240.0), Box3D(5, 5, 3, 21, 15, 8))


@pytest.fixture
def compared(shown_viewer, volume):
    """Two sides: the second has lost a slab of the first, and has one of its own."""
    full = np.zeros(volume.voxels.shape, np.uint8)
    full[3:9, 6:14, 6:16] = 1
    low = full.copy()
    low[7:9] = 0  # towards the head
    low[3:7, 6:14, 16:20] = 1  # towards the patient's left
    panes = Pane("FP32", (), full, LEFT_COLOUR), Pane("2-bit", (), low, RIGHT_COLOUR)
    view = ComparisonView(shown_viewer)
    view.open(panes, scene_of(volume))
    yield shown_viewer, full, low
    view.close()


def test_surfaces_tell_where_only_one_of_the_models_has_something(compared):
    viewer, full, low = compared
    show_surfaces(viewer)
    first, second = (viewer.layers[f"{number}: surfaces"] for number in (1, 2))
    np.testing.assert_array_equal(first.data, full)
    colours = {name: second.colormap.map(int(second.data[at])) for name, at in SEEN.items()}
    assert (second.data > 0).sum() == ((full > 0) | (low > 0)).sum()
    for name, colour in (("only full", FULL_COLOUR), ("only quantized", QUANTIZED_COLOUR)):
        wanted = [int(colour[each : each + 2], 16) / 255 for each in (1, 3, 5)]
        np.testing.assert_allclose(np.ravel(colours[name])[:3], wanted, atol=0.01)
    assert second.data[SEEN["both"]] == 1
    show_plane(viewer, Plane.AXIAL)
    assert first not in viewer.layers
    assert second not in viewer.layers, "hidden layers, too, hold up each switch of views"
    show_surfaces(viewer)
    np.testing.assert_array_equal(viewer.layers["2: surfaces"].data, second.data)


def test_hidden_objects_have_no_surface_and_masks_stay_as_they_are(shown_viewer, volume, masks):
    masks = [each.astype(np.uint8) for each in masks[:2]]
    masks[1][1:3, 1:4, 1:4] = 2
    view = ComparisonView(shown_viewer)
    view.open([Pane(f"{number}-bit", (), each, "red") for number, each in enumerate(masks)], scene_of(volume))
    show_surfaces(shown_viewer)
    shown_viewer.layers["1: surfaces"].opacity = 0.5
    assert shown_viewer.layers["2: surfaces"].opacity == 0.5
    assert (shown_viewer.layers["2: surfaces"].data[1:3, 1:4, 1:4] > 0).all()
    view.set_objects((), hidden=frozenset({2}))
    assert not (shown_viewer.layers["2: surfaces"].data[1:3, 1:4, 1:4] > 0).any()
    view.set_objects(())
    show_plane(shown_viewer, Plane.AXIAL)
    for shown, mask in zip(view.all_masks(), masks, strict=True):
        np.testing.assert_array_equal(shown, mask)
    view.close()


@pytest.mark.parametrize("in_steps", [False, True])
def test_a_comparison_that_opens_in_3d_shows_its_surfaces(shown_viewer, volume, masks, qtbot, in_steps):
    view = ComparisonView(shown_viewer)
    shown_viewer.add_layer(Layer.create(*image_tuple(volume)))
    show_surfaces(shown_viewer)
    for count in (2, 3, 2):
        panes = [Pane(f"{number}-bit", (), masks[number % 2], "red") for number in range(count)]
        opened = []
        if in_steps:
            view.open_in_steps(panes, scene_of(volume), lambda opened=opened: opened.append(True))
            qtbot.waitUntil(lambda opened=opened: bool(opened))
        else:
            view.open(panes, scene_of(volume))
        seen = [layer.name for layer in shown_viewer.layers if layer.visible]
        assert seen == [f"{number}: surfaces" for number in range(1, count + 1)]
    view.close()
    assert [layer.name for layer in shown_viewer.layers] == [volume.name]


def test_what_is_selected_stays_so_through_3d(compared):
    viewer, *_masks = compared
    before = viewer.layers.selection.active
    assert before is not None
    show_surfaces(viewer)
    assert viewer.layers.selection.active is before
    show_plane(viewer, Plane.AXIAL)
    assert viewer.layers.selection.active is before
