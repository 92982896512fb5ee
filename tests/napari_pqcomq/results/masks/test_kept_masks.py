"""What is kept of the masks in sight says how each was made."""

from __future__ import annotations

import pytest

from napari_pqcomq.prompts.objects.drawn_object import DrawnObject
from napari_pqcomq.results.masks.kept_masks import prompts_in_sight
from pqcomq.comparison.comparison_result import ComparisonResult, ObjectComparison
from pqcomq.volumes.intensity_window import Window

SHOWN = Window(400, 1800)


@pytest.fixture
def result(volume, masks, comparison_of):
    comparison = comparison_of(volume, *masks)
    return ComparisonResult(volume, (ObjectComparison("cube", (comparison,)),), None, (None,))


@pytest.mark.parametrize("is_live", [False, True])
def test_a_compared_mask_keeps_the_window_that_it_was_made_in(result, is_live):
    (found,) = result.objects
    prompts = prompts_in_sight((DrawnObject(1, "cube", found.box),), result, lambda _number: is_live, SHOWN)
    assert found.window != SHOWN
    assert prompts[1][1:] == (("same", SHOWN) if is_live else (found.mode, found.window))
