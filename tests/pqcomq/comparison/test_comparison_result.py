"""Results as tables and in a notebook: every number says against what it was measured."""

from __future__ import annotations

import builtins
import json
import math
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace
from unittest.mock import Mock

import numpy as np
import pytest

from pqcomq.comparison.compared_model import ComparedModel
from pqcomq.comparison.comparison_result import ComparisonResult, ObjectComparison
from pqcomq.comparison.evaluate import Evaluation, ModelSummary, PromptResult, Protocol
from pqcomq.comparison.measures.latency import Latency
from pqcomq.errors import InputError
from pqcomq.models.execution import Execution
from pqcomq.quantization.algorithm.quantized_weight import QuantizedWeight
from pqcomq.volumes.intensity_window import Window


@pytest.fixture
def cubes(phantom):
    """Ground truth, and a mask without its last column."""
    truth = np.zeros(phantom.voxels.shape, bool)
    truth[1:4, 20:30, 20:30] = True
    less = truth.copy()
    less[..., 29] = False
    return truth, less


@pytest.fixture
def result(phantom, cubes, comparison_of):
    """Two objects, two quantized models; the second object has no ground truth and full precision misses it."""
    truth, less = cubes
    seen = [
        comparison_of(phantom, truth, mask, truth=truth, precision=f"{bits}-bit test")
        for mask, bits in ((truth, 8), (less, 4))
    ]
    unseen = [
        comparison_of(phantom, truth & False, mask, box=seen[0].box, precision=f"{bits}-bit test")
        for mask, bits in ((truth, 8), (less & False, 4))
    ]
    objects = (ObjectComparison("cube", tuple(seen), truth), ObjectComparison("<i>b</i>", tuple(unseen), number=2))
    models = [SimpleNamespace(code_bits=bits, segmenter=SimpleNamespace(title="LiteMedSAM")) for bits in (32.0, 8, 4)]
    return ComparisonResult(phantom, objects, models[0], tuple(models[1:]))


def test_a_row_for_each_object_and_model(result):
    frame = result.to_dataframe()
    assert list(frame["object"]) == ["cube"] * 3 + ["<i>b</i>"] * 3
    assert list(frame["precision"]) == ["FP32", "8-bit test", "4-bit test"] * 2
    assert list(frame["slices"]) == [3] * 6
    dice = 2 * 90 / 190
    np.testing.assert_allclose(frame["dice_between_models"], [math.nan, 1, dice, math.nan, 0, 1])
    np.testing.assert_allclose(frame["dice_against_ground_truth"], [1, 1, dice, *[math.nan] * 3])
    np.testing.assert_allclose(frame["volume_difference_percent"], [math.nan, 0, -10, *[math.nan] * 3])
    assert frame["hd95_mm_between_models"][4] == math.inf, "one mask is empty"
    assert list(frame["bits_of_a_code"]) == [32, 8, 4] * 2
    assert list(frame["bits_stored_per_weight"]) == [32, 4.5, 4.5] * 2
    assert list(frame["file_bytes"]) == [39_000_000] * 6
    assert list(frame["speed_is_simulated"]) == [False, True, True] * 2
    numbers = frame.drop(columns=["object", "model", "precision", "runtime", "speed_is_simulated"])
    assert all(kind.kind in "fi" for kind in numbers.dtypes), "a missing number is NaN, and a column of them a number's"


def test_no_column_leaves_open_against_what_it_measures(result):
    columns = {*result.to_dataframe(), *result.to_dataframe(per="slice"), *evaluation().to_dataframe()}
    for measure in ("dice", "nsd", "hd95_mm"):
        named = [each for each in columns if measure in each]
        assert named
        assert all(each.endswith(("_between_models", "_against_ground_truth")) for each in named)
    assert not {"dice", "bits", "effective_bits", "size"} & columns


def test_a_row_for_each_slice(result):
    frame = result.to_dataframe(per="slice")
    assert len(frame) == 2 * 2 * 3
    first = frame[(frame["object"] == "cube") & (frame["precision"] == "4-bit test")]
    assert list(first["slice"]) == [1, 2, 3]
    assert list(first["full_precision_dice_against_ground_truth"]) == [1, 1, 1]
    np.testing.assert_allclose(first["dice_between_models"], 2 * 90 / 190)
    assert frame[frame["object"] != "cube"]["dice_against_ground_truth"].isna().all()


