"""Stopped and killed runs end in the same bytes as one that was left alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from pqcomq.quantization.algorithm.config import QuantizationConfig
from pqcomq.quantization.files.resume import Journal, run_identity
from pqcomq.quantization.files.weights_file import save_weights
from pqcomq.quantization.layer_names import layers_to_quantize
from pqcomq.quantization.quantize_model import quantize_model

QUICK = QuantizationConfig(bits=2, sweeps=1, inputs="quantized", budget=2.8)


def left(layer):
    """A layer's stored parts."""
    weight = layer.weight
    return [part for part in (weight.packed, weight.scale, weight.zero_point, weight.permutation) if part is not None]


@pytest.fixture(scope="module")
def whole(small_model, calibration, finish, tmp_path_factory):
    """The file of a run that nobody stopped."""
    path = tmp_path_factory.mktemp("whole") / "w.safetensors"
    save_weights(finish(quantize_model(small_model, calibration, QUICK)), path)
    return path.read_bytes()


@pytest.mark.slow
def test_a_stopped_run_goes_on_and_ends_in_the_same_bytes(small_model, calibration, finish, tmp_path, whole):
    identity = run_identity(small_model, calibration, QUICK)
    folder = tmp_path / "w.unfinished"
    work = quantize_model(small_model, calibration, QUICK, Journal.open(folder, identity))
    for event in work:
        if event.phase == "quantize" and event.step == 10:
            break
    work.close()
    again = Journal.open(folder, identity)
    assert again.finished_layers == 10
    # As after a power cut: a file half written under its own name is made again, not believed.
    damaged = sorted(folder.glob("layers.0*.safetensors"))[0]
    damaged.write_bytes(damaged.read_bytes()[:50])
    path = tmp_path / "w.safetensors"
    save_weights(finish(quantize_model(small_model, calibration, QUICK, again)), path)
    assert path.read_bytes() == whole
    again.discard()
    assert not folder.exists()


def test_another_run_starts_afresh(small_model, calibration, tmp_path):
    folder = tmp_path / "w.unfinished"
    first = Journal.open(folder, run_identity(small_model, calibration, QUICK))
    work = quantize_model(small_model, calibration, replace(QUICK, inputs="full", budget=None), first)
    for event in work:
        if event.phase == "quantize":
            break
    work.close()
    assert first.finished_layers == 1
    assert Journal.open(folder, run_identity(small_model, calibration, QUICK)).finished_layers == 1
    other = replace(QUICK, sweeps=2)
    assert Journal.open(folder, run_identity(small_model, calibration, other)).finished_layers == 0


def test_another_model_of_the_same_checkpoint_is_another_run(lite_medsam, calibration, tmp_path):
    """As SAM ViT-B's and MedSAM's may be one file of one's own: slices are prepared otherwise, and fitted to."""
    identity = run_identity(lite_medsam, calibration, QUICK)
    Journal.open(tmp_path / "w.unfinished", identity)
    other = run_identity(replace(lite_medsam, key="lite-medsam-scribble"), calibration, QUICK)
    assert Journal.open(tmp_path / "w.unfinished", identity).note == ""
    assert "held layers of another run" in Journal.open(tmp_path / "w.unfinished", other).note


def test_a_layer_comes_back_as_it_was(small_model, calibration, tmp_path):
    journal = Journal.open(tmp_path / "j", {"any": 1})
    settings = replace(QUICK, budget=None, inputs="full")
    work = quantize_model(small_model, calibration, settings, journal)
    for event in work:
        if event.phase == "quantize":
            name = event.name
            break
    work.close()
    shape = tuple(layers_to_quantize(small_model, decoder=False)[name].weight.shape)
    layer = journal.layer(name, shape)
    assert layer.error == event.error_after
    assert layer.weight.bits == 2
    journal.keep_layer("copy", layer)
    assert all(torch.equal(a, b) for a, b in zip(left(journal.layer("copy", shape)), left(layer), strict=True))
    assert journal.layer("never made", shape) is None
