"""Objects of then and of now put together: none is there twice, and none that is another's is lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from napari_pqcomq.prompts.marks.box_layers import empty_box_layer, read_prompts, write_prompts
from napari_pqcomq.prompts.objects.drawn_object import DrawnObject
from napari_pqcomq.prompts.objects.merging import asks_alike, merged
from pqcomq.segmentation.box import Box3D
from pqcomq.segmentation.prompt import PromptPoint

DRAWN = Box3D(6.694139245898715, 4.94973260050666, 3, 16.89520353716176, 10.30412961913272, 8)
"""By hand: corners between the voxels."""


def test_a_box_drawn_by_hand_is_known_again_on_its_layer(volume):
    drawn = (
        DrawnObject(1, "Object 1", DRAWN, compared=False),
        DrawnObject(2, "Object 2", Box3D(1.1, 2.3, 0, 8.7, 9.9, 11)),
    )
    layer = empty_box_layer(volume)
    write_prompts(layer, volume, drawn)
    present = read_prompts(layer, volume)
    assert [each.box for each in present] != [each.box for each in drawn], "the layer keeps fewer digits"
    assert all(asks_alike(*each) for each in zip(present, drawn, strict=True))
    assert merged(drawn, present) == drawn


@pytest.mark.parametrize("further", [0.0, 1e-9, 0.01])
def test_a_box_that_was_moved_is_another_one(further):
    kept, present = DrawnObject(1, "liver", DRAWN), DrawnObject(1, "liver", replace(DRAWN, x0=DRAWN.x0 + further))
    assert len(merged((kept,), (present,))) == (2 if further == 0.01 else 1)


def test_points_tell_objects_of_one_box_apart_and_a_layer_that_knows_none_does_not():
    inside, outside = PromptPoint(8, 6, 5), PromptPoint(9, 7, 5, positive=False)
    kept = DrawnObject(1, "liver", DRAWN, points=(inside,))
    bare, other = replace(kept, points=()), replace(kept, points=(inside, outside))
    assert merged((kept,), (bare,)) == (kept,)
    assert not asks_alike(kept, bare)
    assert len(merged((kept,), (other,))) == 2
    alone = DrawnObject(1, "spleen", None, points=(inside,), span=(4, 6))
    assert merged((alone,), (alone,)) == (alone,)
    assert len(merged((alone,), (replace(alone, span=(4, 7)),))) == 2
