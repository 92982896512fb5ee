"""The public functions: what they take, what they tell, what they refuse."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from torch import nn

import pqcomq
from pqcomq.comparison.evaluate import Protocol
from pqcomq.quantization.calibration.slices import calibrate_on
from pqcomq.volumes.intensity_window import PRESETS

BOX = [45, 25, 1, 76, 56, 2]
"""Round the phantom's blob."""


@pytest.fixture
def ct(phantom, tmp_path):
    path = tmp_path / "phantom.nii.gz"
    sitk.WriteImage(phantom.to_file_grid(phantom.voxels), str(path))
    return path


@pytest.fixture(scope="module")
def rounded(lite_medsam, phantom):
    return pqcomq.quantize(lite_medsam, phantom, pqcomq.default_config("lite-medsam", 8, "rtn"), slices=1)


@pytest.mark.parametrize("kind", [str, Path])
def test_a_path_in_place_of_a_model_is_told(ct, tmp_path, kind):
    path, labels = kind(tmp_path / "weights.safetensors"), np.ones((4, 4, 4), np.uint8)
    for wrong in (
        lambda: pqcomq.segment(ct, BOX, path),
        lambda: pqcomq.compare(ct, BOX, path, []),
        lambda: pqcomq.compare(ct, BOX, None, path),
        lambda: pqcomq.evaluate(ct, labels, None, [path]),
        lambda: pqcomq.quantize(path, ct),
        lambda: pqcomq.save_weights(path, path),
    ):
        with pytest.raises(pqcomq.InputError, match=r"is text and not a model; pqcomq\.load_model.*load_weights"):
            wrong()


def test_models_of_another_kind_are_told(ct, lite_medsam, tmp_path):
    network = torch.nn.Linear(4, 2)
    quantized = pqcomq.quantize(network, [torch.ones(3, 4)], bits=8)
    asked = r"Something of type {} was given; asked for is {}"
    for given, wanted, wrong in (
        ("QuantizedModule", "a model in full", lambda: pqcomq.segment(ct, BOX, quantized)),
        ("QuantizedModule", r"a model in full .* or a torch\.nn", lambda: pqcomq.quantize(quantized, [])),
        ("NoneType", "a quantized one", lambda: pqcomq.compare(ct, BOX, lite_medsam, [None])),
        ("Segmenter", "a quantized one", lambda: pqcomq.compare(ct, BOX, lite_medsam, lite_medsam)),
        ("Segmenter", "a quantized one", lambda: pqcomq.save_weights(lite_medsam, tmp_path / "w.safetensors")),
        ("Linear", "a quantized one", lambda: pqcomq.save_weights(network, tmp_path / "w.safetensors")),
    ):
        with pytest.raises(pqcomq.InputError, match=asked.format(given, wanted)):
            wrong()
    for window in (40, [40, 400]):
        with pytest.raises(pqcomq.InputError, match=rf"There is no window {re.escape(str(window))}; name one of"):
            pqcomq.segment(ct, BOX, lite_medsam, window=window)
    with pytest.raises(pqcomq.InputError, match=r"config is what pqcomq\.default_config gives.*bits= takes a width"):
        pqcomq.quantize(network, [torch.ones(3, 4)], 8)


def test_what_is_no_volume_no_mask_and_no_modality(ct, tmp_path):
    with pytest.raises(pqcomq.InputError, match=r"A volume is asked for.*and not something of type ndarray"):
        pqcomq.segment(np.zeros((3, 8, 8)), BOX, None)
    with pytest.raises(pqcomq.InputError, match=r"truth is a mask .*and not something of type str"):
        pqcomq.compare(ct, BOX, None, [], truth=str(ct))
    with pytest.raises(pqcomq.InputError, match="no modality 'X'"):
        pqcomq.evaluate_cohort(1, "none.safetensors", tmp_path / "out", labels=1, modality="X")
    assert not (tmp_path / "out").exists()


