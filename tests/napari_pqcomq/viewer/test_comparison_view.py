from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from napari.layers import Image, Layer, Surface

from napari_pqcomq.layers.comparison_tag import is_of_comparison
from napari_pqcomq.layers.volume_layers import image_tuple, transform
from napari_pqcomq.prompts.marks.box_layers import rectangle
from napari_pqcomq.prompts.objects.drawn_object import DrawnObject
from napari_pqcomq.viewer.comparison.comparison_view import ComparisonView
from napari_pqcomq.viewer.comparison.view_bar import ViewBar
from napari_pqcomq.viewer.modes.mode_registry import DIFFERENCE, FLICKER, SIDE_BY_SIDE, SWIPE
from napari_pqcomq.viewer.navigation.orthogonal_planes import Plane, show_plane, show_surfaces
from napari_pqcomq.viewer.scene import Mark, Pane, Scene
from napari_pqcomq.viewer.sides.side_layers import (
    ALL_COLOURS,
    FILL_COLOURS,
    LEFT_COLOUR,
    LINE_COLOURS,
    PART_COLOURS,
    RIGHT_COLOUR,
    STROKE_COLOURS,
)
from pqcomq.comparison.presentation.palette import TRUTH_COLOUR
from pqcomq.segmentation.box import Box3D

BOX = Box3D(5, 5, 3, 17, 15, 8)
PLATE = ("Dice vs full precision 0.812", "Volume 12.3 mL")


@pytest.fixture
def scene(volume):
    return Scene.of_box(volume, (-160.0, 240.0), BOX)


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
        [getattr(viewer.canvas.overlay_tiling, corner) for corner in ("top_right", "bottom_left")],
        viewer.canvas.background_color_override,
        (viewer.dims.ndisplay, viewer.dims.order, viewer.scene.camera.orientation),
        {layer.name for layer in viewer.layers.selection},
        (viewer.scene.camera.center, viewer.scene.camera.zoom, viewer.scene.camera.angles),
    )


def lines(layer, colours=LINE_COLOURS):
    """Corners (n, 4, 3) z y x of the lines or areas of some colours on a layer."""
    if len(layer.vertices) == 3:  # napari's surfaces are never empty
        return np.empty((0, 4, 3))
    kinds = layer.vertex_values.reshape(-1, 4)[:, 0].astype(int)
    drawn_in = np.array((*LINE_COLOURS, *FILL_COLOURS, *PART_COLOURS))
    return layer.vertices.reshape(-1, 4, 3)[np.isin(drawn_in[kinds], colours)]


def filled(layer, colours=FILL_COLOURS):
    """The voxels (y, x) of the volume's slices that areas of some colours cover."""
    found = np.zeros((30, 40), bool)
    for corners in lines(layer, colours):
        (top, left), (bottom, right) = corners[:, 1:].min(axis=0) + 0.5, corners[:, 1:].max(axis=0) + 0.5
        found[round(top) : round(bottom), round(left) : round(right)] = True
    return found


def drawn(layer, colours=LINE_COLOURS):
    """Slice, and the first and last row and column of lines, without their width; [] where none are."""
    corners = lines(layer, colours)
    if not len(corners):
        return []
    middles = (corners.min(axis=1) + corners.max(axis=1)) / 2  # of lines, (n, 3)
    across = np.ptp(corners[..., 2], axis=1) > np.ptp(corners[..., 1], axis=1)
    rows, columns = middles[across, 1], middles[~across, 2]
    ends = (rows.min(), columns.min(), rows.max(), columns.max())
    return [(int(corners[0, 0, 0]), *(round(float(each), 3) for each in ends))]


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
    view = ComparisonView(viewer)
    view.open(panes, scene)
    kinds = [type(layer) for layer in viewer.layers if is_of_comparison(layer)]
    assert kinds == [Image, Surface] * 2
    positions = [viewer.canvas.grid.position(i, viewer.layers) for i in range(4)]
    assert positions == [(0, 0)] * 2 + [(0, 1)] * 2
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
    view = ComparisonView(viewer)
    view.closed.connect(lambda: closed.append(True))
    view.open(panes, scene)
    assert state(viewer) != before
    view.close()
    assert state(viewer) == before
    assert closed == [True]
    assert not view.is_open