def test_without_pandas_a_sentence_says_so(result, monkeypatch):
    original = builtins.__import__

    def importing(name, *rest, **named):
        if name.split(".")[0] == "pandas":
            raise ImportError("No module named 'pandas'")
        return original(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", importing)
    for table in (result.to_dataframe, lambda: result.to_dataframe(per="slice"), evaluation().to_dataframe):
        with pytest.raises(ImportError, match="pandas, which is not installed"):
            table()


def test_bits_of_a_code_are_the_mean_over_the_weights(quantized, lite_medsam):
    low = ComparedModel.quantized(quantized)
    assert 2 <= low.code_bits < low.effective_bits, "scales, zero-points and permutations come on top"
    layers = {"a": Mock(QuantizedWeight, bits=4, rows=3, columns=20)}
    layers["b"] = Mock(QuantizedWeight, bits=8, rows=2, columns=10)
    assert replace(low, weights=SimpleNamespace(weights=layers, stream=None)).code_bits == 5
    assert ComparedModel.full(lite_medsam).code_bits == 32


def test_nothing_prints_an_array(result, quantized, lite_medsam):
    found = result.objects[0]
    for each, words in (
        (result, "ComparisonResult(LiteMedSAM on phantom, cube, <i>b</i>: FP32, 8-bit test, 4-bit test)"),
        (found, "ObjectComparison(cube, slices 1 to 3: Dice between the models 8-bit test 1.0000, 4-bit test 0.9474)"),
        (found.comparisons[1], "Comparison(FP32 and 4-bit test on slices 1 to 3: Dice between the models 0.9474)"),
        (found.results[0], "ModelResult(LiteMedSAM, FP32: 6.0 mL, Dice against ground truth 1.0000)"),
        (evaluation(), "Evaluation(scan, 2 prompts: Dice against ground truth FP32 0.9000, 4-bit 0.8000)"),
        (ComparedModel.quantized(quantized), "ComparedModel(LiteMedSAM, 4-bit Permutation-COMQ)"),
        (ComparedModel.full(lite_medsam), "ComparedModel(LiteMedSAM, FP32)"),
    ):
        assert repr(each) == words


class _Cells(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.cells = set(), []

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)

    def handle_data(self, data):
        self.cells.append(data)


def test_a_notebook_shows_tables_and_no_markup_of_the_user_s(result):
    page = _Cells()
    page.feed(result._repr_html_())
    assert "i" not in page.tags, "a name must not become markup"
    titles = {"cube", "<i>b</i>", "LiteMedSAM · 4-bit test", "Dice vs full precision", "Dice vs ground truth"}
    assert {*titles, "0.9474"} <= set(page.cells)
    assert any("Research use only" in cell for cell in page.cells)
    page = _Cells()
    page.feed(evaluation()._repr_html_())
    assert {"FP32", "4-bit", "0.8000", "4.60"} <= set(page.cells)


def test_objects_and_models_must_fit_one_another(result):
    first, second = result.objects[0].comparisons
    with pytest.raises(InputError, match="one result for each quantized model"):
        replace(result, candidates=result.candidates[:1])
    with pytest.raises(InputError, match="at least one object"):
        replace(result, objects=())
    with pytest.raises(InputError, match="cube needs comparisons"):
        ObjectComparison("cube", ())
    with pytest.raises(InputError, match="one window"):
        ObjectComparison("cube", (first, replace(second, window=Window(0, 10))))


def evaluation():
    """Two models on two slices of one label."""
    latency, execution = Latency.of([10.0, 12.0]), Execution.torch(quantized=False)
    prompts = tuple(
        PromptResult("LiteMedSAM", precision, 3, z, dice, 0.7, agreement)
        for z in (4, 5)
        for precision, dice, agreement in (("FP32", 0.9, 1.0), ("4-bit", 0.8, 0.95))
    )
    rest = (0.7, 1.0, 0.9, {}, latency, latency, execution)
    summaries = tuple(
        ModelSummary("LiteMedSAM", precision, code, stored, size, code < 32, dice, dice, *rest)
        for precision, code, stored, size, dice in (("FP32", 32.0, 32.0, 39, 0.9), ("4-bit", 4.0, 4.6, 6, 0.8))
    )
    return Evaluation("scan", "0", Window(40, 400), Protocol(), prompts, summaries, None)


def test_a_row_for_each_prompt_and_model_of_an_evaluation():
    frame = evaluation().to_dataframe()
    assert list(frame["slice"]) == [4, 4, 5, 5]
    assert list(frame["precision"]) == ["FP32", "4-bit"] * 2
    np.testing.assert_allclose(frame["dice_between_models"], [math.nan, 0.95] * 2)
    np.testing.assert_allclose(frame["dice_against_ground_truth"], [0.9, 0.8] * 2)
    assert list(frame["bits_of_a_code"]) == [32, 4] * 2
    assert list(frame["bits_stored_per_weight"]) == [32, 4.6] * 2
    assert list(frame["file_bytes"]) == [39, 6] * 2


def test_the_evaluation_s_file_keeps_its_keys():
    (first, _second) = json.loads(json.dumps(evaluation().to_dict()))["summaries"]
    assert list(first) == [
        "model", "precision", "effective_bits", "file_bytes", "simulated", "dice", "nsd", "agreement", "dice_by_label",
        "encoder", "decoder", "execution",
    ]  # fmt: skip
