"""LiteMedSAM for scribbles against its authors' formulas; random weights say nothing of masks' worth."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from segment_anything.modeling import MaskDecoder, PromptEncoder, TwoWayTransformer

from pqcomq.backends.openvino_model import on_runtime
from pqcomq.backends.runtime import Runtime
from pqcomq.backends.torch_device import on_device
from pqcomq.errors import InputError
from pqcomq.export.package import ExportKind, described, export_model
from pqcomq.models import lite_medsam
from pqcomq.models.catalogue.entries import ENTRIES, why_not
from pqcomq.models.registry import load_model
from pqcomq.models.slice_prompt import SlicePrompt
from pqcomq.models.small_encoder import small_encoder
from pqcomq.models.transforms import LiteMedSAMFraming, prompt_tensors, scribbles_tensor
from pqcomq.quantization.algorithm.config import QuantizationConfig
from pqcomq.quantization.calibration.passes import BOXES_A_PASS, CalibrationPasses
from pqcomq.quantization.calibration.random_scribbles import random_scribbles
from pqcomq.quantization.planning.presets import default_config
from pqcomq.quantization.quantize_model import quantize_model
from pqcomq.segmentation.prompt import Prompt
from pqcomq.segmentation.propagation import segment_prompt
from pqcomq.segmentation.scribble import Scribble
from pqcomq.segmentation.slice_runner import SliceRunner

KEY = "lite-medsam-scribble"


@pytest.fixture(scope="module")
def model(scribble_checkpoint):
    return load_model(KEY, scribble_checkpoint)


def picture(shape):
    rows, columns = np.indices(shape)
    noise = np.random.default_rng(0).normal(0, 12, shape)
    return np.clip(120 + 80 * np.sin(rows / 17) * np.cos(columns / 23) + noise, 0, 255).astype(np.uint8)


def stroke(shape, width):
    drawn = np.zeros(shape, np.uint8)
    corners = [(shape[1] // 5, shape[0] // 4), (shape[1] // 2, shape[0] // 2), (shape[1] // 3, 3 * shape[0] // 4)]
    return cv2.polylines(drawn, [np.array(corners, np.int32)], False, 1, width)


def to_256(image):
    """The authors' ``resize_longest_side`` and ``pad_image``, in plain words: (H, W) or (H, W, 3) → 256 × 256."""
    ratio = 256 / max(image.shape[:2])
    height, width = (int(side * ratio + 0.5) for side in image.shape[:2])
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return small, [(0, 256 - height), (0, 256 - width)] + [(0, 0)] * (image.ndim - 2)


@pytest.fixture(scope="module")
def authors_networks(scribble_checkpoint):
    """Image encoder, prompt encoder and mask decoder of the authors' code, filled from their file."""
    state = torch.load(scribble_checkpoint, weights_only=True)["model"]
    prompts = PromptEncoder(256, (64, 64), (256, 256), 16)
    decoder = MaskDecoder(
        transformer_dim=256,
        transformer=TwoWayTransformer(depth=2, embedding_dim=256, num_heads=8, mlp_dim=2048),
        num_multimask_outputs=3,
    )
    encoder = lite_medsam.architecture().image_encoder
    for part, network in (("prompt_encoder.", prompts), ("mask_decoder.", decoder), ("image_encoder.", encoder)):
        network.load_state_dict({k.removeprefix(part): v for k, v in state.items() if k.startswith(part)})
        network.eval()
    return encoder, prompts, decoder


def published(networks, pixels, drawn):
    """The logits of the authors' ``CVPR24_LiteMedSAM_infer_scribble.py``, network by network."""
    encoder, prompts, decoder = networks
    image, padding = to_256(np.repeat(pixels[..., None], 3, axis=-1))
    image = np.pad((image - image.min()) / np.clip(image.max() - image.min(), 1e-8, None), padding)
    scribble, padding = to_256(drawn)
    scribble = (np.pad(scribble, padding) > 0) * 1
    with torch.no_grad():
        features = encoder(torch.tensor(image).float().permute(2, 0, 1)[None])
        sparse, dense = prompts(points=None, boxes=None, masks=torch.tensor(scribble).float()[None, None])
        logits, _quality = decoder(features, prompts.get_dense_pe(), sparse, dense, multimask_output=False)
    return logits


