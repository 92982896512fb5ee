"""A session comes back in the dock as it was, on its own volume alone."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
from napari.layers import Layer
from napari.utils.notifications import notification_manager

from napari_pqcomq.jobs.comparing import session_jobs
from napari_pqcomq.layers.volume_layers import image_tuple
from napari_pqcomq.prompts.objects.drawn_object import DrawnObject
from pqcomq.backends.runtime import Runtime
from pqcomq.comparison.gate import Tolerance
from pqcomq.models.catalogue.model_store import Record, keep_record
from pqcomq.segmentation.box import Box3D

PATIENCE_MS = 300_000


def test_a_session_is_saved_and_opened_again(shown, result, tmp_path, qtbot):
    dock = shown
    dock.panels.gate.set_tolerance(Tolerance(0.5, 60))
    verdicts = dock.panels.gate.judged()
    dock.sessions.save(tmp_path / "session")
    qtbot.waitUntil(lambda: not dock.panels.jobs.is_running, timeout=PATIENCE_MS)
    assert (tmp_path / "session" / "report.html").is_file()
    assert dock.panels.session.page_button.isVisibleTo(dock.panels.session)
    dock.panels.gate.set_tolerance(Tolerance())
    dock.panels.model.choose_runtime(Runtime.openvino)
    dock.panels.view.close()
    dock.panels.objects.load((DrawnObject(1, "drawn since", Box3D(1, 1, 1, 5, 5, 2)),))
    dock.sessions.open(tmp_path / "session")
    qtbot.waitUntil(lambda: not dock.panels.jobs.is_running, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: dock.panels.session.message.text().startswith("Opened"), timeout=PATIENCE_MS)
    assert dock.panels.view.is_open
    assert [each.name for each in dock.panels.objects.objects] == ["cube", "drawn since"]
    assert dock.panels.objects.current_prompt.name == "cube", "what the figures are about"
    assert dock.panels.model.runtime is Runtime.torch  # as it was made
    assert all(side.segmenter.execution.setting == "torch" for side in dock.on_screen.result.candidates)
    assert dock.panels.gate.judged() == verdicts
    again = dock.on_screen.result.objects[0]
    assert again.name == "cube"
    for now, was in zip(again.results, result.objects[0].results, strict=True):
        assert now.mask.first == was.mask.first
        assert np.array_equal(now.mask.voxels, was.mask.voxels)
    assert dock.panels.objects.objects[0].box == result.objects[0].box


def test_a_session_whose_runtime_is_missing_here_says_what_runs_instead(shown, tmp_path, qtbot, monkeypatch):
    dock = shown
    dock.sessions.save(tmp_path / "session")
    qtbot.waitUntil(lambda: not dock.panels.jobs.is_running, timeout=PATIENCE_MS)
    monkeypatch.setattr(session_jobs, "obstacle", lambda _runtime: "the runtime is not installed")
    dock.sessions.open(tmp_path / "session")
    qtbot.waitUntil(lambda: dock.panels.session.message.text().startswith("Opened"), timeout=PATIENCE_MS)
    messages = [notice.message for notice in notification_manager.records]
    assert any("models run on torch from here: the runtime is not installed" in message for message in messages)


def test_a_session_takes_its_own_model_and_no_other_that_is_chosen(shown, result, tmp_path, qtbot):
    dock, model, other = shown, shown.panels.model, tmp_path / "sam.pth"
    other.write_bytes(b"of another model")
    dock.sessions.save(tmp_path / "session")
    qtbot.waitUntil(lambda: not dock.panels.jobs.is_running, timeout=PATIENCE_MS)
    dock.panels.view.close()
    model.choose_model("sam-vit-b")
    model.set_checkpoint(other)
    model.choose_bits(2)
    dock.sessions.open(tmp_path / "session")
    qtbot.waitUntil(lambda: dock.panels.session.message.text().startswith("Opened"), timeout=PATIENCE_MS)
    made = result.candidates[0].weights
    assert (model.settings.key, model.settings.method) == ("lite-medsam", made.settings.method)
    assert model.settings.widths == tuple(each.weights.settings.bits for each in result.candidates)
    assert [each.segmenter.fingerprint for each in dock.workflow.weights.chosen] == [
        each.weights.segmenter.fingerprint for each in result.candidates
    ]
    assert model.checkpoints == {"sam-vit-b": other}


def test_weights_kept_on_this_machine_are_taken_where_they_are_the_session_s(tmp_path, monkeypatch):
    monkeypatch.setenv("PQCOMQ_MODELS", str(tmp_path))
    (tmp_path / "medsam_vit_b.pth").write_bytes(b"weights")
    keep_record("medsam", Record("medsam_vit_b.pth", "ab" * 32, "a file", ""))
    own = {"medsam": tmp_path / "own.pth"}
    job = session_jobs.OpenSessionJob(tmp_path, None, own, None)
    for sha256, file in (("ab" * 32, None), ("cd" * 32, own["medsam"])):
        assert job._checkpoint(SimpleNamespace(model_key="medsam", checkpoint_sha256=sha256)) == file
    assert job._checkpoint(SimpleNamespace(model_key="sam-vit-h", checkpoint_sha256="")) is None


def test_a_session_of_another_volume_is_refused(shown, result, shown_viewer, tmp_path, qtbot):
    dock = shown
    other = replace(result.volume, voxels=result.volume.voxels + 1, name="other")
    dock.sessions.save(tmp_path / "session")
    qtbot.waitUntil(lambda: not dock.panels.jobs.is_running, timeout=PATIENCE_MS)
    dock.panels.view.close()
    dock.panels.volume.layers.choose(shown_viewer.add_layer(Layer.create(*image_tuple(other))))
    dock.sessions.open(tmp_path / "session")
    qtbot.waitUntil(lambda: not dock.panels.jobs.is_running, timeout=PATIENCE_MS)
    assert any("is not the volume of the session" in notice.message for notice in notification_manager.records)
    assert not dock.panels.view.is_open


def test_what_the_tabs_show_is_saved_and_moved_while_other_masks_are_live(shown, monkeypatch, tmp_path):
    dock = shown
    dock.panels.view.close()
    dock.on_screen.result = None  # as when the view is opened for live masks
    started = []
    monkeypatch.setattr(dock.panels.jobs, "start", lambda *told: started.append(told))
    dock.sessions.save(tmp_path / "session")
    dock.panels.session.jitter_requested.emit(3)
    assert len(started) == 2, "a button that can be pressed does something"
