"""Pre- and post-processing against a slow, independent transcription of the authors' rules."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from pqcomq.models.transforms import LiteMedSAMFraming, MedSAMFraming, SamFraming, boxes_tensor, scribbles_tensor
from pqcomq.segmentation.propagation import next_box

SHAPES = [(300, 484), (512, 512), (101, 122), (600, 256), (64, 257)]


def picture(shape, seed=0):
    generator = np.random.default_rng(seed)
    rows, columns = np.indices(shape)
    smooth = 120 + 80 * np.sin(rows / 17) * np.cos(columns / 23)
    return np.clip(smooth + generator.normal(0, 12, shape), 0, 255).astype(np.uint8)


def shrunk_by_area(image, height, width):
    """Every output pixel is the mean of the input area under it, weighted with what of each pixel lies inside."""

    def shares(size, target):
        matrix = np.zeros((target, size))
        for i in range(target):
            low, high = i * size / target, (i + 1) * size / target
            for j in range(math.floor(low), min(math.ceil(high), size)):
                matrix[i, j] = min(j + 1, high) - max(j, low)
            matrix[i] /= matrix[i].sum()
        return matrix

    return shares(image.shape[0], height) @ image.astype(float) @ shares(image.shape[1], width).T


def bilinear(values, height, width):
    """align_corners=False: pixel centres at (i + 0.5), edges clamped."""
    result = np.zeros((height, width))
    for i in range(height):
        y = min(max((i + 0.5) * values.shape[0] / height - 0.5, 0), values.shape[0] - 1)
        y0 = int(y)
        y1 = min(y0 + 1, values.shape[0] - 1)
        for j in range(width):
            x = min(max((j + 0.5) * values.shape[1] / width - 0.5, 0), values.shape[1] - 1)
            x0 = int(x)
            x1 = min(x0 + 1, values.shape[1] - 1)
            top = values[y0, x0] * (1 - (x - x0)) + values[y0, x1] * (x - x0)
            bottom = values[y1, x0] * (1 - (x - x0)) + values[y1, x1] * (x - x0)
            result[i, j] = top * (1 - (y - y0)) + bottom * (y - y0)
    return result


@pytest.mark.parametrize("shape", [(300, 484), (512, 512), (600, 256)])
def test_lite_medsam_input_is_shrunk_by_area_normalized_then_padded(shape):
    image = picture(shape)
    ratio = 256 / max(shape)
    height, width = int(shape[0] * ratio + 0.5), int(shape[1] * ratio + 0.5)
    eight_bit = np.floor(shrunk_by_area(image, height, width) + 0.5)
    expected = np.zeros((256, 256))
    expected[:height, :width] = (eight_bit - eight_bit.min()) / (eight_bit.max() - eight_bit.min())
    given = LiteMedSAMFraming().image(image)
    assert given.shape == (1, 3, 256, 256)
    assert given.dtype == torch.float32
    for channel in given[0]:
        # OpenCV works in single precision: at most one grey level here and there, and none on average.
        difference = np.abs(channel.numpy() - expected)
        assert difference.max() <= 1.5 / (eight_bit.max() - eight_bit.min())
        assert difference.mean() < 2e-4
    assert not given[0, :, height:].any()
    assert not given[0, :, :, width:].any()


@pytest.mark.parametrize("transforms", [LiteMedSAMFraming(), MedSAMFraming()])
@pytest.mark.parametrize("shape", SHAPES)
def test_input_fills_the_range_and_a_constant_slice_is_zero(transforms, shape):
    given = transforms.image(picture(shape))
    assert given.min() == 0
    assert given.max() == 1
    assert not transforms.image(np.full(shape, 77, np.uint8)).any()


@pytest.mark.parametrize("transforms", [LiteMedSAMFraming(), MedSAMFraming(), SamFraming()])
@pytest.mark.parametrize("shape", [(1, 3000), (3000, 1)])
def test_a_slice_of_next_to_no_width_keeps_a_pixel_of_it(transforms, shape):
    assert transforms.image(picture(shape)).shape == (1, 3, transforms.side, transforms.side)
    assert bool((transforms.scale(shape) > 0).all())
    assert transforms.masks(torch.ones(1, 1, 256, 256), shape).shape == (1, *shape)
    assert int(scribbles_tensor(np.ones((1, *shape), bool)).sum()) == 256


def test_medsam_stretches_to_a_square_by_cubic_interpolation_and_truncates():
    image = picture((300, 484))
    given = MedSAMFraming().image(image)
    assert given.shape == (1, 3, 1024, 1024)
    # A smooth picture, sampled at the stretched pixel centres, is what cubic interpolation must come near to.
    rows, columns = np.indices((300, 484))
    smooth = (120 + 80 * np.sin(rows / 37) * np.cos(columns / 43)).astype(np.uint8)
    y, x = (np.arange(1024) + 0.5) * 300 / 1024 - 0.5, (np.arange(1024) + 0.5) * 484 / 1024 - 0.5
    exact = 120 + 80 * np.sin(y / 37)[:, None] * np.cos(x / 43)[None]
    resized = MedSAMFraming().image(smooth)[0, 0].numpy() * (int(smooth.max()) - int(smooth.min())) + smooth.min()
    assert np.abs(resized - exact).max() < 3.0
    levels = np.unique(given[0, 0].numpy() * 1e6 // 1)
    assert len(levels) <= 256, "the authors truncate to 8 bits before the min–max"


@pytest.mark.parametrize("shape", SHAPES)
def test_boxes_go_to_model_pixels(shape):
    height, width = shape
    box = np.array([[3.0, 5.0, 40.0, 60.0], [0, 0, width, height]])
    lite = boxes_tensor(LiteMedSAMFraming(), box, shape)
    assert lite.shape == (2, 1, 4)
    assert np.allclose(lite[:, 0].numpy(), box * 256 / max(height, width))
    medsam = boxes_tensor(MedSAMFraming(), box, shape)
    assert np.allclose(medsam[:, 0].numpy(), box / [width, height, width, height] * 1024)


@pytest.mark.parametrize("shape", [(75, 121), (40, 40), (90, 61)])
def test_lite_medsam_masks_crop_then_enlarge_then_sigmoid(shape):
    logits = torch.randn(2, 1, 256, 256, generator=torch.Generator().manual_seed(0)) * 4
    ratio = 256 / max(shape)
    height, width = int(shape[0] * ratio + 0.5), int(shape[1] * ratio + 0.5)
    masks = LiteMedSAMFraming().masks(logits, shape)
    assert masks.shape == (2, *shape)
    assert masks.dtype == torch.bool
    for index in range(2):
        slow = bilinear(logits[index, 0, :height, :width].double().numpy(), *shape)
        near = np.abs(slow) < 1e-5
        assert ((masks[index].numpy() == (1 / (1 + np.exp(-slow)) > 0.5)) | near).all()


@pytest.mark.parametrize("shape", [(75, 121), (300, 300)])
def test_medsam_masks_sigmoid_then_enlarge(shape):
    logits = torch.randn(1, 1, 256, 256, generator=torch.Generator().manual_seed(0)) * 4
    slow = bilinear(1 / (1 + np.exp(-logits[0, 0].double().numpy())), *shape)
    near = np.abs(slow - 0.5) < 1e-6
    assert ((MedSAMFraming().masks(logits, shape)[0].numpy() == (slow > 0.5)) | near).all()
    # The order matters: enlarging logits first would decide other pixels.
    other = bilinear(logits[0, 0].double().numpy(), *shape) > 0
    assert (other != (slow > 0.5)).any()


def test_the_next_prompt_is_the_tight_box_grown_in_model_pixels():
    mask = np.zeros((512, 256), bool)
    mask[100:201, 50:101] = True
    given = np.array([1, 2, 3, 4], np.float32)
    # 3 of LiteMedSAM's 256 pixels are 6 of 512; 5 of MedSAM's 1024 are 1.25 along the 256 and 2.5 along the 512.
    assert next_box(LiteMedSAMFraming(), mask, given).tolist() == [44, 94, 106, 206]
    assert next_box(MedSAMFraming(), mask, given).tolist() == [48.75, 97.5, 101.25, 202.5]
    edge = np.zeros((512, 256), bool)
    edge[0, 0] = edge[511, 255] = True
    assert next_box(LiteMedSAMFraming(), edge, given).tolist() == [0, 0, 256, 512]
    assert next_box(LiteMedSAMFraming(), np.zeros((512, 256), bool), given).tolist() == [1, 2, 3, 4]
