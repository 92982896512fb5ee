"""On a screen scaled by one and a half: strips, rims and the mouse are where and as wide as they are meant to be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import pytest
from qtpy.QtCore import QRect

from napari_pqcomq.viewer.sides.side_layers import _RIM_PIXELS

PROGRAM = Path(__file__).with_name("scaled_window.py")
SCALE = 1.5


@pytest.fixture(scope="module")
def told():
    scaled = {**os.environ, "QT_SCALE_FACTOR": str(SCALE)}
    asked = subprocess.run(
        [sys.executable, str(PROGRAM)], capture_output=True, encoding="utf-8", env=scaled, timeout=600
    )
    assert asked.returncode == 0, asked.stderr
    return json.loads(asked.stdout.splitlines()[-1])


def test_the_picture_has_a_pixel_for_each_of_the_screen(told):
    assert told["ratio"] == SCALE
    for logical, real in zip(told["canvas"], told["picture"], strict=True):
        assert abs(real - SCALE * logical) <= 1, "a picture of fewer pixels would be blurred"


def test_no_strip_lies_on_another_or_past_the_canvas(told):
    width, height = told["canvas"]
    strips = [QRect(*each) for each in told["strips"]]
    assert len(strips) == 4
    assert all(QRect(0, 0, width + 1, height).contains(each) for each in strips)  # of an odd width, half a pixel
    assert not any(first.intersects(second) for first, second in combinations(strips, 2))
    assert not any("…" in text for text in told["texts"])


def test_rims_are_as_wide_as_they_are_meant_to_be_on_a_screen_of_any_scale(told):
    wanted = SCALE * _RIM_PIXELS
    upright = [run for run in told["rims"]["only full"] if run < 3 * wanted]
    assert len(upright) > 30, "the upright rims, row by row on three sides"
    assert sorted(upright)[len(upright) // 2] == pytest.approx(wanted, abs=1)


def test_the_mouse_points_at_what_it_is_over(told):
    reach = 1.5 / told["zoom"]  # millimetres
    assert told["mouse"][1:] == pytest.approx(told["world"][1:], abs=reach)


def test_no_text_of_the_dock_is_cut_and_the_list_of_keys_is_in_the_window(told):
    assert told["cut"] == []
    assert told["help"]
