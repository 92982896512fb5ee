"""One object as the user has drawn it: its name, and the box, points or scribble that prompt the models."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pqcomq.object_colours import object_colour
from pqcomq.segmentation import prompt as engine
from pqcomq.segmentation.box import Box3D
from pqcomq.segmentation.prompt import PromptPoint
from pqcomq.segmentation.scribble import Scribble

MOST_OBJECTS = 40
"""Numbers are kept in 8 bits, and making a layer takes longer with every colour it may need."""

DEFAULT_REACH = 5
"""Slices on either side of the one that a box or a scribble is drawn on, or a point set."""
_ROUND_POINTS = 5.0
"""Voxels round points or a scribble in which their object is looked for."""


@dataclass(frozen=True)
class DrawnObject:
    """A named object with what prompts the models.

    Attributes:
        number: of the object in masks, from 1; its own for as long as it lives.
        name: the user's.
        box: round the object; None where there is none.
        compared: whether it takes part in the next comparison.
        points: inside the object and outside of it.
        span: first and last slice to segment, where there is no box.
        scribble: drawn inside the object, in place of box and points.
    """

    number: int
    name: str
    box: Box3D | None
    compared: bool = True
    points: tuple[PromptPoint, ...] = ()
    span: tuple[int, int] | None = None
    scribble: Scribble | None = None

    @classmethod
    def of(cls, number: int, name: str, asked: engine.Prompt) -> DrawnObject:
        """An object of the engine's prompt."""
        return cls(number, name, asked.box, points=asked.points, span=asked.span, scribble=asked.scribble)

    @property
    def asked(self) -> engine.Prompt:
        """What the models are asked."""
        return engine.Prompt(self.box, self.points, None if self.box else self.span, self.scribble)

    @property
    def extent(self) -> Box3D:
        """Where the object is: its box, or a little space round points or scribble on all slices to segment."""
        if self.box is not None:
            return self.box
        if self.scribble is not None:
            x_low, y_low, x_high, y_high = self.scribble.rectangle
            across, down = [float(x_low), float(x_high)], [float(y_low), float(y_high)]
        else:
            across, down = ([getattr(each, axis) for each in self.points] for axis in "xy")
        low, high = ([end(across), end(down)] for end in (min, max))
        (x0, y0), (x1, y1) = ([max(0.0, v - _ROUND_POINTS) for v in low], [v + _ROUND_POINTS for v in high])
        return Box3D(x0, y0, self.asked.first, x1, y1, self.asked.last)

    @property
    def colour(self) -> str:
        """Of its box and masks, hexadecimal."""
        return object_colour(self.number)

    def with_span(self, first: int, last: int) -> DrawnObject:
        """The same on other slices, among them those of its points or strokes."""
        if self.box is None:
            return replace(self, span=(first, last))
        return replace(self, box=Box3D(self.box.x0, self.box.y0, first, self.box.x1, self.box.y1, last))
