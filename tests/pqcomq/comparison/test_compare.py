from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest

from pqcomq.comparison.compare import compare
from pqcomq.comparison.compared_model import ComparedModel
from pqcomq.comparison.evaluate import Protocol, _prompts, evaluate
from pqcomq.comparison.model_result import Comparison
from pqcomq.comparison.presentation.result_files import (
    COMPARISON_FILES,
    EVALUATION_FILES,
    write_comparison,
    write_evaluation,
)
from pqcomq.errors import InputError
from pqcomq.segmentation.box import Box3D
from pqcomq.segmentation.doubt import stability_score
from pqcomq.segmentation.embedding_cache import EmbeddingCache
from pqcomq.segmentation.slice_runner import SliceRunner
from pqcomq.volumes.intensity_window import Window

BOX = Box3D(45, 25, 1, 76, 56, 3)


@pytest.fixture(scope="module")
def truth(phantom):
    z, y, x = np.indices(phantom.voxels.shape)
    return (y - 40) ** 2 + (x - 60) ** 2 < (8 + z) ** 2


@pytest.fixture(scope="module")
def cache():
    return EmbeddingCache()


@pytest.fixture(scope="module")
def comparison(phantom, lite_medsam, quantized, truth, cache, finish):
    full, low = ComparedModel.full(lite_medsam), ComparedModel.quantized(quantized)
    return finish(compare(phantom, BOX, full, [low], mode="propagate", truth=truth, cache=cache)).comparisons[0]


def test_each_side_is_scored_on_the_box_s_slices(comparison, truth):
    reference, candidate = comparison.reference, comparison.candidate
    assert reference.accuracy.dice > 0.9
    assert candidate.accuracy.dice > 0.9
    assert 0.9 < comparison.agreement.dice <= 1
    mask, inside = reference.mask_in(truth.shape), slice(1, 4)
    assert not mask[0].any(), "outside the box nothing is segmented"
    overlap = (mask & truth)[inside].sum()
    assert reference.accuracy.dice == pytest.approx(2 * overlap / (mask[inside].sum() + truth[inside].sum()))
    assert reference.volume_ml == pytest.approx(mask.sum() * 2 * 2 * 5 / 1000)
    assert [each.z for each in comparison.slices] == [1, 2, 3]


def test_the_quantized_model_tells_how_sure_it_is_of_each_slice(comparison, phantom, quantized):
    runner = SliceRunner(quantized.segmenter, phantom)
    middle = stability_score(runner.logits(2, BOX.xyxy)[0, 0])  # the prompted slice
    assert comparison.stability[2] == pytest.approx(middle)
    assert sorted(comparison.stability) == [1, 2, 3]
    assert comparison.doubtful_slices(0) == {}
    assert comparison.doubtful_slices(1.01) == comparison.stability
    again = Comparison.from_dict(
        json.loads(json.dumps(comparison.to_dict())), comparison.reference.mask, comparison.candidate.mask
    )
    assert again.stability == comparison.stability


def test_costs_are_measured_and_speed_is_labelled(comparison):
    for side in (comparison.reference, comparison.candidate):
        assert side.encoder.passes == side.decoder.passes == 3
        for latency in (side.encoder, side.decoder):
            assert 0 < latency.median_ms <= latency.p95_ms
        assert side.peak_memory_bytes > 100e6
    assert not comparison.reference.simulated
    assert comparison.candidate.simulated
    assert comparison.candidate.file_bytes < comparison.reference.file_bytes
    assert "simulated" in comparison.to_dict()["candidate"]["speed"]


def test_agreement_and_accuracy_never_share_a_label(comparison):
    text = json.dumps(comparison.to_dict())
    assert "agreement_between_models" in text
    assert "accuracy_against_ground_truth" in text


@pytest.mark.slow
def test_a_model_agrees_with_itself_entirely(phantom, lite_medsam, cache, finish):
    side = ComparedModel.full(lite_medsam)
    (same,) = finish(compare(phantom, BOX, side, [side], mode="same", cache=cache)).comparisons
    assert same.agreement.dice == 1
    assert same.agreement.hd95_mm == 0
    assert same.reference.accuracy is None


