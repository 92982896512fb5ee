from __future__ import annotations

from dataclasses import replace
from statistics import fmean

import numpy as np
import pytest
import torch

from pqcomq.errors import InputError
from pqcomq.models.small_encoder import small_encoder
from pqcomq.quantization.algorithm.config import QuantizationConfig
from pqcomq.quantization.algorithm.gram import quantizable_layers
from pqcomq.quantization.calibration.slices import Calibration
from pqcomq.quantization.layer_names import layers_to_quantize
from pqcomq.quantization.planning.presets import default_config
from pqcomq.quantization.quantize_model import quantize_model

QUICK = QuantizationConfig(bits=4, sweeps=1)
"""Encoder alone, one width, full-precision inputs: where a test is about the run and not about the result."""


@pytest.mark.slow
def test_every_slice_and_layer_is_told_and_the_original_is_untouched(small_model, calibration):
    parts = (small_model.image_encoder, small_model.mask_decoder)
    before = [{name: tensor.clone() for name, tensor in part.state_dict().items()} for part in parts]
    work = quantize_model(small_model, calibration, replace(default_config("lite-medsam", 2), sweeps=1))
    events = []
    while True:
        try:
            events.append(next(work))
        except StopIteration as end:
            model = end.value
            break
    layers = list(layers_to_quantize(small_model, decoder=True))
    assert len(layers) == len(quantizable_layers(small_model.image_encoder)) + 47
    assert [event.phase for event in events] == ["calibrate"] + ["plan"] * 2 * len(layers) + ["quantize"] * len(layers)
    last = events[-len(layers) :]
    assert [event.step for event in last] == list(range(1, len(layers) + 1))
    assert [event.name for event in last] == layers
    assert events[0].text == "Calibrating: slice 1"
    assert events[1].text == f"Choosing bit widths: {layers[0]}"
    assert last[0].text.startswith(f"Quantized {layers[0]}: error ")
    assert fmean(event.error_after for event in last) < 0.5 * fmean(event.error_before for event in last)
    assert events[-1].remaining_seconds == 0
    assert all(event.remaining_seconds > 0 for event in events[:-1])
    for part, kept in zip(parts, before, strict=True):
        after = part.state_dict()
        assert all(torch.equal(kept[name], after[name]) for name in kept)
    assert {weight.bits for weight in model.weights.values()} >= {2, 4}
    assert 2 < model.effective_bits <= 2.6
    assert model.segmenter.precision == "2-bit Permutation-COMQ"
    assert model.segmenter.fingerprint != small_model.fingerprint


def test_it_stops_between_layers_and_leaves_no_hooks(small_model, calibration):
    for stop_after in (1, 3):
        work = quantize_model(small_model, calibration, QUICK)
        for _ in range(stop_after):
            next(work)
        work.close()
        assert not any(module._forward_pre_hooks for module in small_model.image_encoder.modules())


def test_closed_while_calibrating_leaves_no_hooks(small_model, calibration):
    two = Calibration(calibration.slices * 2, calibration.description)
    work = quantize_model(small_model, two, QUICK)
    next(work)
    assert any(module._forward_pre_hooks for module in small_model.image_encoder.modules())
    work.close()
    assert not any(module._forward_pre_hooks for module in small_model.image_encoder.modules())


@pytest.mark.slow
def test_eight_bits_are_nearly_the_original(lite_medsam, calibration, finish):
    model = finish(quantize_model(lite_medsam, calibration, default_config("lite-medsam", 8)))
    image = lite_medsam.transforms.image(calibration.slices[0])
    full, low = lite_medsam.embed(image), model.segmenter.embed(image)
    assert float((full - low).square().mean() / full.square().mean()) < 1e-3


def test_weights_that_are_not_finite_are_told_with_their_layer(small_model, calibration):
    broken = replace(small_model, image_encoder=small_encoder())
    layer = quantizable_layers(broken.image_encoder)["neck.0"]
    layer.weight.data[0, 0] = float("nan")
    work = quantize_model(broken, calibration, QUICK)
    with pytest.raises(InputError, match=r"layer 'neck\.0' cannot be quantized: the weights hold values"):
        for _ in work:
            pass


@pytest.mark.slow
def test_a_calibration_slice_of_zeros_gives_no_nan(small_model, finish):
    blank = Calibration((np.zeros((64, 64), np.uint8),), {})
    model = finish(quantize_model(small_model, blank, replace(default_config("lite-medsam", 4), decoder=False)))
    assert all(bool(torch.isfinite(weight.dequantize()).all()) for weight in model.weights.values())