def test_opening_again_replaces_the_comparison_and_still_restores_the_first_state(viewer, volume, panes, scene):
    with_user_layers(viewer, volume)
    before = state(viewer)
    view = ComparisonView(viewer)
    view.open(panes, scene)
    view.open(panes, scene)
    assert sum(is_of_comparison(layer) for layer in viewer.layers) == 4
    view.close()
    assert state(viewer) == before


def test_deleting_one_of_its_layers_closes_it(viewer, volume, panes, scene):
    with_user_layers(viewer, volume)
    before = state(viewer)
    view = ComparisonView(viewer)
    view.open(panes, scene)
    viewer.layers.remove("2: lines")
    assert not view.is_open
    assert state(viewer) == before


def test_a_joined_layer_that_the_user_deletes_stays_away_though_masks_change_at_once(viewer, volume, panes, scene):
    view = ComparisonView(viewer)
    view.open(panes, scene)

    def forget_masks(event):
        view.clear_masks(1, range(3, 9))

    viewer.layers.events.removed.connect(forget_masks, position="first")
    own = viewer.add_labels(np.zeros(volume.voxels.shape, np.uint8), name="own", **transform(volume))
    assert "2: own" in viewer.layers
    viewer.layers.remove(own)
    viewer.layers.events.removed.disconnect(forget_masks)
    assert not [layer.name for layer in viewer.layers if "own" in layer.name]
    assert view.is_open


def test_a_user_who_reorders_layers_cannot_swap_the_sides(viewer, volume, panes, scene):
    with_user_layers(viewer, volume)
    view = ComparisonView(viewer)
    view.open(panes, scene)
    names = [layer.name for layer in viewer.layers]
    viewer.layers.move(0, len(viewer.layers))
    assert [layer.name for layer in viewer.layers] == names


def test_the_window_level_is_the_same_on_both_sides(viewer, panes, scene):
    view = ComparisonView(viewer)
    view.open(panes, scene)
    viewer.layers["2: image"].contrast_limits = (-100, 100)
    assert viewer.layers["1: image"].contrast_limits == [-100, 100]
    view.set_contrast_limits((-500.0, 1300.0))
    assert viewer.layers["2: image"].contrast_limits == [-500, 1300]


def test_the_truth_is_outlined_on_both_sides_only_if_there_is_one(viewer, volume, panes, masks, scene):
    view = ComparisonView(viewer)
    view.open(panes, scene)
    sides = [viewer.layers[f"{side}: lines"] for side in (1, 2)]
    assert [drawn(side, [TRUTH_COLOUR]) for side in sides] == [[], []]
    view.open(panes, Scene.of_box(volume, (-160.0, 240.0), BOX, truth=masks[0]))
    assert sides[0] in viewer.layers, "the layers that stand there are used again"
    # The cube reaches over rows 6 to 13 and columns 6 to 15: its outline runs round it, between the voxels.
    assert [drawn(side, [TRUTH_COLOUR]) for side in sides] == [[(5, 5.5, 5.5, 13.5, 15.5)]] * 2
    view.hide("ground truth", True)
    assert [drawn(side, [TRUTH_COLOUR]) for side in sides] == [[], []]


def test_the_box_is_drawn_on_its_slices_and_no_others(viewer, panes, scene):
    view = ComparisonView(viewer)  # kept: napari holds its listeners weakly
    view.open(panes, scene)
    view.hide("masks", True)
    seen = []
    for z in range(12):
        viewer.dims.set_current_step(0, z)
        seen += drawn(viewer.layers["2: lines"])
    assert seen == [(z, 5, 5, 15, 17) for z in range(3, 9)]


def test_a_slice_outside_the_box_is_left_and_one_inside_kept(viewer, volume, panes, scene):
    with_user_layers(viewer, volume)
    viewer.dims.set_current_step(0, 11)
    view = ComparisonView(viewer)
    view.open(panes, scene)
    assert viewer.dims.current_step[0] == BOX.middle
    viewer.dims.set_current_step(0, 8)
    view.open(panes, scene)
    assert viewer.dims.current_step[0] == 8


