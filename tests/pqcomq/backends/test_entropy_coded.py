"""Entropy-coded weights on the fast runtime: widened, and the same ones."""

from __future__ import annotations

import pytest
import torch

from pqcomq.backends import openvino_model
from pqcomq.backends.openvino_model import on_runtime
from pqcomq.backends.runtime import Runtime
from pqcomq.errors import InputError
from pqcomq.quantization.algorithm.gram import weight_matrix
from pqcomq.quantization.algorithm.paired_gram import PairedGram
from pqcomq.quantization.algorithm.quantize_layer import quantize_layer
from pqcomq.quantization.layer_names import layers_to_quantize
from pqcomq.quantization.planning.presets import default_config
from pqcomq.quantization.quantized_model import QuantizedModel

pytest.importorskip("openvino")


@pytest.fixture(scope="module")
def model(lite_medsam):
    """The neck and a layer of the decoder entropy-coded; enough to tell whether a runtime takes such weights."""
    settings = default_config("lite-medsam", 8, "ecq", stored_bits=2.0)
    layers = layers_to_quantize(lite_medsam, decoder=True)
    chosen = ["neck.0", "neck.2", "mask_decoder.transformer.layers.0.mlp.lin1"]
    results = {
        name: quantize_layer(layers[name], PairedGram.empty(weight_matrix(layers[name]).shape[1]), settings)
        for name in chosen
    }
    return QuantizedModel.of(lite_medsam, results, settings, {})


@pytest.mark.slow
def test_openvino_computes_with_the_integers_times_their_steps(model, lite_medsam, calibration):
    image, boxes = lite_medsam.transforms.image(calibration.slices[0]), torch.tensor([[[20.0, 30.0, 180.0, 200.0]]])
    fast = on_runtime(model, Runtime.openvino)
    features = model.segmenter.embed(image)
    torch.testing.assert_close(fast.embed(image), features, rtol=1e-3, atol=1e-3)
    logits = model.segmenter.logits(features, boxes)
    torch.testing.assert_close(fast.logits(features, boxes), logits, rtol=1e-2, atol=1e-2)
    assert not torch.allclose(logits, lite_medsam.logits(features, boxes), atol=0.1)
    assert fast.precision == "2 bits stored, entropy coded, OpenVINO FP32"
    assert fast.execution.weights == "widened to FP32 when loaded", "the speed is that of FP32, and told so"


def test_eight_bit_inputs_are_refused_in_a_sentence(model, monkeypatch):
    monkeypatch.setattr(openvino_model, "obstacle", lambda *_: None)  # of what this processor may lack
    with pytest.raises(InputError, match="2 bits stored, entropy coded"):
        on_runtime(model, Runtime.openvino_int8)