def test_what_is_no_path_and_no_box_is_told_in_a_sentence(ct, tmp_path):
    of_type = r"is asked for, and not something of type"
    for wrong in (
        lambda: pqcomq.read_volume(None),
        lambda: pqcomq.load_model(checkpoint=3),
        lambda: pqcomq.load_weights(3),
        lambda: pqcomq.load_weights(3, torch.nn.Linear(2, 2)),
        lambda: pqcomq.evaluate(ct, 3, None, []),
        lambda: pqcomq.evaluate_cohort(None, "w.safetensors", tmp_path),
        lambda: pqcomq.evaluate_cohort(1, 3, tmp_path),
        lambda: pqcomq.evaluate_cohort(1, "w.safetensors", None),
    ):
        with pytest.raises(pqcomq.InputError, match=of_type):
            wrong()
    with pytest.raises(pqcomq.InputError, match=r"A volume is asked for.*something of type int"):
        pqcomq.quantize(pqcomq.load_model(), 3)
    for box in (5, "123456"):
        with pytest.raises(pqcomq.InputError, match="A box needs six finite numbers"):
            pqcomq.segment(ct, box, None)
    assert not list(tmp_path.glob("*/cohort.json"))


def test_paths_may_be_text(ct, phantom):
    assert np.array_equal(pqcomq.read_volume(str(ct)).voxels, phantom.voxels)
    assert np.array_equal(pqcomq.read_volume(ct, modality="CT").voxels, phantom.voxels)


@pytest.mark.slow
def test_quantizing_takes_volumes_and_paths_and_tells_its_progress(lite_medsam, phantom, ct, rounded):
    told = []
    config = pqcomq.default_config("lite-medsam", 8, "rtn")
    by_path = pqcomq.quantize(lite_medsam, [str(ct)], config, slices=1, progress=told.append)
    assert by_path.segmenter.fingerprint == rounded.segmenter.fingerprint
    assert all(isinstance(each, pqcomq.Progress) for each in told)
    assert [each.text for each in told[:1]] == ["Calibrating: slice 1"]
    assert told[-1].remaining_seconds == 0
    assert repr(rounded) == "QuantizedModel(LiteMedSAM, 8-bit Round to nearest: 101 layers, 8.39 bits per weight)"


@pytest.mark.slow
def test_an_exception_from_progress_ends_the_work_and_leaves_the_model(lite_medsam, phantom):
    def stop(progress):
        raise KeyboardInterrupt

    config = pqcomq.default_config("lite-medsam", 8, "rtn")
    with pytest.raises(KeyboardInterrupt):
        pqcomq.quantize(lite_medsam, phantom, config, slices=1, progress=stop)
    assert not any(module._forward_pre_hooks for module in lite_medsam.image_encoder.modules())


@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize("key", ["lite-medsam", "medsam"])
def test_a_bit_width_stands_for_the_default_settings(monkeypatch, lite_medsam, phantom, key, bits):
    asked = []

    def asked_for(model, calibration, config):
        asked.append(config)
        yield pqcomq.Progress(0, 0, "")

    monkeypatch.setattr("pqcomq.api.models.quantize_model", asked_for)
    pqcomq.quantize(replace(lite_medsam, key=key), phantom, bits=bits, slices=1)
    assert asked == [pqcomq.default_config(key, bits)]


@pytest.mark.slow
def test_segmenting_gives_the_mask_on_the_volume_s_grid(lite_medsam, phantom, ct, rounded):
    told = []
    mask = pqcomq.segment(phantom, BOX, lite_medsam, progress=told.append)
    assert mask.shape == phantom.voxels.shape
    assert mask.dtype == bool
    assert np.flatnonzero(mask.any(axis=(1, 2))).tolist() == [1, 2]
    assert len(told) == 2
    low = pqcomq.segment(str(ct), pqcomq.Box3D.of(BOX), rounded, window="abdomen", prompts="same")
    assert np.count_nonzero(low & mask) > 0.9 * np.count_nonzero(mask)


def test_what_is_odd_about_a_file_of_labels_is_a_warning(lite_medsam, phantom, rounded, tmp_path):
    image = phantom.to_file_grid((phantom.voxels > 0).astype(np.uint8))
    image.SetOrigin([place + 0.1 for place in image.GetOrigin()])
    sitk.WriteImage(image, str(tmp_path / "labels.nii.gz"))
    with (
        pytest.warns(UserWarning, match="The labels lie up to 0.17 mm beside the volume's voxels") as told,
        pytest.raises(pqcomq.InputError, match="label 9"),
    ):
        pqcomq.evaluate(phantom, tmp_path / "labels.nii.gz", lite_medsam, rounded, only=9)
    assert told[0].filename == __file__