@pytest.mark.parametrize(("shape", "width"), [((512, 400), 1), ((120, 200), 3)])
def test_a_scribble_is_answered_as_by_its_authors(authors_networks, model, shape, width):
    pixels, drawn = picture(shape), stroke(shape, width)
    expected = published(authors_networks, pixels, drawn)
    embedding, prompt = model.encode(pixels), SlicePrompt(scribbles=drawn.astype(bool)[None])
    logits = model.logits(embedding.features, *prompt_tensors(model.transforms, prompt, shape))
    torch.testing.assert_close(logits, expected, rtol=1e-3, atol=1e-3)
    assert expected.std() > 0.01, "the reference says something"
    nothing = model.logits(embedding.features, scribbles=torch.zeros(1, 1, 256, 256))
    assert (logits - nothing).abs().max() > 1e-2, "the scribble reaches the decoder"
    assert model.decode(embedding, prompt).shape == (1, *shape)


def test_a_stroke_too_thin_for_the_network_s_pixels_is_not_lost():
    drawn = np.zeros((1, 1024, 1024), bool)
    drawn[0, 400, 300:500] = True  # a quarter of the height of a pixel of 256
    small = scribbles_tensor(drawn)
    assert small.shape == (1, 1, 256, 256)
    assert small[0, 0, 100, 75:125].all()
    assert small.sum() == 50


def test_scribbles_are_asked_one_by_one_or_together(model):
    drawn = np.stack([stroke((120, 200), 3), stroke((120, 200), 9)]).astype(bool)
    features = model.encode(picture((120, 200))).features
    together = model.logits(features, scribbles=scribbles_tensor(drawn))
    alone = [model.logits(features, scribbles=scribbles_tensor(each[None])) for each in drawn]
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_openvino_and_a_device_answer_the_same(model):
    drawn = np.stack([stroke((120, 200), 3), stroke((120, 200), 9)]).astype(bool)
    pixels, asked = picture((120, 200)), scribbles_tensor(drawn)
    wanted = model.logits(model.encode(pixels).features, scribbles=asked)
    moved = on_device(model, Runtime.torch_cuda, torch.device("cpu"))
    torch.testing.assert_close(
        moved.logits(moved.encode(pixels).features, scribbles=asked), wanted, rtol=1e-3, atol=1e-3
    )
    pytest.importorskip("openvino", reason="OpenVINO is not installed")
    fast = on_runtime(model, Runtime.openvino)
    torch.testing.assert_close(fast.logits(fast.encode(pixels).features, scribbles=asked), wanted, rtol=1e-3, atol=1e-3)


def test_a_model_takes_what_it_was_trained_for(model, lite_medsam, phantom, finish):
    box = torch.tensor([[[0.0, 0.0, 9.0, 9.0]]])
    with pytest.raises(InputError, match=r"LiteMedSAM for scribbles was trained for scribbles and takes no boxes; "):
        model.logits(torch.zeros(1, 256, 64, 64), box)
    with pytest.raises(InputError, match=r"LiteMedSAM was trained for boxes and takes no scribbles; .* does\.$"):
        lite_medsam.logits(torch.zeros(1, 256, 64, 64), scribbles=torch.ones(1, 1, 256, 256))
    drawn = np.zeros(phantom.voxels.shape, bool)
    drawn[2, 30:50, 55] = True
    work = segment_prompt(SliceRunner(lite_medsam, phantom), Prompt(scribble=Scribble.of(drawn)), "same")
    with pytest.raises(InputError, match="takes no scribbles"):
        finish(work)
    assert [key for key in ENTRIES if not why_not(key, "scribble")] == [KEY]
    assert "boxes and points and takes no scribbles" in why_not("sam-vit-b", "scribble")


def test_lite_medsam_s_own_file_is_not_taken_for_it():
    with pytest.raises(
        InputError,
        match="the published checkpoint of LiteMedSAM, not of LiteMedSAM for scribbles; choose model lite-medsam",
    ):
        load_model(KEY, lite_medsam.shipped_checkpoint())


