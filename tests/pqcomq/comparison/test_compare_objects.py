"""Several objects and several quantized models in one comparison: what is computed, how often, and what is kept."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from pqcomq.comparison import compare as comparing
from pqcomq.comparison.box_perturbation import BoxMovement
from pqcomq.comparison.compare import PromptedObject, compare, compare_objects
from pqcomq.comparison.compared_model import ComparedModel
from pqcomq.errors import InputError
from pqcomq.models.segmenter import Segmenter
from pqcomq.models.transforms import LiteMedSAMFraming
from pqcomq.segmentation import slice_runner
from pqcomq.segmentation.box import Box3D
from pqcomq.segmentation.embedding_cache import EmbeddingCache

pytestmark = pytest.mark.passes_counted

WIDTHS = (8, 4, 2)
BOXES = {
    "liver": Box3D(40, 20, 1, 76, 56, 4),
    "spleen": Box3D(10, 10, 1, 40, 40, 4),
    "node": Box3D(50, 30, 1, 70, 50, 4),
}


class Encoder(nn.Module):
    """Counts its passes; an embedding of the right shape."""

    def __init__(self, count):
        super().__init__()
        self.count = count

    def forward(self, image):
        self.count("encoded")
        return torch.zeros(1, 256, 64, 64)


class Prompts(nn.Module):
    """Hands a box on to the decoder."""

    def forward(self, points, boxes, masks):
        return boxes, None

    def get_dense_pe(self):
        return None


class Decoder(nn.Module):
    """Counts its passes; fills the box that it is prompted with, less some columns on its right."""

    def __init__(self, count, missing):
        super().__init__()
        self.count, self.missing = count, missing

    def forward(self, image_embeddings, image_pe, sparse_prompt_embeddings, dense_prompt_embeddings, multimask_output):
        self.count("decoded")
        x0, y0, x1, y1 = (round(edge) for edge in sparse_prompt_embeddings[0, 0].tolist())
        logits = torch.full((1, 1, 256, 256), -9.0)
        logits[..., y0:y1, x0 : max(x0 + 1, x1 - self.missing)] = 9.0
        return logits, None


@pytest.fixture
def counts():
    return Counter()


@pytest.fixture
def models(counts):
    """Full precision and one model for each width, all of them counted together and by precision."""

    def made(precision, bits, missing):
        def count(what):
            counts[what] += 1
            counts[what, precision] += 1

        segmenter = Segmenter(
            key="counted",
            title="Counted",
            transforms=LiteMedSAMFraming(),
            image_encoder=Encoder(count),
            prompt_encoder=Prompts(),
            mask_decoder=Decoder(count, missing),
            checkpoint_name="none",
            checkpoint_sha256="0",
            checkpoint_bytes=1000 * bits,
            licence="none",
            precision=precision,
            fingerprint=precision,
        )
        return ComparedModel(segmenter, float(bits), 1000 * bits, simulated=bits < 32)

    return made("FP32", 32, 0), [made(f"{bits}-bit", bits, 10 // bits) for bits in WIDTHS]


@pytest.fixture
def whole_masks(counts, monkeypatch, phantom):
    """Counts windowings of the volume and arrays of bool that are as large as the volume."""
    windowed, zeros = comparing.EightBitSlices, np.zeros

    def window(*given):
        counts["windowed"] += 1
        return windowed(*given)

    def allocate(shape, *rest, **named):
        array = zeros(shape, *rest, **named)
        if array.dtype == bool and array.shape == phantom.voxels.shape:
            counts["whole masks"] += 1
        return array

    monkeypatch.setattr(comparing, "EightBitSlices", window)
    monkeypatch.setattr(slice_runner, "EightBitSlices", window)
    monkeypatch.setattr(np, "zeros", allocate)


@pytest.fixture
def asked():
    return [PromptedObject(name, box) for name, box in BOXES.items()]


@pytest.mark.usefixtures("whole_masks")
def test_nothing_is_computed_twice(phantom, models, counts, asked, finish):
    result = finish(compare_objects(phantom, asked, *models))
    slices = len(next(iter(BOXES.values())).slices)
    assert (len(BOXES), len(WIDTHS), slices) == (3, 3, 4)
    four = 1 + len(WIDTHS)
    # Each model once on each slice, whatever the number of objects there, and one pass that warms it up.
    assert counts["encoded"] == four * slices + four == 20
    # Each model once on each slice of each object, and the warming up.
    assert counts["decoded"] == four * slices * len(BOXES) + four == 52
    assert {counts["decoded", each.segmenter.precision] for each in result.models} == {13}
    assert counts["windowed"] == 1
    masks = [each.mask for found in result.objects for each in found.results]
    assert len({id(mask) for mask in masks}) == 12
    assert {mask.voxels.shape for mask in masks} == {(slices, 96, 96)}
    assert all(mask.voxels.base is None for mask in masks), "no mask is a view of a whole volume"
    assert counts["whole masks"] == 0
    masks[0].in_volume(phantom.grid.shape_zyx)
    assert counts["whole masks"] == 1, "made when it is asked for, and the count would have seen it"


@pytest.mark.usefixtures("whole_masks")
def test_moved_boxes_need_no_encoder_and_no_windowing(phantom, models, counts, asked, finish):
    moving = [replace(each, movement=BoxMovement(draws=2)) for each in asked]
    result = finish(compare_objects(phantom, moving, *models))
    assert counts["encoded"] == 20
    assert counts["decoded"] == 52 + 3 * 2 * 4
    assert counts["windowed"] == 1
    assert counts["whole masks"] == 0
    assert [len(each.jitter.moved) for each in result.objects] == [2, 2, 2]


def test_each_object_has_every_model_in_order(phantom, models, asked, finish):
    result = finish(compare_objects(phantom, asked, *models))
    assert [each.name for each in result.objects] == list(BOXES)
    assert [each.number for each in result.objects] == [1, 2, 3]
    for found, box in zip(result.objects, BOXES.values(), strict=True):
        assert found.box == box
        assert [each.precision for each in found.results] == ["FP32", "8-bit", "4-bit", "2-bit"]
        assert all(each.reference is found.reference for each in found.comparisons)
        # More columns are missing at fewer bits, so that a mix-up of models would show.
        dice = [each.agreement.dice for each in found.comparisons]
        assert dice == sorted(dice, reverse=True)
        assert len(set(dice)) == 3
    assert result.of(2) is result.objects[1]
    assert result.of(4) is None


def test_models_alone_and_together_find_the_same(phantom, models, asked, finish):
    reference, candidates = models
    together = finish(compare_objects(phantom, asked, reference, candidates, mode="propagate"))
    for found in together.objects:
        for place, candidate in enumerate(candidates):
            alone = finish(compare(phantom, found.box, reference, [candidate], mode="propagate")).comparisons[0]
            recorded = found.comparisons[place]
            assert recorded.agreement == alone.agreement
            assert recorded.slices == alone.slices
            assert np.array_equal(recorded.candidate.mask.voxels, alone.candidate.mask.voxels)


def test_models_take_turns_on_every_slice(phantom, models, asked):
    texts, steps = [], []
    for progress in compare_objects(phantom, asked[:2], *models):
        texts.append(progress.text)
        steps.append((progress.step, progress.total))
    untimed = [f"a first slice, not timed, {bits}" for bits in ("FP32", "8-bit", "4-bit", "2-bit")]
    assert texts[:4] == untimed
    assert texts[4:9] == [
        "liver: slice 2, FP32",
        "liver: slice 2, 8-bit",
        "liver: slice 2, 4-bit",
        "liver: slice 2, 2-bit",
        "liver: slice 3, FP32",
    ]
    assert texts[20] == "spleen: slice 2, FP32"
    assert steps == [(step, 32) for step in (0, 0, 0, 0, *range(1, 33))]


def test_latencies_are_of_one_object_and_without_the_warming_up(phantom, models, asked, finish):
    cache = EmbeddingCache()
    result = finish(compare_objects(phantom, asked, *models, cache=cache))
    assert len(cache) == 16
    for found in result.objects:
        for each in found.results:
            assert each.encoder.passes == each.decoder.passes == 4
    # An embedding from the cache brings its own time along.
    encoder = [found.results[1].encoder.each_ms for found in result.objects]
    assert encoder[0] == encoder[1] == encoder[2]


def test_what_does_not_fit_is_refused_before_any_work(phantom, models, counts, asked):
    outside = PromptedObject("outside", Box3D(0, 0, 0, 500, 20, 3))
    small = PromptedObject("small", BOXES["liver"], truth=np.zeros((2, 2, 2), bool))
    for last, words in ((outside, "outside"), (small, "does not fit")):
        with pytest.raises(InputError, match=words):
            next(compare_objects(phantom, [*asked, last], *models))
    for objects, candidates in ((asked, []), ([], models[1])):
        with pytest.raises(InputError, match="at least one object and one model"):
            next(compare_objects(phantom, objects, models[0], candidates))
    assert counts["encoded"] == 0
