"""Position embeddings in bytes: near the original, and the same again after a file."""

from __future__ import annotations

import pytest
import torch

from pqcomq.errors import InputError
from pqcomq.models import medsam
from pqcomq.quantization.algorithm.gram import weight_matrix
from pqcomq.quantization.algorithm.paired_gram import PairedGram
from pqcomq.quantization.algorithm.quantize_layer import quantize_layer
from pqcomq.quantization.files.weights_file import load_weights, save_weights
from pqcomq.quantization.layer_names import layers_to_quantize
from pqcomq.quantization.planning.presets import default_config
from pqcomq.quantization.position_embedding import in_bytes, widened
from pqcomq.quantization.quantized_model import QuantizedModel


@pytest.mark.parametrize("size", [1e-6, 1e-3, 1.0, 300.0])
def test_rows_keep_half_a_step_and_come_out_the_same_again(size):
    table = size * torch.randn(1, 8, 8, 96, generator=torch.Generator().manual_seed(3))
    table[0, 2, 5] = 0.0
    codes, scale = in_bytes(table)
    assert (codes.dtype, scale.dtype, codes.shape, scale.shape) == (
        torch.int8, torch.float16, table.shape, (1, 8, 8, 1),
    )  # fmt: skip
    kept = widened(codes, scale)
    assert ((kept - table).abs() <= 0.51 * scale.float()).all()
    again = in_bytes(kept)
    assert torch.equal(again[0], codes)
    assert torch.equal(again[1], scale)


@pytest.mark.slow
def test_medsam_vit_b_s_positions_go_through_a_file_unchanged(tmp_path):
    full = medsam.segmenter(medsam.architecture(), "random.pth", "0" * 64, 375_000_000)
    torch.nn.init.normal_(full.image_encoder.pos_embed, generator=torch.Generator().manual_seed(5))
    settings = default_config("lite-medsam", 2, "rtn")
    results = {
        name: quantize_layer(layer, PairedGram.empty(weight_matrix(layer).shape[1]), settings)
        for name, layer in layers_to_quantize(full, decoder=True).items()
    }
    made = QuantizedModel.of(full, results, settings, {"slice_count": 1, "volumes": []})
    save_weights(made, tmp_path / "two.safetensors")
    loaded = load_weights(tmp_path / "two.safetensors")
    for part, module in made.segmenter.parts().items():
        for name, tensor in module.state_dict().items():
            assert torch.equal(loaded.segmenter.parts()[part].state_dict()[name], tensor), name
    own, kept = full.image_encoder.pos_embed, made.segmenter.image_encoder.pos_embed
    assert 0 < float((own - kept).square().sum() / own.square().sum()) < 1e-4


def test_the_budget_is_the_model_s_own_where_it_has_one():
    assert default_config("lite-medsam", 4).budget == 4.6
    assert default_config("medsam", 4).budget == 4.38
    assert default_config("medsam", 2, integers=True).budget == 2.4
    assert default_config("medsam", 8) == default_config("lite-medsam", 8)
    assert default_config("medsam", 4, "comq").budget is None


def test_a_network_of_one_s_own_gets_one_width_and_nothing_of_the_family():
    own = default_config(None, 4)
    assert (own.bits, own.budget, own.decoder, own.tones, own.inputs) == (4, None, False, "own", "quantized")
    with pytest.raises(InputError, match="'lite_medsam' is no known model"):
        default_config("lite_medsam", 4)