def test_the_current_object_is_gone_to_and_no_other(viewer, volume, panes):
    viewer.add_layer(Layer.create(*image_tuple(volume)))
    objects = DrawnObject(1, "cube", BOX), DrawnObject(2, "bar", Box3D(5, 5, 0, 17, 15, 2))
    for z, current, seen in ((11, 1, 5), (1, 1, 5), (4, 1, 4), (11, 2, 1), (11, 0, 1), (4, 0, 4)):
        viewer.dims.set_current_step(0, z)
        view = ComparisonView(viewer)
        view.open(panes, Scene(volume, (-160.0, 240.0), objects, current=current))
        assert viewer.dims.current_step[0] == seen
        view.close()


def shot(viewer, qtbot):
    qtbot.wait(200)
    return viewer.screenshot(canvas_only=True, flash=False)


def test_pixels_show_each_mask_on_its_own_side(shown_viewer, qtbot, volume, panes, scene):
    with_user_layers(shown_viewer, volume)
    view = ComparisonView(shown_viewer)
    view.open(panes, scene)
    view.hide("boxes", True)
    left, right = share_of(shot(shown_viewer, qtbot), scene.objects[0].colour)
    assert left > 0.01
    assert left == pytest.approx(2 * right, rel=0.2)  # the right mask is the left one without its lower half
    shown_viewer.dims.set_current_step(0, 7)
    assert share_of(shot(shown_viewer, qtbot), scene.objects[0].colour) == pytest.approx((left, right), rel=0.05)
    shown_viewer.dims.set_current_step(0, 10)
    assert share_of(shot(shown_viewer, qtbot), scene.objects[0].colour) == (0, 0), "no mask reaches this slice"


def test_pixels_of_the_difference_are_red_where_only_full_precision_saw_something(shown_viewer, qtbot, panes, scene):
    view = ComparisonView(shown_viewer)
    view.open(panes, scene)
    view.show(DIFFERENCE)
    view.hide("boxes", True)
    assert view.strips.plates[0].title == "Only Model · FP32: 2.9 mL"  # 6 slices × 4 rows × 10 columns × 12 mm³
    picture = shot(shown_viewer, qtbot)
    assert sum(share_of(picture, LEFT_COLOUR)) > 0.01
    assert sum(share_of(picture, RIGHT_COLOUR)) == 0
    view.open(panes[::-1], scene)
    view.hide("boxes", True)
    assert sum(share_of(shot(shown_viewer, qtbot), RIGHT_COLOUR)) > 0.01


def test_flicker_exchanges_the_masks_and_names_the_model(shown_viewer, qtbot, panes, scene):
    view = ComparisonView(shown_viewer)
    view.open(panes, scene)
    view.hide("boxes", True)
    shares, titles = [], []
    for _press in range(3):
        view.show(FLICKER)
        titles += [plate.title for plate in view.strips.plates]
        shares.append(sum(share_of(shot(shown_viewer, qtbot), scene.objects[0].colour)))
    assert titles == ["Model · 4-bit", "Model · FP32", "Model · 4-bit"]
    assert shares[0] == shares[2] < shares[1]


def test_the_curtain_uncovers_one_model_and_covers_the_other(shown_viewer, qtbot, panes, scene):
    view = ComparisonView(shown_viewer)
    view.open(panes, scene)
    view.show(SWIPE)
    lines_of_both = shown_viewer.layers["1: lines"]
    full, quantized = (pane.mask[5] for pane in panes)
    np.testing.assert_array_equal(filled(lines_of_both), full)
    view.move_curtain(50)
    np.testing.assert_array_equal(filled(lines_of_both), full)
    view.move_curtain(-37)  # to a quarter of the picture
    np.testing.assert_array_equal(filled(lines_of_both), np.where(np.arange(40) < 10, full, quantized))
    view.move_curtain(-50)
    np.testing.assert_array_equal(filled(lines_of_both), quantized)


def test_the_curtain_is_dragged_with_the_mouse(shown_viewer, qtbot, panes, scene, drag):
    view = ComparisonView(shown_viewer)
    view.open(panes, scene)
    view.show(SWIPE)
    before = shown_viewer.scene.camera.center
    drag(shown_viewer, (5.0, 19.5), (5.0, 9.5))
    (corners,) = lines(shown_viewer.layers["1: lines"], ["white"])
    np.testing.assert_allclose(corners[:, 2], 9.5, atol=0.6)
    assert shown_viewer.scene.camera.center == before, "the picture was dragged along"


