"""A journal that was damaged is made again and said; a folder that is somebody else's is never touched."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from pqcomq.errors import InputError
from pqcomq.quantization.algorithm.coarse_scales import COARSE_PARTS
from pqcomq.quantization.algorithm.integer_weight import IntegerWeight
from pqcomq.quantization.algorithm.quantize_layer import QuantizedLayer
from pqcomq.quantization.algorithm.quantized_weight import QuantizedWeight
from pqcomq.quantization.files.resume import MARK, Journal
from pqcomq.quantization.planning.mixed_precision import LayerPlan

IDENTITY = {"settings": {"bits": 4}, "versions": {"pqcomq": "1"}}
SHAPE = (3, 8)


def packed_layer():
    codes = torch.arange(24, dtype=torch.uint8).reshape(SHAPE) % 16
    scale, zero = torch.full((3, 2), 0.5).half(), torch.ones(3, 2).half()
    return QuantizedLayer(QuantizedWeight.of(codes, scale, zero, torch.randperm(8), 4, 4, SHAPE), 0.01, (-1.0, 2.0))


def coded_layer():
    parts = {"step": 8, "row_spread": 3, "column_spread": 8}
    vectors = {name: torch.zeros(size, dtype=torch.int16) for name, size in parts.items()}
    return QuantizedLayer(IntegerWeight(torch.ones(SHAPE, dtype=torch.int16), **vectors, shape=SHAPE), 0.02, None)


def coarse_layer():
    """Two groups a row, of codes of 3 bits."""
    codes = torch.arange(24, dtype=torch.uint8).reshape(SHAPE) % 8
    scale, zero = torch.tensor([[0.5, 0.25]]).expand(3, 2).half(), torch.full((3, 2), 3.25).half()
    weight = QuantizedWeight.of(codes, scale, zero, torch.randperm(8), 3, 4, SHAPE, coarse=True)
    return QuantizedLayer(weight, 0.03, None)


@pytest.fixture
def journal(tmp_path):
    made = Journal.open(tmp_path / "w.unfinished", IDENTITY)
    made.keep_plan({"a": LayerPlan(4, 32), "b": LayerPlan(8, 64, 2.5)})
    made.keep_layer("a", packed_layer())
    made.keep_layer("b", coded_layer())
    return made


def test_what_is_whole_comes_back(journal):
    again = Journal.open(journal.folder, IDENTITY)
    assert again.note == f"going on with {journal.folder}: 2 layers are finished"
    assert again.plan() == {"a": LayerPlan(4, 32), "b": LayerPlan(8, 64, 2.5)}
    assert again.layer("a", SHAPE).input_range == (-1.0, 2.0)
    assert again.layer("b", SHAPE).error == 0.02
    assert isinstance(again.layer("b", SHAPE).weight, IntegerWeight)


def test_a_layer_of_coarse_scales_comes_back_and_is_believed_whole_alone(journal, monkeypatch):
    made = coarse_layer()
    journal.keep_layer("c", made)
    again = Journal.open(journal.folder, IDENTITY).layer("c", SHAPE).weight
    assert again.coarse
    assert torch.equal(again.dequantize(), made.weight.dequantize())
    path = journal.folder / "c.layer.safetensors"
    with safe_open(path, framework="pt") as stream:
        head, tensors = stream.metadata(), {key: stream.get_tensor(key) for key in stream.keys()}  # noqa: SIM118
    monkeypatch.setattr("pqcomq.quantization.files.resume._checksum", lambda *_given: head["sha256"])
    for part in COARSE_PARTS:
        save_file(tensors | {part: tensors[part][:2].clone()}, path, metadata=head)
        assert journal.layer("c", SHAPE) is None


@pytest.mark.parametrize("name", ["identity.json", "plan.json", "a.layer.safetensors", "b.layer.safetensors"])
def test_no_damage_raises_or_is_believed(journal, name):
    path = journal.folder / name
    whole, before = path.read_bytes(), {each: journal.layer(each, SHAPE) for each in "ab"}
    rng = np.random.default_rng(5)
    for _ in range(150):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), rng.integers(1, 4)):
            damaged[place] = rng.integers(0, 256)
        path.write_bytes(bytes(damaged[: rng.integers(0, len(whole))]) if rng.random() < 0.3 else bytes(damaged))
        again = Journal.open(journal.folder, IDENTITY)
        plan = again.plan()
        assert plan is None or all(isinstance(each, LayerPlan) for each in plan.values())
        for each, wanted in before.items():
            found = again.layer(each, SHAPE)
            assert found is None or (
                found.error == wanted.error
                and torch.equal(found.weight.dequantize(), wanted.weight.dequantize())
                and found.input_range == wanted.input_range
            )
        for each in "ab":  # whole again for the next turn
            again.keep_layer(each, before[each])


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "null",
        "[1]",
        "7",
        '{"layers": {"a": 3}}',
        '{"layers": {"a": {"bits": 7, "group_size": 4}}}',
        '{"layers": {"a": {"bits": 4, "group_size": -1}}}',
        '{"layers": {"a": {"bits": 4, "group_size": 4, "stored_bits": 1e308}}}',
    ],
    ids=lambda text: text[:30],
)
def test_a_plan_that_is_none_is_made_again_and_said(journal, text):
    (journal.folder / "plan.json").write_text(text)
    again = Journal.open(journal.folder, IDENTITY)
    assert again.plan() is None
    assert "1 damaged file is made again" in again.note
    assert again.finished_layers == 2


@pytest.mark.parametrize("text", ["[" * 100_000, "null", "{}", '{"settings": 3}'], ids=lambda text: text[:20])
def test_with_a_damaged_identity_all_is_made_again_and_said(journal, text):
    (journal.folder / "identity.json").write_text(text)
    again = Journal.open(journal.folder, IDENTITY)
    assert "made again" in again.note
    assert again.finished_layers == 0
    assert Journal.open(journal.folder, IDENTITY).note == ""


def test_another_layers_file_is_not_believed(journal):
    (journal.folder / "a.layer.safetensors").write_bytes((journal.folder / "b.layer.safetensors").read_bytes())
    again = Journal.open(journal.folder, IDENTITY)
    assert again.layer("a", SHAPE) is None
    assert "1 damaged file" in again.note


def test_a_layer_of_another_shape_is_not_believed(journal):
    assert journal.layer("a", (8, 3)) is None
    assert journal.layer("b", (3, 4, 2)) is None


@pytest.mark.parametrize(
    ("part", "change"),
    [
        *((part, lambda each: each.flatten()[:2].clone()) for part in ("codes", "scale", "zero_point", "permutation")),
        ("scale", lambda each: -each),
        ("zero_point", lambda each: torch.full_like(each, 16, dtype=torch.uint8)),
    ],
)
def test_parts_that_do_not_fit_are_not_believed_even_with_their_checksum(journal, part, change, monkeypatch):
    with safe_open(journal.folder / "a.layer.safetensors", framework="pt") as stream:
        head, tensors = stream.metadata(), {key: stream.get_tensor(key) for key in stream.keys()}  # noqa: SIM118
    tensors[part] = change(tensors[part])
    monkeypatch.setattr("pqcomq.quantization.files.resume._checksum", lambda *_given: head["sha256"])
    save_file(tensors, journal.folder / "a.layer.safetensors", metadata=head)
    assert journal.layer("a", SHAPE) is None


def test_a_folder_of_ones_own_is_never_touched(tmp_path):
    own = tmp_path / "w.unfinished"
    own.mkdir()
    (own / "identity.json").write_text("{}")
    (own / "thesis.txt").write_text("three years")
    for call in (lambda: Journal.check(own), lambda: Journal.open(own, IDENTITY)):
        with pytest.raises(InputError, match="did not make"):
            call()
    assert sorted(path.name for path in own.iterdir()) == ["identity.json", "thesis.txt"]


@pytest.mark.parametrize("make", ["file", "link", "empty folder"])
def test_nothing_else_of_that_name_is_touched_either(tmp_path, make):
    own, target = tmp_path / "w.unfinished", tmp_path / "elsewhere"
    Journal.open(target, IDENTITY)
    if make == "file":
        own.write_text("mine")
    elif make == "link":
        own.symlink_to(target)
    else:
        own.mkdir()
    with pytest.raises(InputError, match="did not make"):
        Journal.open(own, IDENTITY)
    assert own.is_symlink() or own.exists()
    assert (target / MARK).is_file()


def test_what_a_user_put_into_our_folder_stays(journal):
    (journal.folder / "notes.txt").write_text("mine")
    (journal.folder / "my.safetensors").write_bytes(b"mine")
    Journal.open(journal.folder, {"another": "run"})
    assert (journal.folder / "my.safetensors").read_bytes() == b"mine"
    journal.discard()
    assert sorted(path.name for path in journal.folder.iterdir()) == ["my.safetensors", "notes.txt"]


def test_a_journal_that_is_over_leaves_nothing(journal, tmp_path):
    journal.discard()
    assert list(tmp_path.iterdir()) == []


def test_the_files_say_what_they_are(journal):
    assert "stopped" in (journal.folder / MARK).read_text()
    assert json.loads((journal.folder / "identity.json").read_text()) == IDENTITY
