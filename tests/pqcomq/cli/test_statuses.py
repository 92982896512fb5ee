"""Status 1 is an answer, and never anything else."""

from __future__ import annotations

import json

import pytest
import typer

from pqcomq.cli.terminal.statuses import BAD_INPUT, FAULT, INTERRUPTED, NOT_PASSED, UNDECIDED

DEEP = "[" * 100_000


@pytest.mark.parametrize(
    "content",
    [
        DEEP,
        f'{{"format": 1, "objects": {DEEP}',
        "null",
        "[]",
        "",
        "{}",
        '{"format": 1}',
        '{"format": "1"}',
        '{"format": 1e999}',
        '{"format": 1, "objects": 3}',
        '{"format": 2}',
    ],
    ids=lambda text: text[:24] or "empty",
)
@pytest.mark.parametrize("name", ["session.json", "cohort.json"])
def test_a_gate_on_a_damaged_file_is_bad_input(refused, tmp_path, content, name):
    (tmp_path / name).write_text(content)
    sentence = refused("gate", tmp_path)
    assert any(word in sentence for word in ("damaged", "another version", "does not know"))


def test_a_gate_on_nothing_is_bad_input(refused, tmp_path):
    assert "holds no session" in refused("gate", tmp_path)
    (tmp_path / "session.json").mkdir()
    assert "holds no session" in refused("gate", tmp_path)


@pytest.mark.parametrize(("outcome", "status"), [("pass", 0), ("fail", NOT_PASSED), ("undecided", UNDECIDED)])
def test_each_outcome_has_its_status(run, tmp_path, monkeypatch, outcome, status):
    class Saved:
        @staticmethod
        def at(_folder):
            return Saved

        @staticmethod
        def numbers():
            return []

    monkeypatch.setattr("pqcomq.session.load.SavedSession", Saved)
    monkeypatch.setattr("pqcomq.comparison.gate.overall", lambda _verdicts: outcome)
    given, text, _ = run("gate", tmp_path, "--json")
    assert (given, json.loads(text)["outcome"]) == (status, outcome)


@pytest.mark.parametrize(
    ("raised", "status"),
    [
        (RuntimeError("of ours"), FAULT),
        (RecursionError(), FAULT),
        (SystemExit(1), FAULT),
        (typer.Exit(1), FAULT),
        (BrokenPipeError(32, "Broken pipe"), FAULT),
        (MemoryError(), BAD_INPUT),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"), BAD_INPUT),
        (OSError(28, "No space left on device"), BAD_INPUT),
        (KeyboardInterrupt(), INTERRUPTED),
    ],
    ids=lambda given: type(given).__name__ if isinstance(given, BaseException) else str(given),
)
def test_whatever_goes_wrong_is_no_answer(run, tmp_path, monkeypatch, raised, status):
    def fail(_folder):
        raise raised

    monkeypatch.setattr("pqcomq.cohort.cohort_store.CohortStore.is_at", fail)
    assert run("gate", tmp_path)[0] == status
