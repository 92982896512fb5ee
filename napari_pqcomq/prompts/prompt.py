"""One object that the user prompts."""

from __future__ import annotations

from dataclasses import dataclass

from pqcomq.comparison.presentation.palette import object_colour
from pqcomq.segmentation.box import Box3D

MOST_OBJECTS = 40
"""Numbers are kept in 8 bits, and making a layer takes longer with every colour it may need."""

DEFAULT_REACH = 5
"""Slices on either side of the one that a box is drawn on."""


@dataclass(frozen=True)
class Prompt:
    """A named box.

    Attributes:
        number: of the object in masks, from 1; its own for as long as it lives.
        name: the user's.
        box: what prompts the models.
        compared: whether it takes part in the next comparison.
    """

    number: int
    name: str
    box: Box3D
    compared: bool = True

    @property
    def colour(self) -> str:
        """Of its box and masks, hexadecimal."""
        return object_colour(self.number - 1)