def test_a_quantized_side_is_rimmed_where_full_precision_has_otherwise(viewer, volume, masks, scene):
    full, less = masks
    more = full.copy()
    more[:, 6:14, 16:20] = True  # four columns more
    panes = [
        Pane(name, (), mask, LEFT_COLOUR) for name, mask in (("FP32", full), ("8", full), ("4", less), ("2", more))
    ]
    view = ComparisonView(viewer)
    view.open(panes, scene)
    viewer.dims.set_current_step(0, 5)

    def rims(side):
        """First and last row and column of what is rimmed, by the colour of the rim."""
        layer = viewer.layers[f"{side}: lines"]
        corners, kinds = layer.vertices.reshape(-1, 4, 3), layer.vertex_values.reshape(-1, 4)[:, 0].astype(int)
        found = {}
        for kind in np.unique(kinds[(kinds >= len(ALL_COLOURS)) & (kinds < len(STROKE_COLOURS))]).tolist():
            middles = (corners[kinds == kind].min(axis=1) + corners[kinds == kind].max(axis=1)) / 2
            found[STROKE_COLOURS[kind]] = (*middles[:, 1:].min(axis=0), *middles[:, 1:].max(axis=0))
        return found

    assert rims(1) == rims(2) == {}, "full precision, and what does not differ from it"
    assert rims(3) == {LEFT_COLOUR: pytest.approx((9.5, 5.5, 13.5, 15.5))}, "rows 10 to 13 are missing"
    assert rims(4) == {RIGHT_COLOUR: pytest.approx((5.5, 15.5, 13.5, 19.5))}, "columns 16 to 19 are too many"
    show_plane(viewer, Plane.CORONAL)
    viewer.dims.set_current_step(1, 12)
    assert set(rims(3)) == {LEFT_COLOUR}, "in other planes too"


def test_the_truth_stays_out_of_a_square_until_it_is_asked_for(viewer, volume, masks):
    panes = [Pane(f"Model · {bits}", (), masks[bits % 2], LEFT_COLOUR) for bits in (32, 8, 4, 2)]
    view = ComparisonView(viewer)
    view.open(panes, Scene.of_box(volume, (-160.0, 240.0), BOX, truth=masks[0]))
    assert "ground truth" in view.hidden
    assert drawn(viewer.layers["4: lines"], [TRUTH_COLOUR]) == []
    view.hide("ground truth", False)
    assert drawn(viewer.layers["4: lines"], [TRUTH_COLOUR]) != []


def test_a_truth_is_offered_only_where_there_is_one(viewer, qtbot, volume, panes, masks, scene):
    view = ComparisonView(viewer)
    bar = ViewBar(viewer, view)
    qtbot.addWidget(bar)
    box = bar.parts["ground truth"]
    view.open(panes, scene)
    view.show(DIFFERENCE)
    assert not box.isEnabled() and not box.isChecked() and "no ground truth" in box.toolTip()
    view.set_truth(masks[0])
    assert box.isEnabled() and box.isChecked() and "Outline of the ground truth" in box.toolTip()
    view.hide("ground truth", True)
    assert box.isEnabled() and not box.isChecked()
    view.set_truth(None)
    assert not box.isEnabled()
    bar.release()


def test_views_of_two_start_on_the_side_asked_for(viewer, volume, masks, scene):
    panes = [Pane(f"Model · {bits}", (), masks[bits % 2], LEFT_COLOUR) for bits in (32, 8, 4, 2)]
    view = ComparisonView(viewer)
    view.open(panes, scene, candidate=3)
    assert view.candidate == 3
    view.show(FLICKER)
    assert [plate.title for plate in view.strips.plates] == ["Model · 2"]
    show_surfaces(viewer)
    assert [layer.name for layer in viewer.layers if layer.visible] == ["4: surfaces"]


def test_switching_views_keeps_every_mask_and_slice(viewer, panes, scene):
    view = ComparisonView(viewer)
    view.open(panes, scene)
    viewer.dims.set_current_step(0, 7)
    for name in (SWIPE, DIFFERENCE, FLICKER, SIDE_BY_SIDE):
        view.show(name)
        assert viewer.dims.current_step[0] == 7
        assert viewer.canvas.grid.enabled == (name == SIDE_BY_SIDE)
    for shown, pane in zip(view.all_masks(), panes, strict=True):
        np.testing.assert_array_equal(shown, pane.mask)


