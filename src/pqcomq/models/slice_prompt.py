"""What is asked of a model on one slice: boxes, points inside and outside of the object, both, or scribbles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np


@dataclass(frozen=True, eq=False)
class SlicePrompt:
    """One or more questions about a slice, all of one kind.

    Attributes:
        boxes: (B, 4), x0 y0 x1 y1 in slice pixels; None where there are points alone.
        points: (B, N, 2), x y in slice pixels; None where there are boxes alone.
        labels: (B, N), 1 for a point inside the object, 0 for one outside; None where there are no points.
        scribbles: (B, H, W) bool, what was drawn inside the object, in slice pixels; None where there is none. They
            stand alone.

    Raises:
        ValueError: there is none of these, a scribble does not stand alone, or places and labels do not go together.
    """

    boxes: np.ndarray | None = None
    points: np.ndarray | None = None
    labels: np.ndarray | None = None
    scribbles: np.ndarray | None = None

    def __post_init__(self) -> None:
        pointed = self.boxes is not None or self.points is not None
        if pointed == (self.scribbles is not None):
            raise ValueError("a prompt needs a box or points, or else a scribble")
        shape = None if self.points is None else self.points.shape[:-1]
        if shape != (None if self.labels is None else self.labels.shape):
            raise ValueError("every point of a prompt needs a label")

    @classmethod
    def of(cls, given: np.ndarray | SlicePrompt) -> SlicePrompt:
        """A prompt, of boxes (B, 4) or (4,) if it is none."""
        return given if isinstance(given, SlicePrompt) else cls(np.asarray(given, dtype=np.float64).reshape(-1, 4))

    @classmethod
    def single(cls, box: np.ndarray | None, points: np.ndarray, labels: np.ndarray) -> Self:
        """One question.

        Args:
            box: (4,), or None.
            points: (N, 2), N = 0 for none.
            labels: (N,).
        """
        boxes = None if box is None else np.asarray(box, dtype=np.float64)[None]
        return cls(boxes, points[None], labels[None]) if len(points) else cls(boxes)
