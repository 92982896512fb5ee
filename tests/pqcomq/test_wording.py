"""Numbers in sentences."""

from __future__ import annotations

import pytest

from pqcomq.wording import beside, counted


def test_one_is_not_several():
    assert [counted(number, "case") for number in (0, 1, 2)] == ["0 cases", "1 case", "2 cases"]
    assert [counted(number, "box", "boxes") for number in (1, 8)] == ["1 box", "8 boxes"]


@pytest.mark.parametrize(
    ("limit", "value", "places", "told"),
    [
        (0.98, 0.97996, 4, "0.97996"),
        (0.98, 0.98004, 4, "0.98004"),
        (0.98, 0.98, 4, "0.9800"),
        (0.98, 0.9123456, 4, "0.9123"),
        (5.0, 5.004, 2, "5.004"),
        (5.0, 5 + 1e-12, 2, "5.00"),
        (5.0, 4.9999999, 2, "4.9999999"),
        (0.0, 0.004, 2, "0.004"),
    ],
)
def test_no_figure_is_rounded_onto_its_limit(limit, value, places, told):
    assert beside(limit, value, places) == told


def test_a_figure_below_zero_keeps_its_side():
    assert beside(-0.02, -0.01996, 4, "+") == "-0.01996"
    assert beside(-0.02, 0.0012345, 4, "+") == "+0.0012"
