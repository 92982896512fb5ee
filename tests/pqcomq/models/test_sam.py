"""SAM and MobileSAM against segment-anything's own predictor; random weights say nothing of masks' worth."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from segment_anything import SamPredictor
from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer

from pqcomq.backends.openvino_model import on_runtime
from pqcomq.backends.runtime import Runtime
from pqcomq.errors import InputError
from pqcomq.models import mobile_sam, sam
from pqcomq.models.encoder_stages import encoder_stages
from pqcomq.models.registry import load_model
from pqcomq.models.slice_prompt import SlicePrompt
from pqcomq.models.transforms import prompt_tensors
from pqcomq.quantization.files.weights_file import load_weights, save_weights
from pqcomq.quantization.planning.presets import quick_config
from pqcomq.quantization.quantize_model import quantize_model
from pqcomq.segmentation.box import Box3D
from pqcomq.segmentation.propagation import segment_prompt
from pqcomq.segmentation.slice_runner import SliceRunner
from pqcomq.volumes.intensity_window import default_window


def small_sam() -> Sam:
    """SAM's layout with two thin blocks; prompt encoder and mask decoder as published."""
    torch.manual_seed(3)
    network = Sam(
        image_encoder=ImageEncoderViT(
            depth=2,
            embed_dim=32,
            img_size=1024,
            mlp_ratio=4,
            norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
            num_heads=2,
            patch_size=16,
            use_rel_pos=True,
            global_attn_indexes=(1,),
            window_size=14,
            out_chans=256,
        ),
        prompt_encoder=PromptEncoder(256, (64, 64), (1024, 1024), 16),
        mask_decoder=MaskDecoder(
            transformer_dim=256,
            transformer=TwoWayTransformer(depth=2, embedding_dim=256, num_heads=8, mlp_dim=2048),
            num_multimask_outputs=3,
        ),
        pixel_mean=[123.675, 116.28, 103.53],
        pixel_std=[58.395, 57.12, 57.375],
    )
    torch.nn.init.normal_(network.image_encoder.pos_embed, std=0.5)
    return network.eval()


def picture(shape):
    rows, columns = np.indices(shape)
    noise = np.random.default_rng(0).normal(0, 12, shape)
    return np.clip(120 + 80 * np.sin(rows / 17) * np.cos(columns / 23) + noise, 0, 255).astype(np.uint8)


@pytest.fixture
def small(monkeypatch, tmp_path):
    """A checkpoint in SAM's format of a small network, which takes the place of all three sizes; and the network."""
    network = small_sam()
    monkeypatch.setattr(sam, "vit", lambda size: small_sam())
    torch.save(network.state_dict() | {"pixel_mean": network.pixel_mean}, tmp_path / "sam_vit_b_01ec64.pth")
    return tmp_path / "sam_vit_b_01ec64.pth", network


@pytest.mark.parametrize("shape", [(300, 484), (121, 75), (1100, 700)])
def test_slices_are_segmented_as_by_segment_anything(small, shape):
    path, network = small
    predictor = SamPredictor(network)
    pixels = picture(shape)
    predictor.set_image(np.repeat(pixels[..., None], 3, axis=-1))
    model = load_model("sam-vit-b", path)
    embedding = model.encode(pixels)
    torch.testing.assert_close(embedding.features, predictor.features, rtol=1e-4, atol=1e-4)
    boxes = np.array([[3.0, 5, 60, 70], [20, 11, 74, 118]])
    masks = model.decode(embedding, boxes)
    for box, mask in zip(boxes, masks, strict=True):
        (expected,), _quality, _low = predictor.predict(box=box, multimask_output=False, return_logits=True)
        clear = np.abs(expected) > 1e-3  # of what lies on the threshold, rounding decides
        assert (mask == (expected > 0))[clear].all()
        assert clear.mean() > 0.95


INSIDE, OUTSIDE, BOX = [[20.0, 31.0], [50.5, 90.25]], [[5.0, 100.0]], [11.0, 9.0, 70.0, 115.0]


@pytest.mark.parametrize("box", [None, BOX], ids=["points alone", "beside a box"])
@pytest.mark.parametrize("shape", [(121, 75), (300, 484)])
def test_points_are_answered_as_by_segment_anything(small, shape, box):
    path, network = small
    predictor, pixels = SamPredictor(network), picture(shape)
    predictor.set_image(np.repeat(pixels[..., None], 3, axis=-1))
    model = load_model("sam-vit-b", path)
    places, labels = np.array(INSIDE + OUTSIDE), np.array([1, 1, 0])
    prompt = SlicePrompt.single(None if box is None else np.array(box), places, labels)
    asked = prompt_tensors(model.transforms, prompt, shape)
    embedding = model.encode(pixels)
    logits = model.logits(embedding.features, *asked)[0]
    keywords = {"multimask_output": False, "return_logits": True, "box": None if box is None else np.array(box)}
    (expected,), _quality, low = predictor.predict(places, labels, **keywords)
    np.testing.assert_allclose(logits.numpy(), low, rtol=1e-3, atol=1e-3)
    clear = np.abs(expected) > 1e-3
    assert (model.decode(embedding, prompt)[0] == (expected > 0))[clear].all()


