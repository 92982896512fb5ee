from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from pqcomq.comparison.presentation.palette import (
    FULL_COLOUR,
    INSIDE_COLOUR,
    OUTSIDE_COLOUR,
    QUANTIZED_COLOUR,
    TRUTH_COLOUR,
)
from pqcomq.object_colours import OBJECT_COLOURS, object_colour

MODELS = [FULL_COLOUR, QUANTIZED_COLOUR, TRUTH_COLOUR]

# Machado, Oliveira and Fernandes 2009, severity 1: linear RGB as it is seen.
VISIONS = {
    "trichromatic": np.eye(3),
    "deuteranopic": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "protanopic": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
}


def lab(colour, vision):
    """CIE L*a*b* of a hexadecimal colour."""
    rgb = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(vision) @ linear, 0, 1)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = (np.cbrt(v) if v > 0.008856 else 7.787 * v + 16 / 116 for v in to_xyz @ seen / [0.9505, 1, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def least_distance(colours, vision):
    return min(np.linalg.norm(lab(one, vision) - lab(other, vision)) for one, other in combinations(colours, 2))


@pytest.mark.parametrize("vision", VISIONS.values(), ids=VISIONS)
def test_colours_stay_apart_with_any_colour_vision(vision):
    assert least_distance([*OBJECT_COLOURS[:6], *MODELS], vision) > 25
    assert least_distance([INSIDE_COLOUR, OUTSIDE_COLOUR], vision) > 25


def test_no_two_of_forty_objects_look_alike():
    assert len(OBJECT_COLOURS) == 40
    assert least_distance([*OBJECT_COLOURS, *MODELS], VISIONS["trichromatic"]) > 18


def test_objects_beyond_the_last_colour_begin_anew():
    assert object_colour(len(OBJECT_COLOURS) + 1) == object_colour(1)
