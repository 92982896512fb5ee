"""Scribbles: what they hold, what is asked on each slice, and their way through files."""

from __future__ import annotations

import json
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pqcomq.autosave.work_schema import Prompt as PromptSchema
from pqcomq.comparison.model_result import Comparison
from pqcomq.errors import InputError
from pqcomq.segmentation.box import Box3D
from pqcomq.segmentation.prompt import Prompt, PromptPoint
from pqcomq.segmentation.scribble import Scribble
from pqcomq.session.session_schema import Found

SHAPE = (4, 6, 7)
DRAWN = Scribble.of_runs([(1, 2, 3, 5), (3, 0, 0, 0)])


@given(arrays.arrays(bool, st.tuples(*(st.integers(1, side) for side in SHAPE))))
def test_a_scribble_holds_the_voxels_it_was_drawn_of(drawn):
    if not drawn.any():
        with pytest.raises(InputError, match="is empty"):
            Scribble.of(drawn)
        return
    scribble = Scribble.of(drawn)
    again = np.stack([scribble.on_slice(z, drawn.shape[1:]) for z in range(len(drawn))])
    assert np.array_equal(again, drawn)
    assert scribble.voxel_count == drawn.sum()
    assert scribble.checked(drawn.shape) is scribble
    single = [(z, y, x, x) for z, y, x in np.argwhere(drawn)[::-1]]
    assert Scribble.of_runs(single * 2) == scribble, "in any order, and twice"
    assert hash(Scribble.of_runs(single)) == hash(scribble)


@pytest.mark.parametrize("kind", [np.uint8, np.int32, np.float32])
def test_a_label_map_is_drawn_wherever_it_is_not_0(kind):
    drawn = np.zeros(SHAPE, kind)
    drawn[0, 1, 1:4], drawn[1, 2, 2:5], drawn[1, 3, 1] = 1, 2, 255
    assert Scribble.of(drawn) == Scribble.of(drawn > 0)
    assert Scribble.of(drawn > 0).redrawn(2, drawn[1]).voxel_count == 3 + 4 + 4


def test_a_slice_is_redrawn():
    other = np.zeros(SHAPE[1:], bool)
    other[4, 4] = True
    assert DRAWN.redrawn(2, other).runs == ((1, 2, 3, 5), (2, 4, 4, 4), (3, 0, 0, 0))
    assert DRAWN.redrawn(1, other & False).slices == (3,)
    assert Scribble.of_runs([(1, 0, 0, 0)]).redrawn(1, other & False) is None


@pytest.mark.parametrize("run", [(4, 0, 0, 0), (0, 6, 0, 0), (0, 0, 0, 7), (-1, 0, 0, 0), (0, 0, -1, 2)])
def test_what_lies_outside_is_refused(run):
    with pytest.raises(InputError, match="reaches outside the volume's 7 × 6 × 4 voxels"):
        Prompt(scribble=Scribble.of_runs([run])).checked(SHAPE)


def test_a_scribble_stands_alone_and_has_its_slices():
    for beside in ({"box": Box3D(0, 0, 0, 3, 3, 3)}, {"points": (PromptPoint(1, 1, 1),)}):
        with pytest.raises(InputError, match="stands alone"):
            Prompt(scribble=DRAWN, **beside)
    prompt = Prompt(scribble=DRAWN)
    assert (prompt.first, prompt.last, prompt.start, prompt.kinds) == (1, 3, 1, ("scribble",))
    assert Prompt(scribble=DRAWN, span=(0, 3)).checked(SHAPE).slices == range(4)
    assert prompt.words == "a scribble on 2 slices"
    with pytest.raises(InputError, match="does not lie within the slices 2 to 3"):
        Prompt(scribble=DRAWN, span=(2, 3)).checked(SHAPE)
    assert prompt.on_slice(2, None, SHAPE[1:]) is None
    assert np.array_equal(prompt.on_slice(1, None, SHAPE[1:]).scribbles[0], DRAWN.on_slice(1, SHAPE[1:]))
    assert prompt.on_slice(0, None, SHAPE[1:], everywhere=True).scribbles.sum() == 3


@pytest.mark.parametrize("span", [None, (0, 3)])
def test_a_scribble_survives_the_way_through_files(phantom, comparison_of, span):
    prompt = Prompt(scribble=DRAWN, span=span)
    mask = np.zeros(phantom.voxels.shape, bool)
    mask[2, 30:40, 30:40] = True
    made = replace(comparison_of(phantom, mask, mask), prompt=prompt)
    content = json.loads(json.dumps(made.to_dict(), allow_nan=False))
    msgspec.convert(content, Found)
    again = Comparison.from_dict(content, made.reference.mask, made.candidate.mask).prompt
    assert (again.scribble, again.slices) == (DRAWN, prompt.slices)
    msgspec.convert(json.loads(json.dumps(prompt.to_dict())), PromptSchema)
    assert Prompt.from_dict(prompt.to_dict()).scribble == DRAWN
    assert "scribble_zyx0x1" not in Prompt(Box3D(0, 0, 0, 3, 3, 3)).to_dict(), "other files are those of before"


@pytest.mark.parametrize(
    "damage",
    [
        {"scribble_zyx0x1": []},
        {"scribble_zyx0x1": [[1, 2, 3]]},
        {"box_x0y0z0x1y1z1": [0, 0, 0, 3, 3, 3]},
    ],
    ids=["nothing drawn", "no run", "a box beside it"],
)
def test_a_damaged_scribble_is_refused_by_the_schema(damage):
    content = Prompt(scribble=DRAWN).to_dict() | damage
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(json.loads(json.dumps(content)), PromptSchema)