def test_masks_of_a_slice_are_replaced_in_every_view(viewer, volume, panes, scene):
    view = ComparisonView(viewer)
    view.open(panes, scene)
    for name in (SWIPE, DIFFERENCE, SIDE_BY_SIDE):
        view.show(name)
    empty = np.zeros(volume.voxels.shape[1:], np.uint8)
    viewer.dims.set_current_step(0, 4)
    view.set_masks(4, [empty, empty + 1])
    first, second = (viewer.layers[f"{side}: lines"] for side in (1, 2))
    assert not view.masks(4)[0].any()
    assert not filled(first).any()
    assert filled(second).all()
    view.show(DIFFERENCE)
    assert filled(first, PART_COLOURS[2]).all()
    view.show(SWIPE)
    assert (filled(first) == (np.arange(40) >= 20)).all()
    view.show(FLICKER)
    assert filled(first).all()
    view.clear_masks(1, range(12))
    view.show(DIFFERENCE)
    assert not filled(first, PART_COLOURS).any()
    assert [plate.title.rpartition(": ")[2] for plate in view.strips.plates] == ["0.0 mL"] * 3


def test_four_models_stand_in_a_square(viewer, volume, masks, scene):
    panes = [Pane(f"Model · {bits}", (f"{bits} bits",), masks[bits % 2], LEFT_COLOUR) for bits in (32, 8, 4, 2)]
    view = ComparisonView(viewer)
    view.open(panes, scene)
    images = [list(viewer.layers).index(viewer.layers[f"{side}: image"]) for side in (1, 2, 3, 4)]
    cells = [viewer.canvas.grid.position(index, viewer.layers) for index in images]
    assert cells == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert [plate.title for plate in view.strips.plates] == ["Model · 32", "Model · 8", "Model · 4", "Model · 2"]
    view.show(DIFFERENCE)
    view.choose_candidate(3)
    assert view.strips.plates[2].title.startswith("Only Model · 2")


def cells(viewer, name):
    """Row and column of every visible layer of a name, on whichever side."""
    layers = [layer for layer in viewer.layers if layer.visible and layer.name.endswith(name)]
    return [viewer.canvas.grid.position(list(viewer.layers).index(layer), viewer.layers) for layer in layers]


def test_a_layer_of_the_users_is_seen_on_every_side(viewer, volume, panes, scene):
    with_user_layers(viewer, volume)
    before = state(viewer)
    view = ComparisonView(viewer)
    view.open(panes, scene)
    painted = viewer.add_labels(np.zeros(volume.voxels.shape, np.uint8), name="painted", **transform(volume))
    assert cells(viewer, "painted") == cells(viewer, ": image") == [(0, 0), (0, 1)]
    for add in (viewer.add_points, viewer.add_shapes):
        added = add(rectangle(BOX, 4), name=add.__name__, scale=(4.0, 2.0, 1.5))
        assert cells(viewer, add.__name__) == [(0, 0), (0, 1)]
        viewer.layers.remove(added)
    painted.paint((4, 3, 3), 1)
    np.testing.assert_array_equal(viewer.layers["2: painted"].data, painted.data)
    viewer.layers["Labels"].visible = True  # one that was hidden before
    assert cells(viewer, "Labels") == [(0, 0), (0, 1)]
    viewer.layers["Labels"].visible = False
    assert cells(viewer, "Labels") == []
    view.show(SWIPE)
    assert cells(viewer, "painted") == [(0, 0)]
    view.show(SIDE_BY_SIDE)
    viewer.layers.remove("painted")
    assert view.is_open
    assert "2: painted" not in viewer.layers
    view.close()
    assert state(viewer) == before


