"""What the commands print comes out as it is."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import pytest
from rich.console import Console

from pqcomq.cli.terminal import progress_bar
from pqcomq.cli.terminal.cohort_output import print_cohort
from pqcomq.cli.terminal.output import print_lines, print_note, print_table
from pqcomq.progress import Progress


def test_square_brackets_stay_in_tables(capsys):
    print_table("scan [red]", ["[b]", "value"], [["a[1]", "2"]], 'pip install "napari-pqcomq[openvino]"')
    told = capsys.readouterr().out.replace("\n", "")  # a caption is wrapped to the table
    for text in ("scan [red]", "[b]", "a[1]", '"napari-pqcomq[openvino]"'):
        assert text in told


def test_names_of_files_steer_no_terminal(capsys):
    name = "a\x1b[2J\x07b\u202ec.dcm"
    print_note(f"1 file was left out: {name}.")
    print_lines([f"wrote {name}"])
    print_table(name, ("name", "size"), [(name, "3")])
    out, err = capsys.readouterr()
    assert "a?[2J?b?c.dcm" in err
    assert out.count("a?[2J?b?c.dcm") == 3
    assert not {"\x1b", "\x07", "\u202e"} & set(out + err)


def test_words_between_colons_are_no_pictures(run, capsys):
    print_lines(["a:heart:b"])
    print_table("a:bone:b", ["name"], [["c:x:d"]])
    out = capsys.readouterr().out
    assert all(text in out for text in ("a:heart:b", "a:bone:b", "c:x:d"))
    assert "a:heart:b.safetensors" in run("info", "a:heart:b.safetensors")[2]


@pytest.mark.parametrize("name", ["CT [/left].nii.gz", "CT [red].nii.gz", "CT\x1b[2J.nii.gz"])
def test_a_file_of_any_name_is_read_with_a_bar(monkeypatch, capsys, name):
    def terminal(**_given):
        return Console(file=sys.stderr, force_terminal=True, width=200)

    monkeypatch.setattr(progress_bar, "Console", terminal)

    def work():
        yield Progress(1, 2, f"slice of {name}")
        yield Progress(2, 2, f"slice of {name}")
        return "done"

    assert progress_bar.followed(work(), f"reading {name}") == "done"
    told = capsys.readouterr().err
    assert name.replace("\x1b", "?") in told
    assert "\x1b[2J" not in told


def test_machines_are_told_of_a_cohort_of_which_nothing_is_scored_yet(capsys, monkeypatch, tmp_path):
    store = SimpleNamespace(folder=tmp_path)
    begun = SimpleNamespace(unfinished=1, total=1, scored=0, not_scored=[], store=store)
    monkeypatch.setattr("pqcomq.cli.terminal.cohort_output.CohortResult", SimpleNamespace(at=lambda _folder: begun))
    print_cohort(begun, 0.02, json=True)
    out, err = capsys.readouterr()
    assert json.loads(out) == {"scored": 0, "cases": 1, "unfinished": 1, "not_scored": []}
    assert err == "not done: 1 of 1 case; the same command goes on\n"
