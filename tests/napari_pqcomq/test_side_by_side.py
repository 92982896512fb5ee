from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Image, Labels, Layer, Shapes

from napari_pqcomq.layers import image_tuple, transform
from napari_pqcomq.side_by_side import SideBySide
from napari_pqcomq.side_layers import LEFT_COLOUR, RIGHT_COLOUR, Pane, Scene, is_of_comparison
from pqcomq.segmentation.box import Box3D

BOX = Box3D(5, 5, 3, 17, 15, 8)
PLATE = ("Dice vs full precision 0.812", "Volume 12.3 mL")


@pytest.fixture
def scene(volume):
    return Scene(volume, (-160.0, 240.0), BOX)


@pytest.fixture
def panes(masks):
    left, right = masks
    return Pane("Model · FP32", PLATE[1:], left, LEFT_COLOUR), Pane("Model · 4-bit", PLATE, right, RIGHT_COLOUR)


def with_user_layers(viewer, volume):
    """The volume, a box on it and hidden labels, as a user may have them."""
    viewer.add_layer(Layer.create(*image_tuple(volume)))
    viewer.add_shapes(ndim=3, name="Box", **transform(volume))
    viewer.add_labels(np.zeros(volume.voxels.shape, np.uint8), name="Labels", visible=False, **transform(volume))


def state(viewer):
    grid = viewer.canvas.grid
    return (
        [(layer.name, layer.visible) for layer in viewer.layers],
        (grid.enabled, grid.shape, grid.stride, grid.spacing),
        (viewer.canvas.overlays.scale_bar.visible, viewer.canvas.overlays.scale_bar.gridded),
        set(viewer.canvas.overlays),
        viewer.canvas.overlay_tiling.top_right,
        {layer.name for layer in viewer.layers.selection},
        (viewer.scene.camera.center, viewer.scene.camera.zoom),
    )


def share_of(screenshot, colour):
    """In each half of a picture, the share of pixels whose hue is that of ``colour``."""
    wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], float)
    pixels = screenshot[..., :3].astype(float)
    tint = pixels - pixels.min(axis=-1, keepdims=True)
    reference = wanted - wanted.min()
    norm = np.linalg.norm(tint, axis=-1) * np.linalg.norm(reference)
    alike = (tint @ reference > 0.99 * norm) & (np.linalg.norm(tint, axis=-1) > 25)
    middle = screenshot.shape[1] // 2
    return alike[:, :middle].mean(), alike[:, middle:].mean()


def test_each_side_has_its_own_layers_and_the_users_are_hidden(viewer, volume, panes, scene):
    with_user_layers(viewer, volume)
    SideBySide(viewer).open(*panes, scene)
    kinds = [type(layer) for layer in viewer.layers if is_of_comparison(layer)]
    assert kinds == [Image, Labels, Shapes, Image, Labels, Shapes]
    positions = [viewer.canvas.grid.position(i, viewer.layers) for i in range(6)]
    assert positions == [(0, 0)] * 3 + [(0, 1)] * 3
    assert not any(layer.visible for layer in viewer.layers if not is_of_comparison(layer))
    for layer in viewer.layers:
        assert [str(unit) for unit in layer.units] == ["millimeter"] * 3
        assert layer.axis_labels == ("z", "y", "x")
        np.testing.assert_allclose(layer.scale, (4.0, 2.0, 1.5))
        np.testing.assert_allclose(layer.translate, (300.0, 10.0, -20.0))


def test_closing_puts_everything_back(viewer, volume, panes, scene):
    with_user_layers(viewer, volume)
    before = state(viewer)
    closed = []
    view = SideBySide(viewer, on_close=lambda: closed.append(True))
    view.open(*panes, scene)
    assert state(viewer) != before
    view.close()
    assert state(viewer) == before
    assert closed == [True]
    assert not view.is_open


def test_opening_again_replaces_the_comparison_and_still_restores_the_first_state(viewer, volume, panes, scene):
    with_user_layers(viewer, volume)
    before = state(viewer)
    view = SideBySide(viewer)
    view.open(*panes, scene)
    view.open(*panes, scene)
    assert sum(is_of_comparison(layer) for layer in viewer.layers) == 6
    view.close()
    assert state(viewer) == before


def test_deleting_one_of_its_layers_closes_it(viewer, volume, panes, scene):
    with_user_layers(viewer, volume)
    before = state(viewer)
    view = SideBySide(viewer)
    view.open(*panes, scene)
    viewer.layers.remove("Right: mask")
    assert not view.is_open
    assert state(viewer) == before


def test_a_user_who_reorders_layers_cannot_swap_the_sides(viewer, volume, panes, scene):
    with_user_layers(viewer, volume)
    view = SideBySide(viewer)
    view.open(*panes, scene)
    names = [layer.name for layer in viewer.layers]
    viewer.layers.move(0, len(viewer.layers))
    assert [layer.name for layer in viewer.layers] == names


