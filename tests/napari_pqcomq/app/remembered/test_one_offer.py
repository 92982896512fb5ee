"""An unfinished session and the last comparison: what one of them brings the other does not offer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from napari.layers import Layer
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_pqcomq.layers.volume_layers import image_tuple, labels_tuple
from pqcomq.autosave.places import work_folder
from pqcomq.segmentation.box import Box3D

BOX = Box3D(5, 5, 4, 17, 15, 5)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Where unfinished work is kept; weights are not looked for, which loads a model."""
    monkeypatch.setattr("napari_pqcomq.app.work.workflow.Workflow.recall_weights", lambda self: None)
    monkeypatch.setenv("PQCOMQ_AUTOSAVE", str(tmp_path / "kept"))
    return tmp_path / "kept"


@pytest.fixture
def compared(folder, dock, result, qtbot):
    """The dock with a box, and its comparison on screen."""
    dock.panels.objects.add(BOX, "cube")
    dock.panels.objects.settle()
    dock.workflow.show_result(result)
    qtbot.waitUntil(lambda: dock.panels.results.isVisible() and dock.panels.store.result is result)
    return dock


def opened_anew(dock, viewer, volume, qtbot):
    """Close the volume, and open it again."""
    viewer.layers.remove(next(layer for layer in viewer.layers if layer.name == "block"))
    viewer.layers.clear()
    settled(dock, qtbot)
    viewer.add_layer(Layer.create(*image_tuple(replace(volume, voxels=volume.voxels.copy()))))
    qtbot.waitUntil(lambda: dock.panels.actions.kept_button.isVisible())
    settled(dock, qtbot)


def settled(dock, qtbot):
    """Until what was done is written, and what was looked for is found."""
    qtbot.waitUntil(lambda: not dock.panels.jobs.is_running and not dock.panels.view.is_opening)
    dock.autosave.recorder.write_now()
    dock.autosave.recorder.desk.wait()
    qtbot.wait(20)


def click(button):
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def bring_back(dock, qtbot):
    click(dock.panels.actions.kept_button)
    qtbot.waitUntil(lambda: dock.panels.view.is_open and dock.panels.store.result is not None)
    settled(dock, qtbot)


def test_what_the_last_comparison_brings_is_offered_once(compared, folder, shown_viewer, volume, qtbot):
    panels = compared.panels
    opened_anew(compared, shown_viewer, volume, qtbot)
    assert len(list(work_folder(folder).iterdir())) == 1, "the session is kept"
    assert not panels.question.isVisible(), (panels.question.text.text(), panels.view.is_open)
    bring_back(compared, qtbot)
    click(panels.actions.close_button)
    settled(compared, qtbot)
    assert [(each.name, each.box) for each in panels.objects.objects] == [("cube", BOX)]
    assert not panels.question.isVisible(), "all of it is here"
    assert len(list(work_folder(folder).iterdir())) == 1, "it goes on in one place"


def test_a_session_with_more_waits_while_a_comparison_is_on_screen(compared, shown_viewer, volume, qtbot):
    panels = compared.panels
    layer = labels_tuple(volume, np.zeros(volume.grid.shape_zyx, np.uint8), "mine")
    shown_viewer.add_layer(Layer.create(*layer)).paint((4, 9, 9), 3)
    opened_anew(compared, shown_viewer, volume, qtbot)
    assert "1 object and 1 layer of masks" in panels.question.text.text()
    assert panels.question.isVisible(), "the comparison does not bring the layer"
    bring_back(compared, qtbot)
    assert not panels.question.isVisible(), (panels.question.text.text(), panels.view.is_open)
    click(panels.actions.close_button)
    settled(compared, qtbot)
    assert panels.question.isVisible(), "the layer is still to come"
    click(panels.question.buttons[0])
    qtbot.waitUntil(lambda: "mine" in shown_viewer.layers)
    settled(compared, qtbot)
    assert len(panels.objects) == 1
    bring_back(compared, qtbot)
    click(panels.actions.close_button)
    settled(compared, qtbot)
    assert not panels.question.isVisible(), "it is answered"