def test_each_point_and_its_label_reach_the_decoder(small):
    path, _network = small
    model = load_model("sam-vit-b", path)
    features = model.encode(picture((121, 75))).features

    def answer(places, labels):
        prompt = SlicePrompt.single(None, np.array(places), np.array(labels))
        return model.logits(features, *prompt_tensors(model.transforms, prompt, (121, 75)))

    one = answer(INSIDE[:1], [1])
    for other in (answer(INSIDE[:1], [0]), answer(INSIDE[1:], [1]), answer(INSIDE[:1] + OUTSIDE, [1, 0])):
        assert (one - other).abs().max() > 1e-3


def test_a_model_of_boxes_takes_no_points(lite_medsam):
    with pytest.raises(InputError, match=r"LiteMedSAM was trained for boxes and takes no points; .* MobileSAM do"):
        lite_medsam.logits(torch.zeros(1, 256, 64, 64), None, (torch.zeros(1, 1, 2), torch.ones(1, 1)))


@pytest.mark.parametrize("shape", [(300, 484), (121, 75), (1024, 1024)])
def test_boxes_go_to_model_pixels_as_published(shape):
    from segment_anything.utils.transforms import ResizeLongestSide

    box = np.array([3.0, 5.0, 40.0, 60.0])
    expected = ResizeLongestSide(1024).apply_boxes(box[None], shape)[0]
    assert np.allclose(box * sam.VIT_B.segmenter(small_sam(), "", "", 0).transforms.scale(shape), expected)


@pytest.mark.slow
def test_a_small_sam_goes_through_quantizing_file_and_volume(small, calibration, finish, tmp_path, phantom):
    path, _network = small
    full = load_model("sam-vit-b", path)
    quantized = finish(quantize_model(full, calibration, quick_config("sam-vit-b", 4)))
    save_weights(quantized, tmp_path / "sam.safetensors")
    loaded = load_weights(tmp_path / "sam.safetensors")
    assert loaded.segmenter.title == "SAM ViT-B"
    assert loaded.segmenter.fingerprint == quantized.segmenter.fingerprint
    runner = SliceRunner(loaded.segmenter, phantom, default_window("CT", phantom.voxels))
    mask = finish(segment_prompt(runner, Box3D(20, 20, 1, 70, 70, 2), "propagate"))
    assert mask.in_volume(phantom.grid.shape_zyx).shape == phantom.voxels.shape


def test_checkpoints_of_sam_must_be_named_and_are_told_apart(tmp_path):
    for key, file in (("sam-vit-h", "sam_vit_h_4b8939.pth"), ("mobile-sam", "mobile_sam.pt")):
        with pytest.raises(InputError, match=f"name its checkpoint file .{file}"):
            load_model(key)
    torch.save({"image_encoder.patch_embed.seq.0.c.weight": torch.ones(32, 3, 1, 1)}, tmp_path / "lite.pth")
    with pytest.raises(InputError, match="is not a MobileSAM checkpoint: it looks like LiteMedSAM"):
        load_model("mobile-sam", tmp_path / "lite.pth")


@pytest.fixture(scope="module")
def mobile(tmp_path_factory):
    """A checkpoint of MobileSAM's names and shapes, with the classifier that the authors' holds."""
    torch.manual_seed(5)
    state = mobile_sam.architecture().state_dict()
    classifier = {"norm_head.weight": torch.ones(320), "head.weight": torch.ones(1000, 320)}
    path = tmp_path_factory.mktemp("mobile") / "mobile_sam.pt"
    torch.save(state | {f"image_encoder.{name}": tensor for name, tensor in classifier.items()}, path)
    return load_model("mobile-sam", path)


@pytest.mark.slow
def test_mobile_sam_halves_the_image_twice_before_lite_medsam_s_stages(mobile):
    first, second = (mobile.image_encoder.patch_embed.seq[number] for number in (0, 2))
    assert (first.weight.shape, first.stride, first.padding) == ((32, 3, 3, 3), (2, 2), (1, 1))
    assert (second.weight.shape, second.stride, second.padding) == ((64, 32, 3, 3), (2, 2), (1, 1))
    embedding = mobile.encode(picture((60, 80)))
    assert embedding.features.shape == (1, 256, 64, 64)
    image = mobile.transforms.image(picture((60, 80)))
    with torch.inference_mode():
        for stage in encoder_stages(mobile.image_encoder):
            image = stage(image)
    torch.testing.assert_close(image, embedding.features, rtol=1e-4, atol=1e-4)
    assert mobile.decode(embedding, np.array([10, 10, 40, 50])).shape == (1, 60, 80)


@pytest.mark.slow
def test_mobile_sam_computes_the_same_on_openvino(mobile):
    pytest.importorskip("openvino", reason="OpenVINO is not installed")
    fast = on_runtime(mobile, Runtime.openvino)
    pixels = picture((96, 128))
    embedding = mobile.encode(pixels)
    torch.testing.assert_close(fast.encode(pixels).features, embedding.features, rtol=1e-3, atol=1e-3)
    for places in ([], INSIDE, INSIDE + OUTSIDE):  # any number of points
        box = None if len(places) == 2 else np.array(BOX)
        labels = np.arange(len(places)) < len(INSIDE)
        asked = prompt_tensors(mobile.transforms, SlicePrompt.single(box, np.array(places), labels), (96, 128))
        wanted = mobile.logits(embedding.features, *asked)
        torch.testing.assert_close(fast.logits(embedding.features, *asked), wanted, rtol=1e-3, atol=1e-3)
