"""Where the mouse is in the patient, in napari's status bar."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Layer

from napari_pqcomq.layers.volume_layers import VOLUME_KEY, image_tuple, labels_tuple
from napari_pqcomq.prompts.marks.box_layers import boxes_tuple
from napari_pqcomq.viewer.overlays.cursor_status import CursorStatus
from pqcomq.segmentation.box import Box3D


def test_the_place_is_the_patients_whether_one_layer_is_chosen_or_none(volume):
    viewer = ViewerModel()
    viewer.add_layer(Layer.create(*image_tuple(volume)))
    status = CursorStatus(viewer)
    status.set_volume(volume)
    viewer.cursor.position = (300.0, 10.0, -20.0)
    viewer.status = {"coordinates": "[300 10 -20]: 7", "value": "7"}
    assert viewer.status["coordinates"] == "R 20.0  P 10.0  S 300.0 mm: 7 HU"
    viewer.status = {"coordinates": "[300 10 -20]: ", "value": ""}
    assert viewer.status["coordinates"] == "R 20.0  P 10.0  S 300.0 mm", "beside the picture there is no value"
    viewer.status = "[300.00, 10.00, -20.00] » 2: image: 7   1: image: 7"
    assert viewer.status == "R 20.0  P 10.0  S 300.0 mm » 2: image: 7   1: image: 7"
    viewer.dims.ndisplay = 3
    viewer.status = "[300.00, 10.00, -20.00] » 2: image: 7"
    assert viewer.status == "2: image: 7"
    viewer.status = "Ready"
    assert viewer.status == "Ready"
    status.release()


@pytest.mark.parametrize("at", [(8, 10), (5, 5), (20, 30)])  # inside of a box, at its corner, beside it
def test_with_boxes_chosen_the_volume_s_value_is_told_and_no_box_s_number(shown_viewer, volume, hover, at):
    for each in (image_tuple(volume), boxes_tuple(volume, {"cube": Box3D(5, 5, 4, 17, 15, 7)})):
        shown_viewer.add_layer(Layer.create(*each))
    status = CursorStatus(shown_viewer)
    status.set_volume(volume)
    shown_viewer.dims.set_current_step(0, 5)
    hover(shown_viewer, at)
    shown_viewer.mouse_over_canvas = True  # whatever the screen's own pointer does, which all windows share
    shown_viewer.update_status_from_cursor()  # napari's thread for it rests in tests
    told = shown_viewer.status
    assert told["coordinates"].endswith(f"S 320.0 mm: {volume.voxels[5, *at]} HU")
    assert told["layer_base"] == "block", "whose value it is"
    status.release()


def test_only_a_ct_s_values_are_in_hounsfield_units(volume):
    viewer = ViewerModel()
    for each in (image_tuple(volume), labels_tuple(volume, np.zeros(volume.grid.shape_zyx, np.uint8), "organs")):
        viewer.add_layer(Layer.create(*each))
    viewer.add_layer(Layer.create(*image_tuple(volume.with_modality("MR"))))
    viewer.add_image(np.zeros(volume.grid.shape_zyx))  # of the user's
    status = CursorStatus(viewer)
    told = {"coordinates": "[300 10 -20]: 7", "value": "7"}
    mr = viewer.layers[2].metadata[VOLUME_KEY]
    for shown, active, value in (
        (volume, 0, "7 HU"),
        (volume, 1, "7"),
        (mr, 2, "7"),
        (volume, 2, "7"),
        (volume, 3, "7"),
    ):
        viewer.layers.selection.active = viewer.layers[active]
        viewer.status = "Ready"
        status.set_volume(shown)
        viewer.status = told
        assert viewer.status["coordinates"].endswith(f" mm: {value}")
    status.release()