@pytest.mark.slow
def test_comparing_and_evaluating(lite_medsam, phantom, rounded):
    z, y, x = np.indices(phantom.voxels.shape)
    truth = (y - 40) ** 2 + (x - 60) ** 2 < (8 + z) ** 2
    result = pqcomq.compare(phantom, BOX, lite_medsam, rounded, truth=truth, name="blob")
    assert result.objects[0].name == "blob"
    assert result.comparisons[0].agreement.dice > 0.9
    assert result.comparisons[0].candidate.accuracy.dice > 0.8
    told = []
    asked = {"protocol": Protocol(most_slices=2), "runtime": "torch", "progress": told.append}
    found = pqcomq.evaluate(phantom, truth.astype(np.uint8), lite_medsam, [rounded], **asked)
    assert found.summaries[0].precision == "FP32"
    assert found.summaries[-1].precision.startswith("8-bit Round to nearest")
    assert list(found.summaries[0].dice_by_label) == [1]
    assert told[-1].step == told[-1].total


def test_weights_come_back(lite_medsam, rounded, tmp_path):
    path = tmp_path / "eight.safetensors"
    pqcomq.save_weights(rounded, str(path))
    assert pqcomq.load_weights(str(path)).segmenter.fingerprint == rounded.segmenter.fingerprint
    with pytest.raises(pqcomq.InputError, match="already"):
        pqcomq.save_weights(rounded, path)


def refusals(model, volume, rounded):
    network, inputs = nn.Linear(4, 4), [torch.ones(2, 4)]
    other = pqcomq.quantize(network, inputs, bits=8)
    return {
        "not both": lambda: pqcomq.quantize(model, volume, pqcomq.default_config("lite-medsam", 4), bits=4),
        "bit width 3": lambda: pqcomq.quantize(model, volume, bits=3),
        "bit width 5": lambda: pqcomq.quantize(network, inputs, bits=5),
        "belong to volumes": lambda: pqcomq.quantize(network, inputs, bits=8, slices=2),
        "There is no window 'liver'": lambda: pqcomq.quantize(model, volume, window="liver"),
        "needs at least one volume": lambda: pqcomq.quantize(model, []),
        "There is no modality 'PET'": lambda: pqcomq.read_volume("x.nii", modality="PET"),
        "There is no remedy 'smooth'": lambda: pqcomq.read_volume("x.nii", remedies=["smooth"]),
        "six finite numbers": lambda: pqcomq.segment(volume, [1, 2, 3], model),
        "reaches outside": lambda: pqcomq.segment(volume, [0, 0, 0, 500, 50, 1], model),
        "There is no runtime 'cuda'": lambda: pqcomq.segment(volume, BOX, model, runtime="cuda"),
        "There are no prompts 'point'": lambda: pqcomq.segment(volume, BOX, model, prompts="point"),
        "holds no label": lambda: pqcomq.evaluate(volume, np.zeros(volume.voxels.shape, int), model, rounded),
        "do not fit the volume's": lambda: pqcomq.evaluate(volume, np.ones((1, 2, 3), int), model, rounded),
        "at least one object and one model": lambda: pqcomq.compare(volume, BOX, model, []),
        "no known model": lambda: pqcomq.load_model("sam"),
        "no such weights file": lambda: pqcomq.load_weights("nowhere.safetensors", into=network),
        "Quantized weights are written": lambda: pqcomq.save_weights(other, "linear.pt"),
    }


def test_bad_input_is_refused_in_a_sentence(lite_medsam, phantom, rounded):
    for words, call in refusals(lite_medsam, phantom, rounded).items():
        with pytest.raises(pqcomq.InputError, match=words) as told:
            call()
        assert "\n" not in str(told.value)


def test_reprs_are_one_short_line(lite_medsam, phantom, rounded):
    embedding = lite_medsam.encode(np.zeros((96, 96), np.uint8))
    weight = next(iter(rounded.weights.values()))
    shown = [lite_medsam, phantom, rounded, embedding, weight, calibrate_on([phantom], 1), PRESETS["lung"]]
    for each in shown:
        assert len(repr(each)) < 120
        assert "\n" not in repr(each)
        assert "tensor" not in repr(each)
    assert repr(phantom) == "Volume('phantom', CT, 96 × 96 × 6 voxels of 2 × 2 × 5 mm)"
    assert repr(lite_medsam) == "Segmenter(LiteMedSAM, FP32, torch)"
