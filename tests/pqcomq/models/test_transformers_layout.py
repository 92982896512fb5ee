"""SAM as transformers keeps it: converted to the same outputs; other networks and proportions are told."""

from __future__ import annotations

import importlib.util
import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer

from pqcomq.errors import InputError
from pqcomq.models import sam, transformers_layout
from pqcomq.models.catalogue.fetching import import_model, verify_model
from pqcomq.models.checkpoint import read_state
from pqcomq.models.registry import load_model
from pqcomq.models.transformers_layout import renamed


def small_sam(_size="") -> Sam:
    """Two thin blocks; prompt encoder and mask decoder as published."""
    norm = partial(torch.nn.LayerNorm, eps=1e-6)
    encoder = ImageEncoderViT(
        depth=2, embed_dim=32, num_heads=2, norm_layer=norm, use_rel_pos=True, global_attn_indexes=(1,), window_size=14
    )
    transformer = TwoWayTransformer(depth=2, embedding_dim=256, num_heads=8, mlp_dim=2048)
    decoder = MaskDecoder(transformer_dim=256, transformer=transformer)
    return Sam(encoder, PromptEncoder(256, (64, 64), (1024, 1024), 16), decoder).eval()


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A small ``SamModel`` of transformers with random weights, and the folder that it writes of itself."""
    if importlib.util.find_spec("transformers") is None:
        pytest.skip("transformers is not installed; it is the reference here")
    from transformers import SamConfig, SamModel, SamVisionConfig

    torch.manual_seed(8)
    vision = SamVisionConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, global_attn_indexes=[1], mlp_dim=128
    )
    network = SamModel(SamConfig(vision_config=vision.to_dict())).eval()
    for name, parameter in network.named_parameters():
        if "rel_pos" in name or "pos_embed" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    folder = tmp_path_factory.mktemp("transformers")
    network.save_pretrained(folder)
    return network, folder


@pytest.fixture
def thin(monkeypatch):
    """The small network takes the place of ViT-B."""
    monkeypatch.setattr(sam, "vit", small_sam)
    monkeypatch.setitem(transformers_layout._SIZES, 32, (2, 2, (1,)))


def assert_equal_outputs(model, network):
    pixels = np.random.default_rng(0).integers(0, 255, (300, 200), dtype=np.uint8)
    image, box = model.transforms.image(pixels), torch.tensor([[[80.0, 100.0, 700.0, 900.0]]])
    with torch.inference_mode():
        features = network.get_image_embeddings(image)
        expected = network(image_embeddings=features, input_boxes=box, multimask_output=False).pred_masks[0]
    torch.testing.assert_close(model.embed(image), features, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(model.logits(features, box), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("named", ["the folder", "the file"])
def test_a_model_of_transformers_gives_equal_outputs(published, thin, named):
    network, folder = published
    model = load_model("sam-vit-b", folder if named == "the folder" else folder / "model.safetensors")
    assert_equal_outputs(model, network)


def test_it_is_converted_when_it_is_taken_over(published, thin, tmp_path, monkeypatch):
    network, folder = published
    monkeypatch.setenv("PQCOMQ_MODELS", str(tmp_path / "models"))
    path = import_model("sam-vit-b", folder)
    assert path.name == "sam-vit-b.safetensors"
    assert read_state(path).keys() == small_sam().state_dict().keys()
    assert not verify_model("sam-vit-b").published
    assert_equal_outputs(load_model("sam-vit-b"), network)


def test_every_name_of_segment_anything_is_reached_from_that_of_transformers(published):
    network, _folder = published
    state = renamed(network.state_dict())
    own = small_sam().state_dict()
    assert {name: tuple(tensor.shape) for name, tensor in state.items()} == {
        name: tuple(tensor.shape) for name, tensor in own.items()
    }


def kept(folder: Path, config: object) -> Path:
    """Tensors of transformers' names, and a configuration."""
    names = ("vision_encoder.layers.0.attn.qkv.weight", "mask_decoder.iou_token.weight")
    save_file({name: torch.ones(2) for name in names}, folder / "model.safetensors")
    (folder / "config.json").write_text(config if isinstance(config, str) else json.dumps(config))
    return folder


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"model_type": "sam2", "vision_config": {"image_size": [1, 1]}}, "of a model of type 'sam2', not of SAM"),
        ({"model_type": "sam", "vision_config": {"hidden_size": 768, "num_attention_heads": 8}}, "other proportions"),
        ({"model_type": "sam", "vision_config": {"image_size": 512}}, "images of 512"),
        ({"model_type": "sam", "vision_config": {"hidden_size": 1280}}, "other proportions"),
        ({"model_type": "sam", "vision_config": 3}, "is damaged"),
        ({"model_type": "sam", "vision_config": {"hidden_size": [768]}}, "is damaged"),
        ([], "is damaged"),
        ("{", "is damaged"),
        ({"model_type": "sam"}, "is not a SAM ViT-B checkpoint"),
    ],
)
def test_other_networks_are_told_by_their_configuration(tmp_path, config, words):
    with pytest.raises(InputError, match=words):
        load_model("sam-vit-b", kept(tmp_path, config))


def test_a_folder_without_weights_is_told(tmp_path):
    with pytest.raises(InputError, match=r"holds no model\.safetensors"):
        load_model("medsam", tmp_path)
