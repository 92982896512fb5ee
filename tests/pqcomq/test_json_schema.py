"""JSON of strangers: whatever it is, it is either what the schema says or one sentence."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pqcomq.errors import InputError
from pqcomq.json_schema import MOST_BYTES, MOST_DEPTH, Count, Damaged, Exact, Finite, checked_json, read_json


class Place(Exact):
    name: str
    x: Finite
    count: Count = 0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.binary() | st.text())
def test_any_bytes_are_told_or_fit(data):
    try:
        assert "x" in checked_json(data, Place)
    except Damaged as problem:
        assert str(problem)


@given(st.dictionaries(st.sampled_from(["name", "x", "count", "other"]), JSON))
def test_any_object_is_told_or_fits(content):
    import json

    try:
        found = checked_json(json.dumps(content), Place)
    except Damaged:
        return
    assert isinstance(found["name"], str)
    assert abs(found["x"]) <= 1e300
    assert set(found) <= {"name", "x", "count"}


@pytest.mark.parametrize(
    "deep", ["[" * 100_000, '{"a":' * 100_000, "[" * 900 + "]" * 900, "[" * 100_000 + "]" * 100_000]
)
def test_nesting_is_told_and_never_ends_the_stack(deep):
    before = sys.getrecursionlimit()
    for text in (deep, f'{{"name": "a", "x": 1, "other": {deep}}}'):
        with pytest.raises(Damaged, match=r"nested deeper|malformed|truncated"):
            checked_json(text, dict)
    assert sys.getrecursionlimit() == before


def test_the_depth_that_is_allowed_is_read():
    text = '{"a":' * (MOST_DEPTH - 1) + "1" + "}" * (MOST_DEPTH - 1)
    assert checked_json(text, dict)
    with pytest.raises(Damaged, match=str(MOST_DEPTH)):
        checked_json(text.replace("1", "[[1]]"), dict)


@pytest.mark.parametrize("text", ['{"name": "a", "x": 1e999}', '{"name": "a", "x": NaN}', '{"name": "a", "x": 1e301}'])
def test_numbers_out_of_range_are_told(text):
    with pytest.raises(Damaged):
        checked_json(text, Place)


def test_a_file_is_measured_before_it_is_read(tmp_path):
    path = tmp_path / "large.json"
    with path.open("wb") as stream:
        stream.truncate(MOST_BYTES + 1)  # a hole: it takes no space
    with pytest.raises(Damaged, match="64 are the most"):
        read_json(path, Place)
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "none.json", Place)
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path, Place)
    (tmp_path / "good.json").write_text('{"name": "a", "x": 2}')
    assert read_json(tmp_path / "good.json", Place)["x"] == 2


def test_a_file_that_cannot_be_read_is_bad_input(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    path.write_text("{}")

    def refused(*_given):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_bytes", refused)
    with pytest.raises(InputError, match="permission denied"):
        read_json(path, Place)
