"""What a comparison shows: one record a side, one for what all sides share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from napari_pqcomq.prompts.objects.drawn_object import DrawnObject
from pqcomq.segmentation.box import Box3D
from pqcomq.volumes.volume import Volume


@dataclass(frozen=True)
class Mark:
    """A verdict on a side, seen at a glance.

    Attributes:
        text: a few words.
        colour: of the text.
    """

    text: str
    colour: str


@dataclass(frozen=True)
class Pane:
    """What one side shows.

    Attributes:
        title: model and precision, the heading of the side's plate.
        lines: the plate's other lines.
        mask: (z, y, x) on the volume's grid: object numbers from 1, or bool for a single object.
        colour: of the heading; it stands for the model, the masks' colours stand for the objects.
        mark: the gate's verdict on this side, None where there is none.
    """

    title: str
    lines: tuple[str, ...]
    mask: np.ndarray
    colour: str
    mark: Mark | None = None


@dataclass(frozen=True, eq=False)
class MaskPair:
    """Two sides' masks, not to be written to.

    Attributes:
        first: (z, y, x) object numbers of full precision.
        second: likewise, of the quantized model.
        seen: takes object numbers, of any shape, and leaves out those that are out of sight.
    """

    first: np.ndarray
    second: np.ndarray
    seen: Callable[[np.ndarray], np.ndarray] = lambda labels: labels


@dataclass(frozen=True)
class Scene:
    """What all sides share.

    Attributes:
        volume: shown behind the masks.
        contrast_limits: the intensities shown black and white.
        objects: with their boxes.
        truth: (z, y, x) bool, or None where no ground truth was chosen.
        current: number of the object that figures are about, 0 for all of them together.
        hidden: numbers of the objects whose masks are out of sight.
        blinded: both sides are drawn alike; else the others carry rims where they differ from the first.
    """

    volume: Volume
    contrast_limits: tuple[float, float]
    objects: tuple[DrawnObject, ...] = ()
    truth: np.ndarray | None = None
    current: int = 0
    hidden: frozenset[int] = frozenset()
    blinded: bool = False

    def seen(self, labels: np.ndarray) -> np.ndarray:
        """Masks without those out of sight.

        Args:
            labels: object numbers, of any shape.

        Returns:
            The same array where nothing of it is hidden.
        """
        return np.where(np.isin(labels, list(self.hidden)), 0, labels) if self.hidden else labels

    @classmethod
    def of_box(
        cls,
        volume: Volume,
        contrast_limits: tuple[float, float],
        box: Box3D,
        truth: np.ndarray | None = None,
    ) -> Scene:
        """A scene with one object."""
        return cls(volume, contrast_limits, (DrawnObject(1, "object", box),), truth)
