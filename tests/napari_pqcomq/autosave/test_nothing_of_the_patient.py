"""What the window keeps by itself holds nothing of the headers, whatever was drawn, kept or corrected."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from napari.layers import Layer

from napari_pqcomq.app.compare_widget import CompareWidget
from napari_pqcomq.layers.mask_layers import mask_metadata
from napari_pqcomq.layers.volume_layers import labels_tuple
from pqcomq.segmentation.box import Box3D

from ...pqcomq.dicom_masks.conftest import SECRETS, make_series

__all__ = ["make_series"]


def parts_of(secrets):
    """What is searched for: values of more than a letter, and the parts of names."""
    return {part for value in secrets for part in (value, *value.replace("^", " ").split()) if len(part) > 3}


@pytest.fixture
def dock(viewer, monkeypatch, tmp_path):
    monkeypatch.setenv("PQCOMQ_AUTOSAVE", str(tmp_path / "kept"))
    monkeypatch.setattr("napari_pqcomq.app.work.workflow.Workflow.recall_weights", lambda self: None)
    dock = CompareWidget(viewer)
    yield dock
    dock.release()


def test_unfinished_work_and_log_hold_nothing_of_the_headers(dock, viewer, make_series, tmp_path, qtbot, caplog):
    for name in ("pqcomq", "napari_pqcomq", "pydicom"):
        caplog.set_level(logging.DEBUG, name)
    dock.panels.volume.open_menu.open(make_series(folder="scan"))
    qtbot.waitUntil(lambda: dock.panels.volume.volume is not None)
    volume = dock.panels.volume.volume
    dock.panels.objects.add(Box3D(1, 1, 1, 5, 6, 3), "liver")
    dock.panels.objects.settle()
    data = np.zeros(volume.grid.shape_zyx, np.uint8)
    data[1:3, 1:4, 2:5] = 2
    layer = Layer.create(*labels_tuple(volume, data, "organs"))
    layer.metadata = mask_metadata(volume, {2: "liver"})
    viewer.add_layer(layer)
    dock.autosave.recorder.write_now()
    dock.autosave.recorder.desk.wait()
    qtbot.waitUntil(lambda: bool(list((tmp_path / "kept").glob("work/*/work.json"))))
    contents = {path.name: path.read_bytes() for path in (tmp_path / "kept").rglob("*") if path.is_file()}
    assert b"liver" in contents["work.json"], "what was drawn is there"
    told = b"\n".join(contents.values()) + caplog.text.encode() + "\n".join(contents).encode()
    assert {part for part in parts_of(SECRETS.values()) if part.encode() in told} == set()
