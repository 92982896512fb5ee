"""Prompts of boxes and points: what they ask on each slice, and their way through files."""

from __future__ import annotations

import json
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from pqcomq.comparison.evaluate import Protocol
from pqcomq.comparison.model_result import Comparison
from pqcomq.errors import InputError
from pqcomq.models.slice_prompt import SlicePrompt
from pqcomq.segmentation.box import Box3D
from pqcomq.segmentation.prompt import Prompt, PromptPoint
from pqcomq.session.session_schema import Found

BOX = Box3D(20, 20, 1, 60, 60, 3)
POINTS = (PromptPoint(30, 35.5, 2), PromptPoint(50, 22, 1, positive=False))


@pytest.mark.parametrize(
    "prompt", [Prompt(BOX), Prompt(BOX, POINTS), Prompt(points=POINTS), Prompt(points=POINTS, span=(0, 3))]
)
def test_a_prompt_survives_the_way_through_a_comparison_s_file(phantom, comparison_of, prompt):
    mask = np.zeros(phantom.voxels.shape, bool)
    mask[2, 30:40, 30:40] = True
    made = replace(comparison_of(phantom, mask, mask, box=BOX), prompt=prompt)
    content = json.loads(json.dumps(made.to_dict(), allow_nan=False))
    msgspec.convert(content, Found)
    again = Comparison.from_dict(content, made.reference.mask, made.candidate.mask)
    assert again.prompt.slices == prompt.slices
    assert (again.prompt.box, again.prompt.points) == (prompt.box, prompt.points)


def test_a_file_from_before_there_were_points_has_the_box(phantom, comparison_of):
    mask = np.zeros(phantom.voxels.shape, bool)
    mask[2, 30:40, 30:40] = True
    content = comparison_of(phantom, mask, mask, box=BOX).to_dict()
    for name in ("points", "slices_of_points"):
        del content[name]
    msgspec.convert(json.loads(json.dumps(content)), Found)
    assert Prompt.from_dict(content) == Prompt(BOX)


@pytest.mark.parametrize(
    "damage",
    [{"box_x0y0z0x1y1z1": None}, {"slices_of_points": [1, 2]}, {"points": [{"x": 1, "y": 2, "z": 3}]}],
    ids=["nothing asked", "box and slices", "no sign"],
)
def test_a_damaged_prompt_is_refused_by_the_schema(phantom, comparison_of, damage):
    mask = np.zeros(phantom.voxels.shape, bool)
    mask[2, 30:40, 30:40] = True
    content = json.loads(json.dumps(comparison_of(phantom, mask, mask, box=BOX).to_dict() | damage))
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(content, Found)


def test_propagation_starts_at_the_most_central_point_inside():
    far, near = PromptPoint(1, 1, 2), PromptPoint(1, 1, 6)
    outside = PromptPoint(1, 1, 5, positive=False)
    assert Prompt(points=(far, near, outside), span=(0, 10)).start == 6
    assert Prompt(Box3D(0, 0, 0, 9, 9, 10), (far,)).start == 5, "with a box its middle"


def test_what_is_asked_is_told_in_words():
    assert Prompt(BOX, POINTS).words == "a box, 1 point inside, 1 point outside"
    assert Prompt(points=(POINTS[0], POINTS[0])).words == "2 points inside"


def test_nothing_and_two_ranges_are_no_prompt():
    for given in ({}, {"points": POINTS[1:]}, {"box": BOX, "span": (1, 2)}):
        with pytest.raises(InputError):
            Prompt(**given)
    for odd in ({}, {"points": np.zeros((1, 2, 2))}):
        with pytest.raises(ValueError, match="needs a"):
            SlicePrompt(**odd)


def test_an_evaluation_prompts_with_the_deepest_point_of_a_label():
    mask = np.zeros((40, 50), bool)
    mask[10:21, 5:36] = True
    mask[10:31, 30:51] = True  # the larger end
    alone = Protocol(prompt="point").on(mask)
    assert (alone.boxes, alone.labels.tolist()) == (None, [[1.0]])
    x, y = alone.points[0, 0]
    assert (x, y) == (39, 20), "of two equally deep the first"
    both = Protocol(prompt="box and point").on(mask)
    assert both.boxes.tolist() == [[3, 8, 50, 32]]
    assert both.points.tolist() == alone.points.tolist()
    assert Protocol().on(mask).points is None


def test_numbers_of_numpy_go_into_files_as_python_s_do():
    """Corners are found with NumPy, and a comparison that takes minutes must not fail when it is written."""
    lowest, highest = np.argwhere(np.ones((3, 4, 5), bool))[[0, -1]]
    box = Box3D(*lowest[::-1], *highest[::-1])
    assert box == Box3D(0, 0, 0, 4, 3, 2)
    assert json.loads(json.dumps(Prompt(box).to_dict()))["box_x0y0z0x1y1z1"] == [0, 0, 0, 4, 3, 2]
    narrow = Box3D(np.float32(1.5), 0, 0, 4, 3, 2)
    assert json.loads(json.dumps(Prompt(narrow).to_dict()))["box_x0y0z0x1y1z1"][0] == 1.5
    prompt = Prompt(points=(PromptPoint(*highest[::-1], positive=np.True_),), span=(lowest[0], highest[0]))
    written = json.loads(json.dumps(prompt.to_dict()))
    assert Prompt.from_dict(written) == prompt == Prompt(points=(PromptPoint(4, 3, 2),), span=(0, 2))