def test_without_its_file_the_way_by_hand_is_told():
    with pytest.raises(InputError, match=r"by hand: get medsam_lite_scribble\.pth from https://github\.com/bowang-lab"):
        load_model(KEY)


def test_scribbles_calibrate_the_decoder_of_a_model_that_takes_nothing_else(model, calibration):
    passes = CalibrationPasses(model, calibration, QuantizationConfig(4))
    asked, unseen = passes.prompts(0), passes.unseen_prompts(0)
    assert (asked.boxes, asked.points) == (None, None)
    assert asked.scribbles.shape == (BOXES_A_PASS, 1, 256, 256)
    assert torch.equal(passes.prompts(0).scribbles, asked.scribbles)
    assert not torch.equal(unseen.scribbles[0], asked.scribbles[0])
    assert (asked.scribbles.flatten(1).sum(1) > 0).all()
    assert asked.some(2, 4).scribbles.shape[0] == 2
    seen = random_scribbles(calibration.slices[0], 3, 4)
    assert seen.any(axis=(1, 2)).all()
    assert seen.mean() < 0.05, "lines, not areas"


@pytest.mark.slow
def test_a_quantized_model_takes_the_same_path(model, calibration, phantom, finish, tmp_path):
    model = replace(model, image_encoder=small_encoder())
    rounded = finish(quantize_model(model, calibration, default_config(KEY, 8, "rtn")))
    drawn = np.zeros(phantom.voxels.shape, bool)
    drawn[2, 30:50, 55:60] = True
    prompt = Prompt(scribble=Scribble.of(drawn), span=(1, 3))
    pixels = picture((96, 96))
    asked = scribbles_tensor(drawn[2][None])
    full, low = (each.logits(each.encode(pixels).features, scribbles=asked) for each in (model, rounded.segmenter))
    assert 0 < (full - low).abs().max() < 0.2 * full.std()
    masks = [finish(segment_prompt(SliceRunner(each, phantom), prompt, "same")) for each in (model, rounded.segmenter)]
    assert all(mask.voxels.shape == (3, 96, 96) for mask in masks)
    with pytest.raises(InputError, match="takes boxes, and LiteMedSAM for scribbles takes none"):
        export_model(rounded, ExportKind.onnx, tmp_path)
    assert not list(tmp_path.iterdir())
    assert "scribbles" in described(rounded, ExportKind.safetensors_fp16)
    of_points = replace(rounded, segmenter=replace(rounded.segmenter, key="mobile-sam"))
    assert "not taken by these files" in described(of_points, ExportKind.onnx)["points"]


class Drawn:
    """Answers every scribble with a fixed mask, and keeps what it was asked."""

    def __init__(self, model, mask):
        self.segmenter, self.mask, self.shape, self.asked = model, mask, mask.shape, {}

    def segment(self, z, prompt):
        self.asked[z] = prompt.scribbles[0]
        return self.mask


def test_other_slices_are_asked_with_what_of_the_scribble_lies_in_the_neighbour_s_mask(model, finish):
    drawn = np.zeros((6, 8, 8), bool)
    drawn[2, 3, 1:7] = True
    mask = np.zeros((8, 8), bool)
    mask[2:5, 2:5] = True
    prompt = Prompt(scribble=Scribble.of(drawn), span=(0, 4))
    following, same = Drawn(model, mask), Drawn(model, mask)
    finish(segment_prompt(following, prompt, "propagate"))
    finish(segment_prompt(same, prompt, "same"))
    for z in range(5):
        wanted = drawn[2] if z == 2 else drawn[2] & mask
        assert np.array_equal(following.asked[z], wanted)
        assert np.array_equal(same.asked[z], drawn[2])
    nowhere = Drawn(model, np.zeros((8, 8), bool))
    finish(segment_prompt(nowhere, prompt, "propagate"))
    assert list(nowhere.asked) == [2], "where the object has ended nothing is asked"


def test_the_framing_of_the_answers_is_lite_medsam_s(model):
    assert isinstance(model.transforms, LiteMedSAMFraming)
    assert replace(model, title="x").takes("scribble")