def test_a_layer_of_the_users_is_seen_on_every_side_of_the_next_comparison_too(viewer, volume, panes, scene):
    with_user_layers(viewer, volume)
    before = state(viewer)
    view = ComparisonView(viewer)
    view.open(panes, scene)
    viewer.add_labels(np.zeros(volume.voxels.shape, np.uint8), name="painted", **transform(volume))
    viewer.layers["Labels"].visible = True
    view.open([*panes, panes[1]], scene)
    for name in ("painted", "Labels"):
        assert cells(viewer, name) == cells(viewer, ": image") == [(0, 0), (0, 1), (1, 0)]
    view.open(panes, scene)
    for name in ("painted", "Labels"):
        assert cells(viewer, name) == [(0, 0), (0, 1)], "no copy of the side that is out of sight lies on another"
    view.show(SWIPE)
    assert cells(viewer, "painted") == [(0, 0)]
    viewer.layers.remove("painted")
    view.close()
    assert state(viewer) == before


def test_a_layer_that_is_added_or_shown_while_a_comparison_is_opened_is_on_every_side(
    viewer, volume, panes, scene, qtbot
):
    with_user_layers(viewer, volume)
    view = ComparisonView(viewer)
    opened = []
    view.open_in_steps(panes, scene, lambda: opened.append(True))
    qtbot.waitUntil(lambda: "1: image" in viewer.layers)
    assert not opened
    viewer.add_labels(np.zeros(volume.voxels.shape, np.uint8), name="painted", **transform(volume))
    viewer.layers["Labels"].visible = True
    added = viewer.add_layer(Layer.create(*image_tuple(volume)))
    qtbot.waitUntil(lambda: bool(opened))
    for name in ("painted", "Labels"):
        assert cells(viewer, name) == [(0, 0), (0, 1)]
    assert not added.visible


def test_shapes_that_are_drawn_meanwhile_are_of_the_same_kind_on_every_side(viewer, volume, panes, scene):
    view = ComparisonView(viewer)
    view.open(panes, scene)
    drawn = viewer.add_shapes(rectangle(BOX, 4), name="drawn", **transform(volume))
    drawn.add_lines(np.array([[4, 3, 3], [4, 9, 9]], float))
    drawn.add_polygons(np.array([[4, 3, 3], [4, 9, 9], [4, 3, 9]], float))
    assert viewer.layers["2: drawn"].shape_type == drawn.shape_type == ["rectangle", "line", "polygon"]


def test_closing_gives_the_view_in_3d_back_as_it_was(viewer, volume, panes, scene):
    with_user_layers(viewer, volume)
    viewer.dims.ndisplay = 3
    viewer.scene.camera.angles = (10.0, 20.0, 30.0)
    before = state(viewer)
    view = ComparisonView(viewer)
    view.open(panes, scene)
    show_plane(viewer, Plane.AXIAL)
    show_surfaces(viewer)
    view.close()
    assert state(viewer) == before


def test_a_difference_is_told_of_an_object_by_its_present_name(viewer, volume, panes, masks):
    objects = DrawnObject(1, "cube", BOX), DrawnObject(2, "bar", BOX)
    view = ComparisonView(viewer)
    view.open(panes, Scene(volume, (-160.0, 240.0), objects, current=1))
    view.show(DIFFERENCE)
    assert view.strips.plates[1].title.endswith("of cube")
    view.set_objects((replace(objects[0], name="liver"), objects[1]), 1)
    assert view.strips.plates[1].title.endswith("of liver")


def test_a_volume_opened_meanwhile_waits_until_the_comparison_is_closed(viewer, volume, panes, scene):
    view = ComparisonView(viewer)
    view.open(panes, scene)
    added = viewer.add_layer(Layer.create(*image_tuple(volume)))
    assert not added.visible
    assert list(viewer.layers).index(added) == 4
    view.close()
    assert added.visible
    assert [layer.name for layer in viewer.layers] == ["block"]


def test_figures_give_way_to_the_picture_but_verdicts_stay(viewer, panes, scene):
    left, right = panes
    view = ComparisonView(viewer)
    view.open([left, replace(right, mark=Mark("✗ FAIL: Dice < 0.98", "#E8743B"))], scene)
    assert [plate.mark and plate.mark.text for plate in view.strips.plates] == [None, "✗ FAIL: Dice < 0.98"]
    assert "Volume" in view.strips.plates[1].lines[1]
    view.hide("figures", True)
    assert [(plate.lines, plate.title) for plate in view.strips.plates] == [((), left.title), ((), right.title)]
    assert view.strips.plates[1].mark is not None
    view.hide("figures", False)
    assert view.strips.plates[1].lines == right.lines
    view.set_lines([(), ()])
    assert view.strips.plates[1].mark is None, "live masks have no verdict"


