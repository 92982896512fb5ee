"""The cascade as an action of the dock: the quantized model first, full precision where that is in doubt."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from napari.layers import Labels, Layer
from napari.utils.notifications import notification_manager
from qtpy.QtCore import Qt

from napari_pqcomq.app.work.cascading import Cascading
from napari_pqcomq.jobs.comparing import cascade_jobs
from napari_pqcomq.layers.mask_layers import NAMES_KEY, ORIGINS_KEY
from napari_pqcomq.layers.volume_layers import image_tuple, volume_of
from napari_pqcomq.prompts.objects.drawn_object import DrawnObject
from pqcomq.backends.runtime import Runtime
from pqcomq.errors import InputError
from pqcomq.segmentation.box import Box3D


@pytest.fixture
def cascading(viewer, volume, panels, workflow, bare, loaded_once, eight_bits):
    """The dock's parts with a volume, a box and weights, and the cascade between them."""
    made = Cascading(panels, workflow, bare)
    viewer.add_layer(Layer.create(*image_tuple(volume)))
    panels.objects.load((DrawnObject(1, "cube", Box3D(5, 5, 3, 17, 15, 5)),))
    panels.model.show_loaded(eight_bits.segmenter.key, eight_bits.settings)
    panels.model.choose_runtime(Runtime.torch)
    workflow.weights.take({panels.model.choice: eight_bits})
    return made


def ran(panels, threshold, qtbot):
    panels.cascade.set_threshold(threshold)
    qtbot.mouseClick(panels.cascade.run_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not panels.jobs.is_running)


def test_slices_in_doubt_are_sent_on_and_told_and_the_masks_are_the_users(cascading, viewer, panels, qtbot):
    assert panels.cascade.run_button.isEnabled()
    ran(panels, 1.0, qtbot)
    table = panels.cascade.slices.texts()
    assert [row[:2] for row in table] == [["cube", "3"], ["cube", "4"], ["cube", "5"]]
    assert {row[3] for row in table} == {"full precision"}
    assert "3 of 3 slices (100%) were sent on" in panels.cascade.message.text()
    assert "simulated" in panels.cascade.message.text(), "torch runs low bits widened"
    layer = viewer.layers[-1]
    assert isinstance(layer, Labels) and layer.name in panels.cascade.message.text()
    assert set(np.unique(layer.data)) == {0, 1} and layer.metadata[NAMES_KEY] == {1: "cube"}
    origin = layer.metadata[ORIGINS_KEY][1]
    assert origin.cascade == {"threshold": 1.0, "full_precision_slices": [3, 4, 5]}
    assert not origin.is_edited(layer.data == 1)
    ran(panels, 0.0, qtbot)
    assert {row[3] for row in panels.cascade.slices.texts()} == {"quantized"}
    assert "0 of 3 slices (0%)" in panels.cascade.message.text()
    assert viewer.layers[-1].metadata[ORIGINS_KEY][1].cascade["full_precision_slices"] == []
    assert len([each for each in viewer.layers if isinstance(each, Labels)]) == 2
    panels.cascade.slices.choose(1)
    assert viewer.dims.current_step[0] == 4
    assert "simulated" in panels.cascade.message.text()
    viewer.layers.clear()
    assert panels.cascade.slices.texts() == [], "they were another volume's"
    assert not panels.cascade.run_button.isEnabled()


def beside(volume, viewer):
    """Another volume, finer and lower along z: with it the viewer's steps are no slices of the first."""
    grid = replace(volume.grid, spacing=(1.5, 2.0, 1.0), origin=(-20.0, 10.0, 270.0))
    return viewer.add_layer(Layer.create(*image_tuple(replace(volume, grid=grid, voxels=volume.voxels + 1))))


def test_masks_that_come_when_another_volume_is_chosen_are_not_seen_over_it(cascading, viewer, panels, volume, qtbot):
    qtbot.mouseClick(panels.cascade.run_button, Qt.MouseButton.LeftButton)
    panels.volume.layers.choose(beside(volume, viewer))
    qtbot.waitUntil(lambda: not panels.jobs.is_running)
    layer = viewer.layers[-1]
    assert isinstance(layer, Labels) and not layer.visible
    assert volume_of(layer) is volume
    assert panels.cascade.slices.texts() == []
    assert "lies on block" in notification_manager.records[-1].message


def test_a_slice_is_the_volume_s_own_whatever_else_is_open(cascading, viewer, panels, volume):
    beside(volume, viewer)
    panels.cascade.slice_chosen.emit(4)
    assert viewer.dims.point[0] == 300 + 4 * 4
    assert viewer.dims.current_step[0] != 4
    panels.prompts.set_end("last")
    assert panels.objects.objects[0].box.z1 == 4


def test_a_box_that_reaches_outside_is_told_and_nothing_is_made(cascading, viewer, panels, qtbot, monkeypatch):
    told = []
    monkeypatch.setattr("napari_pqcomq.jobs.running.job_runner.show_error", told.append)
    panels.objects.load((DrawnObject(1, "cube", Box3D(5, 5, 3, 17, 15, 40)),))
    ran(panels, 0.8, qtbot)
    assert len(told) == 1 and "reaches outside" in told[0]
    assert not [each for each in viewer.layers if isinstance(each, Labels)]


def test_the_limit_is_the_gate_s(cascading, panels):
    panels.cascade.set_threshold(0.65)
    assert panels.gate.tolerance.stability == 0.65
    panels.gate.limits.update(stability=0.9, dice=0.97)
    assert panels.cascade.threshold == 0.9
    panels.cascade.set_threshold(0.7)
    assert panels.gate.tolerance.dice == 0.97


def test_a_cohort_tells_the_limit(cascading, panels, eight_bits, qtbot, monkeypatch, tmp_path):
    asked = []

    def of(result, fingerprint):
        asked.append((result, fingerprint))
        return SimpleNamespace(threshold=0.679, sentence="It was chosen on other patients.")

    monkeypatch.setattr(cascade_jobs, "CascadeThreshold", SimpleNamespace(of=of))
    monkeypatch.setattr(cascade_jobs, "CohortResult", SimpleNamespace(at=lambda folder: folder))
    panels.cascade.cohort_requested.emit(tmp_path)
    qtbot.waitUntil(lambda: not panels.jobs.is_running)
    assert asked == [(tmp_path, eight_bits.segmenter.fingerprint)]
    assert (panels.cascade.threshold, panels.gate.tolerance.stability) == (0.679, 0.679)
    assert panels.cascade.message.text() == "It was chosen on other patients."
    panels.cascade.set_threshold(0.8)
    panels.cascade.cohort_requested.emit(tmp_path)
    panels.model.choose_bits(2)  # meanwhile
    qtbot.waitUntil(lambda: not panels.jobs.is_running)
    assert panels.cascade.threshold == 0.8, "it was another model's"


def test_a_folder_that_is_no_cohort_is_told_and_the_limit_stays(cascading, panels, qtbot, monkeypatch, tmp_path):
    pytest.importorskip("pyarrow")
    told = []
    monkeypatch.setattr("napari_pqcomq.jobs.running.job_runner.show_error", told.append)
    panels.cascade.cohort_requested.emit(tmp_path)
    qtbot.waitUntil(lambda: not panels.jobs.is_running)
    assert told == [str(InputError("The folder holds no cohort's results.", tmp_path))]
    assert panels.cascade.threshold == panels.gate.tolerance.stability == 0.8
