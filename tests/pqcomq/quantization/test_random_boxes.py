from __future__ import annotations

import numpy as np
import pytest

from pqcomq.quantization.calibration.random_boxes import random_boxes


def slices():
    shown = np.zeros((60, 90), np.uint8)
    shown[10:50, 20:85] = 120
    thin = np.zeros((60, 90), np.uint8)
    thin[30, 5:80] = 1
    return {
        "body": shown,
        "a line": thin,
        "nothing": np.zeros((60, 90), np.uint8),
        "one pixel": np.eye(1, dtype=np.uint8),
    }


@pytest.mark.parametrize("kind", slices())
def test_boxes_lie_in_the_slice_the_right_way_round(kind):
    pixels = slices()[kind]
    boxes = random_boxes(pixels, seed=4, count=7)
    assert boxes.shape == (7, 4)
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, 2:] <= np.array(pixels.shape)[::-1]).all()
    assert (boxes[:, :2] < boxes[:, 2:]).all()


def test_they_cover_what_is_shown_and_are_the_same_every_time():
    pixels = slices()["body"]
    boxes = random_boxes(pixels, 1, 6)
    assert (boxes[:, 0] >= 20).all()
    assert (boxes[:, 3] <= 50).all()
    assert np.array_equal(boxes, random_boxes(pixels, 1, 6))
    assert not np.array_equal(boxes, random_boxes(pixels, 2, 6))


def test_every_third_box_is_as_small_as_a_vessel_and_the_others_are_not():
    boxes = random_boxes(np.ones((256, 256), np.uint8), seed=3, count=30)
    sides = np.sqrt(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1))
    small = np.arange(30) % 3 == 2
    assert (sides[small] >= 5).all()
    assert (sides[small] <= 31).all()
    assert np.median(sides[~small]) > 50