def test_outlines_are_as_wide_on_screen_at_any_zoom(viewer, panes, scene):
    view = ComparisonView(viewer)
    view.open(panes, scene)
    viewer.dims.set_current_step(0, 5)
    for zoom in (3.0, 0.25):
        viewer.scene.camera.zoom = zoom
        for side in (1, 2):
            corners = lines(viewer.layers[f"{side}: lines"])[0]  # z y x, voxels
            thickness = np.ptp(corners[:, 1]) * 2.0 * zoom  # a voxel is 2 mm high; the edge runs across
            assert thickness == pytest.approx(1.5), "pixels on screen"


def test_other_planes_and_3d_look_at_the_objects(viewer, volume, panes, scene):
    view = ComparisonView(viewer)
    view.open(panes, scene)
    viewer.dims.set_current_step(1, 28)
    show_plane(viewer, Plane.CORONAL)
    assert viewer.dims.current_step[1] == 10  # the middle of the box's rows 5 to 15
    viewer.dims.set_current_step(1, 14)
    show_plane(viewer, Plane.AXIAL)
    show_plane(viewer, Plane.CORONAL)
    assert viewer.dims.current_step[1] == 14, "the user's own place in the box is kept"
    show_surfaces(viewer)
    np.testing.assert_allclose(viewer.scene.camera.center, (300 + 5.5 * 4, 10 + 10 * 2, -20 + 11 * 1.5))
    np.testing.assert_allclose(viewer.scene.camera.up_direction, (0.95, 0.29, 0.13), atol=0.02)  # the head is up


def test_the_slice_is_kept_through_3d_and_other_planes(viewer, volume, panes, scene):
    view = ComparisonView(viewer)
    view.open(panes, scene)
    viewer.dims.set_current_step(0, 7)
    show_surfaces(viewer)
    show_plane(viewer, Plane.AXIAL)
    assert viewer.dims.current_step[0] == 7
    show_plane(viewer, Plane.CORONAL)
    show_surfaces(viewer)
    show_plane(viewer, Plane.AXIAL)
    assert viewer.dims.current_step[0] == 7
    assert view.is_open
    show_surfaces(viewer)
    viewer.dims.set_current_step(0, 4)  # as a click in a small plane does
    show_plane(viewer, Plane.AXIAL)
    assert viewer.dims.current_step[0] == 4, "where the user has gone meanwhile"


def test_the_cursor_is_marked_on_the_other_side(shown_viewer, qtbot, panes, scene, hover):
    view = ComparisonView(shown_viewer)
    view.open(panes, scene)
    hover(shown_viewer, (10.0, 12.0))
    crosshair = ["black", "white"]
    assert drawn(shown_viewer.layers["1: lines"], crosshair) == []
    ((z, top, left, bottom, right),) = drawn(shown_viewer.layers["2: lines"], crosshair)
    assert (z, (top + bottom) / 2, (left + right) / 2) == pytest.approx((5, 10, 12), abs=0.6)
    corners = lines(shown_viewer.layers["2: lines"], crosshair)[..., 1:]  # (arms, 4, 2)
    covered = (corners.min(axis=1) < (10, 12)) & (corners.max(axis=1) > (10, 12))
    assert not covered.all(axis=1).any(), "the place itself is free"
    shown_viewer.dims.set_current_step(0, 6)
    ((z, *_rest),) = drawn(shown_viewer.layers["2: lines"], crosshair)
    assert z == 6, "it goes along to other slices"
    view.show(DIFFERENCE)
    assert drawn(shown_viewer.layers["1: lines"], crosshair) == [], "in a single picture there is none"
    view.show(SIDE_BY_SIDE)
    hover(shown_viewer, (12.0, 15.0))
    assert drawn(shown_viewer.layers["2: lines"], crosshair) != []
    show_plane(shown_viewer, Plane.CORONAL)
    assert drawn(shown_viewer.layers["2: lines"], crosshair) == [], "nor in another plane"


def test_in_three_dimensions_only_the_masks_are_seen(viewer, panes, scene):
    view = ComparisonView(viewer)
    view.open(panes, scene)
    show_surfaces(viewer)
    assert [layer.name for layer in viewer.layers if layer.visible] == ["1: surfaces", "2: surfaces"]
    show_plane(viewer, Plane.AXIAL)
    assert viewer.layers["1: image"].visible


