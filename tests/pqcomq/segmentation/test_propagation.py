"""How a box travels through a volume, with a model that is simple enough to foresee."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from pqcomq.models.transforms import LiteMedSAMFraming
from pqcomq.segmentation.box import Box3D
from pqcomq.segmentation.box_mask import BoxMask
from pqcomq.segmentation.prompt import Prompt, PromptPoint
from pqcomq.segmentation.propagation import segment_slices, visiting_order


class Prompted:
    """Segments an ellipse-free world: on each slice, what of a moving square lies in the box; keeps the prompts."""

    def __init__(self, truth):
        self.segmenter = SimpleNamespace(transforms=LiteMedSAMFraming(), check_prompts=lambda kinds: None)
        self.truth, self.prompts, self.points = truth, {}, {}

    def segment(self, z, prompt):
        self.points[z] = None if prompt.points is None else prompt.points[0].tolist()
        mask = np.zeros_like(self.truth[z])
        if prompt.boxes is None:  # the square, where a point lies in it
            x, y = prompt.points[0, 0]
            return self.truth[z] & self.truth[z, round(y), round(x)]
        self.prompts[z] = box = prompt.boxes[0]
        x0, y0, x1, y1 = (round(float(edge)) for edge in box)
        mask[y0 : y1 + 1, x0 : x1 + 1] = self.truth[z, y0 : y1 + 1, x0 : x1 + 1]
        return mask


@pytest.fixture
def leaning():
    """A square that moves one pixel to the left of the patient with every slice."""
    truth = np.zeros((9, 256, 256), bool)
    for z in range(9):
        truth[z, 100:121, 50 + z : 81 + z] = True
    return truth


def test_from_the_middle_up_then_down():
    assert visiting_order(Box3D(0, 0, 2, 9, 9, 6)) == [(4, None), (5, 4), (6, 5), (3, 4), (2, 3)]
    assert visiting_order(Box3D(0, 0, 3, 9, 9, 3)) == [(3, None)]
    assert visiting_order(Box3D(0, 0, 3, 9, 9, 4)) == [(3, None), (4, 3)]


def test_propagation_follows_what_the_fixed_box_loses(leaning):
    box = Box3D(53, 98, 0, 87, 122, 8)
    followed, fixed = BoxMask.empty(box, (256, 256)), BoxMask.empty(box, (256, 256))
    runner = Prompted(leaning)
    assert list(segment_slices(runner, box, "propagate", followed)) == [4, 5, 6, 7, 8, 3, 2, 1, 0]
    assert np.array_equal(followed.in_volume(leaning.shape), leaning)
    # The neighbour's tight box, grown by 3 of 256 pixels.
    assert runner.prompts[5].tolist() == [54 - 3, 100 - 3, 84 + 3, 120 + 3]
    list(segment_slices(Prompted(leaning), box, "same", fixed))
    assert fixed.voxel_count < leaning.sum()


def test_an_empty_mask_brings_the_given_box_back(leaning):
    leaning[5] = False
    runner = Prompted(leaning)
    box = Box3D(53, 98, 0, 87, 122, 8)
    mask = BoxMask.empty(box, (256, 256))
    list(segment_slices(runner, box, "propagate", mask))
    assert runner.prompts[6].tolist() == box.xyxy.tolist()
    assert not mask.on_slice(5).any()
    assert mask.on_slice(6).any()


def test_slices_outside_the_box_stay_empty(leaning):
    box = Box3D(40, 90, 3, 99, 130, 5)
    kept = BoxMask.empty(box, (256, 256))
    list(segment_slices(Prompted(leaning), box, "propagate", kept))
    mask = kept.in_volume(leaning.shape)
    assert mask[3:6].any(axis=(1, 2)).all()
    assert not mask[:3].any()
    assert not mask[6:].any()


def test_a_point_is_followed_by_the_boxes_of_the_masks_and_prompts_its_own_slice_alone(leaning):
    leaning[7:] = False
    prompt = Prompt(points=(PromptPoint(70, 110, 3), PromptPoint(80, 105, 4, positive=False)), span=(1, 8))
    runner, mask = Prompted(leaning), BoxMask.empty(prompt, (256, 256))
    assert list(segment_slices(runner, prompt, "propagate", mask)) == [3, 4, 5, 6, 7, 8, 2, 1]
    assert np.array_equal(mask.in_volume(leaning.shape)[1:7], leaning[1:7])
    assert runner.points == {3: [[70, 110]], 4: [[80, 105]], 5: None, 6: None, 7: None, 2: None, 1: None}
    assert runner.prompts[4].tolist() == [53 - 3, 100 - 3, 83 + 3, 120 + 3], "beside the point, the neighbour's box"
    assert 8 not in runner.points, "nothing leads there: the mask of slice 7 is empty"


def test_with_the_same_prompt_everywhere_a_slice_without_points_is_asked_with_the_nearest(leaning):
    prompt = Prompt(points=(PromptPoint(70, 110, 2), PromptPoint(72, 111, 6)), span=(0, 8))
    runner, mask = Prompted(leaning), BoxMask.empty(prompt, (256, 256))
    list(segment_slices(runner, prompt, "same", mask))
    assert [runner.points[z] for z in (0, 4, 5, 8)] == [[[70, 110]], [[70, 110]], [[72, 111]], [[72, 111]]]


def test_a_point_outside_holds_on_its_slice_where_the_nearest_one_s_points_are_asked_with(leaning):
    prompt = Prompt(points=(PromptPoint(70, 110, 2), PromptPoint(80, 105, 4, positive=False)), span=(2, 5))
    runner = Prompted(leaning)
    list(segment_slices(runner, prompt, "same", BoxMask.empty(prompt, (256, 256))))
    assert runner.points == {2: [[70, 110]], 3: [[70, 110]], 4: [[70, 110], [80, 105]], 5: [[70, 110]]}


def test_points_stand_beside_a_box_on_their_slice(leaning):
    box = Box3D(53, 98, 3, 87, 122, 5)
    runner = Prompted(leaning)
    prompt = Prompt(box, (PromptPoint(60, 110, 5), PromptPoint(55, 99, 5, positive=False)))
    list(segment_slices(runner, prompt, "same", BoxMask.empty(prompt, (256, 256))))
    assert runner.points == {3: None, 4: None, 5: [[60, 110], [55, 99]]}
    assert all(each.tolist() == box.xyxy.tolist() for each in runner.prompts.values())
