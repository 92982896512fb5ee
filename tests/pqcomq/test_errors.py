"""What a message does to long paths."""

from __future__ import annotations

import pytest

from pqcomq.errors import LONGEST_PATH, InputError, with_short_paths

LONG = "/media/archive/2026/patients/with/a/long/way/0815/study/series-3"


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (f"{LONG}/IM1.dcm is damaged.", "/media/…/series-3/IM1.dcm is damaged."),
        (f"No file {LONG}/IM1.dcm.", "No file /media/…/series-3/IM1.dcm."),
        (f"There is no SOPClassUID in {LONG}.", "There is no SOPClassUID in /media/…/study/series-3."),
        (f"{LONG}: holds a/b, not {LONG}/x", "/media/…/study/series-3: holds a/b, not /media/…/series-3/x"),
        ("C:" + LONG.replace("/", "\\") + "\\a.nii is no file.", "C:\\…\\series-3\\a.nii is no file."),
        ("/tmp/a/b/c.nii is no file; 1.5/2.0/3.0 mm.", "/tmp/a/b/c.nii is no file; 1.5/2.0/3.0 mm."),
        ("", ""),
    ],
)
def test_long_paths_are_shortened_in_the_middle_and_all_else_stays(message, shown):
    assert with_short_paths(message) == shown
    assert with_short_paths(shown) == shown
    assert str(InputError(message)) == shown


def test_the_name_of_a_file_is_never_cut():
    name = "x" * (2 * LONGEST_PATH)
    assert with_short_paths(f"{LONG}/{name} is empty.") == f"/media/…/series-3/{name} is empty."


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ("a.nii", "The file is empty (a.nii)."),
        (f"{LONG}/with spaces, commas (and more): here/IM1.dcm", "The file is empty (/media/…/{0}/IM1.dcm)."),
        ("name without any folder " + "x" * 90, "The file is empty ({1})."),
    ],
)
def test_the_reason_comes_first_and_the_place_behind_it_however_it_is_spelt(place, shown):
    shown = shown.format("with spaces, commas (and more): here", place)
    assert str(InputError("The file is empty.", place)) == shown
    assert str(InputError("The file is empty", place)) == shown.removesuffix(".")


def test_a_name_ends_no_line_steers_no_terminal_and_can_be_written():
    name = "a\x1b[2Jb\nc\u202ed\udc80.dcm"
    for error in (InputError("The file is empty.", name), InputError(f"The file {name} is empty.")):
        assert "a?[2Jb?c?d?.dcm" in str(error)
        str(error).encode("utf-8")