def test_hidden_parts_stay_hidden_in_every_view(viewer, volume, panes, masks, scene):
    view = ComparisonView(viewer)
    view.open(panes, Scene.of_box(volume, (-160.0, 240.0), BOX, truth=masks[0]))
    view.hide("ground truth", True)
    view.hide("masks", True)
    for name in (DIFFERENCE, SWIPE, FLICKER, SIDE_BY_SIDE):
        view.show(name)
        assert not filled(viewer.layers["1: lines"], (*FILL_COLOURS, *PART_COLOURS)).any()
        outlined = drawn(viewer.layers["1: lines"], [scene.objects[0].colour, TRUTH_COLOUR])
        assert outlined == [(5, 5, 5, 15, 17)], "the box alone"
    view.hide("masks", False)
    assert len(lines(viewer.layers["1: lines"])) > 8, "outlines beside the box"


def test_other_boxes_can_be_shown_while_it_is_open(viewer, panes, scene):
    view = ComparisonView(viewer)
    view.open(panes, scene)
    second = DrawnObject(2, "other", Box3D(1, 2, 0, 3, 4, 11))
    view.hide("masks", True)
    view.set_objects((*scene.objects, second))
    for side in (1, 2):
        assert drawn(viewer.layers[f"{side}: lines"]) == [(5, 2, 1, 15, 17)]  # round both
        colours = np.unique(viewer.layers[f"{side}: lines"].vertex_values).astype(int)
        assert colours.tolist() == [0, 1], "each in the colour of its object"


def test_opening_step_by_step_ends_where_opening_at_once_does(viewer, qtbot, volume, panes, scene, monkeypatch):
    with_user_layers(viewer, volume)
    before = state(viewer)
    view = ComparisonView(viewer)
    view.open(panes, scene)
    at_once = state(viewer)
    view.close()
    opened = []
    view.open_in_steps(panes, scene, lambda: opened.append(view.is_open))
    assert not view.is_open, "it is not there yet"
    qtbot.waitUntil(lambda: bool(opened), timeout=60_000)
    assert opened == [True]
    assert state(viewer)[:5] == at_once[:5]
    view.close()
    view.open_in_steps(panes, scene, lambda: opened.append(view.is_open))
    qtbot.wait(100)
    view.close()  # half-way
    qtbot.wait(200)
    assert opened == [True]
    assert state(viewer) == before

    def fail(*_args):
        raise MemoryError

    monkeypatch.setattr("napari_pqcomq.viewer.comparison.comparison_view.make_side", fail)
    with qtbot.captureExceptions() as caught:
        view.open_in_steps(panes, scene, lambda: opened.append(view.is_open))
        qtbot.waitUntil(lambda: not view.is_opening)
    assert [kind for kind, _error, _trace in caught] == [MemoryError]
    assert state(viewer) == before, "nothing is half open, and no job waits for it"


def test_two_of_four_sides_are_shown_and_all_again_without_a_layer_made_anew(viewer, panes, scene, masks):
    view = ComparisonView(viewer)
    four = [replace(panes[0], title=f"Model · {bits}") for bits in ("FP32", "8-bit", "4-bit", "2-bit")]
    view.open(four, scene)
    layers = [id(layer) for layer in viewer.layers]
    nameless = [replace(panes[0], title="Left", mask=masks[1]), replace(panes[1], title="Right", mask=masks[0])]
    view.open(nameless, scene)
    assert [id(layer) for layer in viewer.layers] == layers
    assert (view.sides, viewer.canvas.grid.shape) == (2, (1, 2))
    seen = {layer.name[0] for layer in viewer.layers if layer.visible}
    assert seen == {"1", "2"}, "the others are out of sight"
    assert [plate.title for plate in view.strips.plates] == ["Left", "Right"]
    assert np.array_equal(view.masks(5)[0] > 0, masks[1][5])
    view.open(four, scene)
    assert [id(layer) for layer in viewer.layers] == layers
    assert (view.sides, viewer.canvas.grid.shape) == (4, (2, 2))
    assert {layer.name[0] for layer in viewer.layers if layer.visible} == {"1", "2", "3", "4"}
    view.close()
    assert not len(viewer.layers)