def test_the_window_level_is_the_same_on_both_sides(viewer, panes, scene):
    view = SideBySide(viewer)
    view.open(*panes, scene)
    viewer.layers["Right: image"].contrast_limits = (-100, 100)
    assert viewer.layers["Left: image"].contrast_limits == [-100, 100]
    view.set_contrast_limits((-500.0, 1300.0))
    assert viewer.layers["Right: image"].contrast_limits == [-500, 1300]


def test_the_truth_is_outlined_on_both_sides_only_if_there_is_one(viewer, volume, panes, masks):
    SideBySide(viewer).open(*panes, Scene(volume, (-160.0, 240.0), BOX, truth=masks[0]))
    truths = [viewer.layers[f"{side}: ground truth"] for side in ("Left", "Right")]
    assert all(truth.contour == 1 for truth in truths)
    assert viewer.canvas.grid.position(4, viewer.layers) == (0, 1)


def test_the_box_is_drawn_on_its_slices_and_no_others(viewer, panes, scene):
    SideBySide(viewer).open(*panes, scene)
    slices = [int(rectangle[0, 0]) for rectangle in viewer.layers["Left: box"].data]
    assert slices == [3, 4, 5, 6, 7, 8]


def test_a_slice_outside_the_box_is_left_and_one_inside_kept(viewer, volume, panes, scene):
    with_user_layers(viewer, volume)
    viewer.dims.set_current_step(0, 11)
    view = SideBySide(viewer)
    view.open(*panes, scene)
    assert viewer.dims.current_step[0] == BOX.middle
    viewer.dims.set_current_step(0, 8)
    view.open(*panes, scene)
    assert viewer.dims.current_step[0] == 8


def test_pixels_show_each_mask_on_its_own_side(shown_viewer, qtbot, volume, panes, scene):
    with_user_layers(shown_viewer, volume)
    view = SideBySide(shown_viewer)
    view.open(*panes, scene)
    shown_viewer.canvas.overlays["pqcomq_top_left_title"].color = "white"  # leave the colours to the masks
    shown_viewer.canvas.overlays["pqcomq_top_right_title"].color = "white"
    qtbot.wait(200)
    picture = shown_viewer.screenshot(canvas_only=True, flash=False)
    blue, orange = share_of(picture, LEFT_COLOUR), share_of(picture, RIGHT_COLOUR)
    assert blue[0] > 0.01
    assert blue[1] == 0
    assert orange[1] > 0.005
    assert orange[0] == 0
    assert blue[0] == pytest.approx(2 * orange[1], rel=0.2)  # the right mask is the left one without its lower half


def test_pixels_show_the_plates_where_they_belong(shown_viewer, qtbot, panes, scene):
    view = SideBySide(shown_viewer)
    view.open(*panes, scene)
    for layer in shown_viewer.layers:
        layer.opacity = 0
    qtbot.wait(200)
    picture = shown_viewer.screenshot(canvas_only=True, flash=False)
    assert min(share_of(picture, LEFT_COLOUR)) == 0 < max(share_of(picture, LEFT_COLOUR))
    assert share_of(picture, RIGHT_COLOUR)[1] > 0 == share_of(picture, RIGHT_COLOUR)[0]
    white = (picture[..., :3] > 200).all(axis=-1)
    height, width = white.shape
    assert white[: height // 3, : width // 2].any()
    assert white[: height // 3, width // 2 :].any()
    gutter = white[: height // 3, width // 2 - 8 : width // 2 + 8]
    assert not gutter.any(), "the plates run into each other"


@pytest.mark.parametrize("size", [(900, 600), (1280, 800), (1900, 1000)])
def test_plates_stay_in_their_half_of_any_window(shown_viewer, qtbot, panes, scene, size):
    left, right = panes
    long = Pane("LiteMedSAM · 4-bit Permutation-COMQ", ("Simulated low bits (runs as FP32)",), right.mask, RIGHT_COLOUR)
    view = SideBySide(shown_viewer)
    view.open(left, long, scene)
    for layer in shown_viewer.layers:
        layer.opacity = 0
    shown_viewer.window.resize(*size)
    qtbot.wait(400)
    picture = shown_viewer.screenshot(canvas_only=True, flash=False)
    height, width = picture.shape[:2]
    assert (picture[: height // 3, width // 2 :, :3] > 150).any()
    orange_left, orange_right = share_of(picture, RIGHT_COLOUR)
    assert orange_left == 0 < orange_right
    assert view.is_open


def test_direction_letters_follow_the_axis_across(viewer, volume, panes, scene):
    view = SideBySide(viewer)
    view.open(*panes, scene)
    letters = [viewer.canvas.overlays[f"pqcomq_middle_{side}"] for side in ("left", "right")]
    assert [letter.text for letter in letters] == ["R", "L"]
    viewer.dims.order = (2, 0, 1)
    assert [letter.text for letter in letters] == ["A", "P"]
