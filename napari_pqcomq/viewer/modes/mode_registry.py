"""The ways of viewing by name, and what can be hidden in them."""

from __future__ import annotations

from collections.abc import Callable

from napari_pqcomq.viewer.modes.base import Stage, ViewMode
from napari_pqcomq.viewer.modes.difference import DifferenceMode
from napari_pqcomq.viewer.modes.flicker import FlickerMode
from napari_pqcomq.viewer.modes.side_by_side import SideBySideMode
from napari_pqcomq.viewer.modes.swipe import SwipeMode
from napari_pqcomq.viewer.sides.side_layers import TRUTH

VIEWS: dict[str, Callable[[Stage], ViewMode]] = {
    "Side by side": SideBySideMode,
    "Swipe": SwipeMode,
    "Difference": DifferenceMode,
    "Flicker": FlickerMode,
}


SIDE_BY_SIDE, SWIPE, DIFFERENCE, FLICKER = VIEWS


FIGURES = "figures"


PARTS = ("masks", TRUTH, "boxes", FIGURES)
"""What can be hidden, to see what lies below."""
