"""A second volume that is opened: the dock and the picture are about the same one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from napari.layers import Layer

from napari_pqcomq.app.on_screen.volume_switch import VolumeSwitch
from napari_pqcomq.layers.volume_layers import image_tuple, labels_tuple, slice_millimetres
from napari_pqcomq.prompts.marks.box_layers import boxes_tuple
from pqcomq.segmentation.box import Box3D


@pytest.fixture
def far(volume):
    """A longer volume of another place."""
    first, second, third = volume.grid.origin
    x, y, z = volume.grid.size
    grid = replace(volume.grid, origin=(first + 900, second, third + 500), size=(x, y, 2 * z))
    return replace(volume, voxels=np.repeat(volume.voxels, 2, axis=0), name="far", grid=grid)


@pytest.fixture
def switch(viewer, volume, panels):
    viewer.add_layer(Layer.create(*image_tuple(volume)))
    switch = VolumeSwitch(panels)
    yield switch
    switch.release()


def opened(viewer, *layers):
    return [viewer.add_layer(Layer.create(*each)) for each in layers]


def test_the_volume_just_opened_is_chosen_and_seen_alone(switch, viewer, panels, volume, far, qtbot):
    (labels, boxes) = opened(
        viewer,
        labels_tuple(volume, (volume.voxels == 200).astype(np.uint8), "its labels"),
        boxes_tuple(volume, {"cube": Box3D(5, 5, 4, 17, 15, 5)}),
    )
    (image,) = opened(viewer, image_tuple(far))
    qtbot.waitUntil(lambda: panels.volume.volume is far)
    assert [layer.name for layer in viewer.layers if layer.visible] == ["far"]
    middle = [slice_millimetres(far, (size - 1) // 2, axis) for axis, size in enumerate(far.grid.shape_zyx)]
    assert np.allclose(viewer.dims.point, middle), "its middle slice, not one beside it"
    (low, high) = image.extent.world
    assert np.all(low[1:] <= viewer.scene.camera.center[1:])
    assert np.all(viewer.scene.camera.center[1:] <= high[1:])
    panels.volume.layers.choose(viewer.layers["block"])
    assert labels.visible
    assert boxes.visible
    assert not image.visible
    assert viewer.scene.camera.center[2] < low[2], "the picture has gone back with it"


def test_of_several_opened_at_once_the_first_is_chosen(switch, viewer, panels, far, qtbot):
    opened(viewer, image_tuple(far), image_tuple(replace(far, voxels=far.voxels + 1, name="last")))
    qtbot.waitUntil(lambda: panels.volume.volume is far)
    assert [layer.name for layer in viewer.layers if layer.visible] == ["far"]


def test_what_was_chosen_meanwhile_stays_chosen(switch, viewer, panels, volume, far, qtbot):
    last = replace(far, voxels=far.voxels + 1, name="last")
    opened(viewer, image_tuple(far), image_tuple(last))
    panels.volume.layers.choose(viewer.layers["last"])
    qtbot.wait(50)
    assert panels.volume.volume is last


def test_a_series_on_the_same_grid_keeps_slice_and_camera(switch, viewer, panels, volume, qtbot):
    viewer.dims.set_current_step(0, 3)
    viewer.scene.camera.zoom = 7.0
    twin = replace(volume, voxels=volume.voxels + 1, name="twin")
    opened(viewer, image_tuple(twin))
    qtbot.waitUntil(lambda: panels.volume.volume is twin)
    assert (viewer.dims.current_step[0], viewer.scene.camera.zoom) == (3, 7.0)
    assert not viewer.layers["block"].visible


def test_while_a_job_runs_the_user_is_asked(switch, viewer, panels, volume, far, qtbot, monkeypatch):
    monkeypatch.setattr(type(panels.jobs), "is_running", True)
    viewer.layers["block"].name = "as the user calls it"
    opened(viewer, image_tuple(far))
    qtbot.waitUntil(lambda: not panels.question.isHidden())
    assert "“far” was opened beside the comparison of “as the user calls it”." in panels.question.text.text()
    assert panels.volume.volume is volume
    assert not viewer.layers["far"].visible, "nor does it lie over the one that is worked on"
    panels.question.buttons[0].click()
    assert panels.volume.volume is far


def test_a_dock_that_is_opened_again_shows_what_the_one_before_has_hidden(viewer, panels, volume, far, qtbot):
    viewer.add_layer(Layer.create(*image_tuple(volume)))
    switch = VolumeSwitch(panels)
    (image,) = opened(viewer, image_tuple(far))
    qtbot.waitUntil(lambda: panels.volume.volume is far)
    panels.volume.layers.choose(viewer.layers["block"])
    again = VolumeSwitch(panels)
    switch.release()
    panels.volume.layers.choose(image)
    assert image.visible
    again.release()


def test_no_volume_that_was_closed_is_held(switch, viewer, panels, far, qtbot):
    (image,) = opened(viewer, image_tuple(far))
    qtbot.waitUntil(lambda: panels.volume.volume is far)
    panels.volume.layers.choose(viewer.layers["block"])
    assert not image.visible
    viewer.layers.remove(image)
    opened(viewer, image_tuple(replace(far, name="again")))
    qtbot.waitUntil(lambda: panels.volume.volume.name == "again")
    assert image not in switch._sight._hidden


def test_the_slider_runs_over_the_volume_in_sight_alone(switch, viewer, panels, volume, far, qtbot):
    dims, (depth, height, width) = viewer.dims, volume.voxels.shape
    (image,) = opened(viewer, image_tuple(far))
    qtbot.waitUntil(lambda: panels.volume.volume is far)
    assert dims.nsteps == (2 * depth, height, width)
    opened(viewer, boxes_tuple(far, {"cube": Box3D(5, 5, 4, 17, 15, 5)}))  # napari looks at all layers then
    assert dims.nsteps == (2 * depth, height, width)
    dims.set_current_step(0, 2 * depth - 1)
    panels.volume.layers.choose(viewer.layers["block"])
    assert dims.nsteps == (depth, height, width)
    dims.set_current_step(0, depth - 1)
    assert dims.point[0] == slice_millimetres(volume, depth - 1), "a step is a slice"
    viewer.layers.remove(image)
    assert dims.nsteps == (depth, height, width)


def test_what_is_shown_by_its_eye_is_in_reach_of_the_slider(switch, viewer, panels, volume, far, qtbot):
    depth = len(volume.voxels)
    (image,) = opened(viewer, image_tuple(far))
    qtbot.waitUntil(lambda: panels.volume.volume is far)
    panels.volume.layers.choose(viewer.layers["block"])
    assert viewer.dims.nsteps[0] == depth
    image.visible = True
    assert viewer.dims.range[0][1] == slice_millimetres(far, 2 * depth - 1)
    image.visible = False
    assert viewer.dims.nsteps[0] == depth


def test_a_volume_that_is_closed_leaves_napari_s_slider_to_what_is_left(switch, viewer, panels, far, qtbot):
    viewer.add_image(np.zeros((20, 30)), name="a photograph")
    opened(viewer, image_tuple(far))
    qtbot.waitUntil(lambda: panels.volume.volume is far)
    viewer.layers.remove("far")
    assert len(viewer.dims.range) == viewer.dims.ndim
    assert viewer.dims.nsteps[0] > 1


@pytest.fixture
def left(viewer, panels, volume, far, qtbot):
    """A viewer with two volumes, the second in sight, whose dock was closed."""
    viewer.add_layer(Layer.create(*image_tuple(volume)))
    switch = VolumeSwitch(panels)
    opened(viewer, image_tuple(far))
    qtbot.waitUntil(lambda: panels.volume.volume is far)
    switch.release()
    return viewer


def test_a_comparison_that_ends_with_the_dock_limits_nothing(left, panels, volume):
    panels.view.closed.emit()
    assert left.dims.range[0][0] == slice_millimetres(volume, 0)


def test_napari_s_slider_is_whole_again_when_the_dock_is_closed(left, volume, far):
    assert left.dims.range[0][0] == slice_millimetres(volume, 0)
    assert left.dims.range[0][1] == slice_millimetres(far, far.voxels.shape[0] - 1)
