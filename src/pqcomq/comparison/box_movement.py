"""How far and how often boxes are moved where nothing else is said."""

from __future__ import annotations

from dataclasses import dataclass

SHIFT_PIXELS = 5
DRAWS = 8


@dataclass(frozen=True)
class BoxMovement:
    """How boxes are moved.

    Attributes:
        shift: greatest movement of an edge in pixels of the volume, either way.
        draws: moved boxes.
        seed: of the random shifts.
    """

    shift: int = SHIFT_PIXELS
    draws: int = DRAWS
    seed: int = 0
