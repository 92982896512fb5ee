"""Quantized weights on disk: the same bits for the same slices and settings, and for nothing else."""

from __future__ import annotations

from dataclasses import replace

import torch

from pqcomq.autosave.kept_weights import KeptWeights
from pqcomq.autosave.places import damaged_folder, weights_folder
from pqcomq.quantization.calibration.slices import calibrate_on


def test_weights_are_known_by_what_they_were_made_of(tmp_path, lite_medsam, calibration, quantized, phantom):
    kept = KeptWeights(tmp_path)
    settings = quantized.settings
    assert kept.recall(lite_medsam, calibration, settings) is None
    kept.keep(lite_medsam, calibration, quantized)
    found = kept.recall(lite_medsam, calibration, settings)
    for name, part in quantized.segmenter.parts().items():
        again = found.weights.segmenter.parts()[name].state_dict()
        assert all(torch.equal(tensor, again[key]) for key, tensor in part.state_dict().items())
    other_slices = calibrate_on([replace(phantom, voxels=phantom.voxels + 1)], 1)
    assert kept.recall(lite_medsam, other_slices, settings) is None
    assert kept.recall(lite_medsam, calibration, replace(settings, bits=8)) is None
    assert kept.recall(replace(lite_medsam, checkpoint_sha256="0" * 64), calibration, settings) is None
    assert kept.recall(replace(lite_medsam, key="lite-medsam-scribble"), calibration, settings) is None
    (path,) = weights_folder(tmp_path).glob("*.safetensors")
    path.write_bytes(path.read_bytes()[:-100])
    assert kept.recall(lite_medsam, calibration, settings) is None
    assert "made again" in kept.notes[0] and "\n" not in kept.notes[0]
    assert [each.name for each in damaged_folder(tmp_path).iterdir()] == [path.name]


def test_finished_layers_are_kept_for_one_process_at_a_time(tmp_path, lite_medsam, calibration, quantized):
    kept, asked = KeptWeights(tmp_path), (lite_medsam, calibration, quantized.settings)
    with kept.layers(*asked) as journal:
        assert journal.finished_layers == 0
        with KeptWeights(tmp_path).layers(*asked) as second:
            assert second is None, "another window makes the same weights"
        folder = journal.folder
        assert folder.is_dir()
    assert not folder.exists(), "the run has come to its end"
    assert not list(weights_folder(tmp_path).iterdir()), "and leaves no lock"


def test_a_folder_that_cannot_be_made_costs_a_sentence(tmp_path, lite_medsam, calibration, quantized):
    (tmp_path / "weights").write_text("a file is in the way")
    kept = KeptWeights(tmp_path)
    with kept.layers(lite_medsam, calibration, quantized.settings) as journal:
        assert journal is None
    kept.keep(lite_medsam, calibration, quantized)
    assert len(kept.notes) == 2