def test_progress_counts_both_sides_and_can_be_stopped(phantom, lite_medsam, quantized, cache):
    work = compare(phantom, BOX, ComparedModel.full(lite_medsam), [ComparedModel.quantized(quantized)], cache=cache)
    steps = []
    for progress in work:
        steps.append((progress.step, progress.total))
        if progress.step == 3:
            work.close()
    assert steps == [(0, 6), (0, 6), (1, 6), (2, 6), (3, 6)], "each model's first pass is told and not counted"


def test_a_box_outside_or_a_truth_of_another_shape_is_refused(phantom, lite_medsam):
    side = ComparedModel.full(lite_medsam)
    with pytest.raises(InputError, match="outside"):
        next(compare(phantom, Box3D(0, 0, 0, 500, 20, 3), side, [side]))
    with pytest.raises(InputError, match="does not fit"):
        next(compare(phantom, BOX, side, [side], truth=np.zeros((2, 2, 2), bool)))
    labels = np.zeros(phantom.voxels.shape, np.uint8)
    labels[2, :5, :5], labels[2, 9:, 9:] = 3, 4
    with pytest.raises(InputError, match="holds 2 labels; give the mask of one object, such as labels == 3"):
        next(compare(phantom, BOX, side, [side], truth=labels))


def test_reports_are_written_whole_and_never_over_others(comparison, phantom, truth, tmp_path):
    paths = write_comparison(comparison, phantom, tmp_path, truth=truth)
    assert [path.name for path in paths] == list(COMPARISON_FILES)
    assert json.loads(paths[0].read_text()) == json.loads(json.dumps(comparison.to_dict()))
    header = "z,agreement,reference_accuracy,candidate_accuracy,candidate_stability"
    assert paths[1].read_text().splitlines()[0] == header
    assert len(paths[1].read_text().splitlines()) == 4
    assert paths[2].read_bytes().startswith(b"\x89PNG")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(InputError, match="exists already"):
        write_comparison(comparison, phantom, tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_evaluation_prompts_from_the_labels(phantom, lite_medsam, quantized, truth, finish, tmp_path):
    labels = truth.astype(np.uint8) * 7
    sides = [ComparedModel.full(lite_medsam), ComparedModel.quantized(quantized)]
    result = finish(evaluate(phantom, labels, [7], sides, protocol=Protocol(most_slices=2)))
    assert [(each.label, each.z) for each in result.prompts] == [(7, 0), (7, 0), (7, 5), (7, 5)]
    full, low = result.summaries
    assert full.agreement == 1
    assert full.dice == pytest.approx(full.dice_by_label[7])
    assert full.dice > 0.9
    assert low.agreement < 1
    assert low.effective_bits < 5 < full.effective_bits
    paths = write_evaluation(result, tmp_path)
    assert [path.name for path in paths] == list(EVALUATION_FILES)
    assert len(paths[1].read_text().splitlines()) == 5


def test_the_protocol_spreads_slices_and_leaves_out_small_ones():
    mask = np.zeros((30, 10, 10), bool)
    mask[5:25, :, :6] = True
    mask[2, 0, :3] = True
    assert Protocol().slices(mask) == [5, 8, 10, 13, 16, 19, 21, 24]
    assert Protocol(most_slices=None).slices(mask) == list(range(5, 25))


def test_labels_and_windows_of_numpy_go_into_files(phantom, truth):
    labels = truth.astype(np.uint8) * 3
    (number,) = np.unique(labels)[1:]
    asked = _prompts(phantom, labels, [number, 3], Protocol(most_slices=1, least_voxels=1))
    assert [json.dumps(label) for label, _z, _prompt in asked] == ["3"]
    window = Window(np.float32(40.5), np.int64(400))
    assert json.dumps(asdict(window)) == '{"level": 40.5, "width": 400.0}'
    assert json.dumps(asdict(Window(40, 400))) == '{"level": 40, "width": 400}'


def test_a_label_that_is_not_there_is_told(phantom, lite_medsam):
    with pytest.raises(InputError, match="label 9 has no slice of at least 50 voxels"):
        next(evaluate(phantom, np.zeros(phantom.voxels.shape, int), [9], [ComparedModel.full(lite_medsam)]))
