"""What outlives the dock: results by volume, and only on the voxels that they were made on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_pqcomq.jobs.comparing.kept_work import MOST_RESULTS, KeptResult, KeptWork, RecallJob, volume_key
from pqcomq.comparison.compared_model import ComparedModel
from pqcomq.comparison.comparison_result import ComparisonResult, ObjectComparison
from pqcomq.errors import InputError


@pytest.fixture
def result(volume, masks, comparison_of, lite_medsam):
    comparison = comparison_of(volume, *masks)
    full = ComparedModel.full(lite_medsam)
    return ComparisonResult(volume, (ObjectComparison("cube", (comparison,), masks[0]),), full, (full,))


def test_a_volume_is_known_again_and_told_from_others(volume):
    again = replace(volume, voxels=volume.voxels.copy(), name="renamed")
    assert volume_key(again) == volume_key(volume)
    assert volume_key(replace(volume, voxels=volume.voxels + 1)) != volume_key(volume)
    assert volume_key(volume.with_modality("MR")) != volume_key(volume), "its window is another"


def test_a_result_comes_back_on_its_own_voxels_alone(volume, result, finish):
    kept = KeptResult.of(result, ())
    again = replace(volume, voxels=volume.voxels.copy())
    back = finish(RecallJob(kept, again).steps())
    assert back.volume is again
    assert back.objects == result.objects
    changed = volume.voxels.copy()
    changed[1, 1, 1] += 1  # a voxel that is not among those that the volume is known by at first sight
    other = replace(volume, voxels=changed)
    with pytest.raises(InputError, match="not those that were compared before"):
        finish(RecallJob(kept, other).steps())


def test_the_voxels_themselves_are_not_kept(result):
    kept = KeptResult.of(result, ())
    assert not any(isinstance(value, np.ndarray) for value in vars(kept).values())
    assert not hasattr(kept, "volume")


def test_the_last_results_are_kept_and_completed(result):
    work, kept = KeptWork(), KeptResult.of(result, ())
    for number in range(MOST_RESULTS + 1):
        work.keep(str(number), kept)
    assert work.result("0") is None, "the oldest makes room"
    assert work.result("1") is kept
    work.complete("1", result, jitters={1: "moved"})
    assert work.result("1").jitters == {1: "moved"}
    newer = replace(result, objects=tuple(replace(each) for each in result.objects))
    work.keep_unseen("1", newer)
    work.complete("1", result, jitters={1: "moved"})
    assert work.result("1").jitters == {}, "what was made of the comparison before is none of the newer one's"
    work.complete("gone", result, jitters={})
    assert work.result("gone") is None
