from __future__ import annotations

import json
from dataclasses import replace

import numpy as np

from pqcomq.comparison.measures.divergence import first_divergence
from pqcomq.comparison.measures.slice_scores import SliceScores
from pqcomq.segmentation.box import Box3D

BOX = Box3D(0, 0, 10, 5, 5, 20)


def scores(**dice_on):
    """Scores of the box's slices: 0.99, but for those named like z12."""
    return [SliceScores(z, dice_on.get(f"z{z}", 0.99), None, None) for z in BOX.slices]


def test_the_first_is_counted_from_the_prompted_slice_not_from_the_feet():
    found = first_divergence(scores(z10=0.2, z17=0.9, z19=0.5), BOX.middle)
    assert (found.z, found.steps, found.agreement) == (17, 2, 0.9)
    assert "slice 17, 2 from the prompted slice" in str(found)


def test_of_two_equally_far_the_worse_counts():
    assert first_divergence(scores(z13=0.8, z17=0.7), BOX.middle).z == 17
    assert first_divergence(scores(z13=0.6, z17=0.7), BOX.middle).z == 13


def test_models_that_stay_together_never_part():
    assert first_divergence(scores(), BOX.middle) is None
    assert first_divergence(scores(z15=0.95), BOX.middle) is None
    assert first_divergence(scores(z15=0.5), BOX.middle).steps == 0


def test_a_comparison_tells_it_only_where_masks_are_followed(phantom, comparison_of):
    left = np.zeros(phantom.voxels.shape, bool)
    left[0:5, 20:30, 20:30] = True
    right = left.copy()
    right[4, 20:25] = False
    comparison = comparison_of(phantom, left, right)
    assert comparison.divergence.z == 4
    assert json.loads(json.dumps(comparison.to_dict()))["first_parting_slice"]["steps"] == 2
    assert replace(comparison, mode="same").to_dict()["first_parting_slice"] is None
