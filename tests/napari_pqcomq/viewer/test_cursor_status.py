"""Where the mouse is in the patient, in napari's status bar."""

from __future__ import annotations

from napari.components import ViewerModel
from napari.layers import Layer

from napari_pqcomq.layers.volume_layers import image_tuple
from napari_pqcomq.viewer.overlays.cursor_status import CursorStatus


def test_the_place_is_the_patients_whether_one_layer_is_chosen_or_none(volume):
    viewer = ViewerModel()
    viewer.add_layer(Layer.create(*image_tuple(volume)))
    status = CursorStatus(viewer)
    status.set_volume(volume)
    viewer.cursor.position = (300.0, 10.0, -20.0)
    viewer.status = {"coordinates": "[300 10 -20]: 7", "value": "7"}
    assert viewer.status["coordinates"] == "R 20.0  P 10.0  S 300.0 mm: 7"
    viewer.status = {"coordinates": "[300 10 -20]: [, ]", "value": "[, ]"}
    assert viewer.status["coordinates"] == "R 20.0  P 10.0  S 300.0 mm", "beside a box there is no value"
    viewer.status = "[300.00, 10.00, -20.00] » 2: image: 7   1: image: 7"
    assert viewer.status == "R 20.0  P 10.0  S 300.0 mm » 2: image: 7   1: image: 7"
    viewer.dims.ndisplay = 3
    viewer.status = "[300.00, 10.00, -20.00] » 2: image: 7"
    assert viewer.status == "2: image: 7"
    viewer.status = "Ready"
    assert viewer.status == "Ready"
    status.release()
