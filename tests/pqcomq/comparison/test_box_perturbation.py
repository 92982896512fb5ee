from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from pqcomq.comparison.box_perturbation import BoxJitter, BoxMovement, box_jitter, moved_boxes
from pqcomq.comparison.compare import compare
from pqcomq.comparison.compared_model import ComparedModel
from pqcomq.segmentation.box import Box3D
from pqcomq.segmentation.embedding_cache import EmbeddingCache

BOX = Box3D(45, 25, 1, 76, 56, 3)


def test_edges_move_each_on_its_own_within_the_shift():
    boxes = moved_boxes(BOX, (96, 96), BoxMovement(5, 200))
    edges = np.array([[b.x0, b.y0, b.x1, b.y1] for b in boxes]) - BOX.xyxy
    assert edges.min() == -5
    assert edges.max() == 5
    assert np.unique(edges, axis=0).shape[0] > 190
    assert np.abs(edges.mean(axis=0)).max() < 1
    assert {(b.z0, b.z1) for b in boxes} == {(1, 3)}
    assert boxes == moved_boxes(BOX, (96, 96), BoxMovement(5, 200))
    assert boxes != moved_boxes(BOX, (96, 96), BoxMovement(5, 200, seed=1))


@pytest.mark.parametrize("box", [Box3D(0, 0, 0, 95, 95, 2), Box3D(40, 40, 0, 41, 42, 0), Box3D(93, 0, 0, 96, 1, 0)])
def test_boxes_at_the_edge_and_tiny_ones_stay_usable(box):
    for moved in moved_boxes(box, (96, 96), BoxMovement(draws=300)):
        assert moved.checked((6, 96, 96)) == moved
        assert moved.x1 > moved.x0
        assert moved.y1 > moved.y0


def test_full_precision_is_held_against_itself(phantom, lite_medsam, quantized, finish):
    cache = EmbeddingCache()
    full, low = ComparedModel.full(lite_medsam), ComparedModel.quantized(quantized)
    (comparison,) = finish(compare(phantom, BOX, full, [low], cache=cache)).comparisons
    truth = comparison.candidate.mask_in(phantom.grid.shape_zyx)
    still = finish(box_jitter(phantom, comparison, lite_medsam, truth=truth, movement=BoxMovement(0, 2), cache=cache))
    assert [each.dice for each in still.moved] == [1, 1], "a box that does not move gives the same mask"
    assert still.moved[0].accuracy == comparison.agreement.dice
    moved = finish(box_jitter(phantom, comparison, lite_medsam, movement=BoxMovement(draws=3), cache=cache))
    assert 0.5 < moved.least_dice <= moved.mean_dice <= 1
    assert moved.least_dice < 1
    assert moved.moved[0].accuracy is None
    assert "5 px (10.0 mm)" in moved.sentence([comparison])
    assert f"in {moved.outdoing(comparison.agreement.dice)} of 3 moved boxes" in moved.sentence([comparison])
    assert moved.outdoing(1.0) == sum(each.dice < 1 for each in moved.moved)
    assert BoxJitter.from_dict(json.loads(json.dumps(moved.to_dict(), allow_nan=False))) == moved
    same = finish(
        box_jitter(phantom, replace(comparison, mode="same"), lite_medsam, movement=BoxMovement(draws=1), cache=cache)
    )
    assert same.moved[0].box == moved.moved[0].box
