"""How much a slightly different box changes the full-precision model's mask: the yardstick for quantization.

Nobody draws the same box twice. If moving its edges by a few pixels changes the mask as much as quantization does, then
quantization is lost in the noise of the prompt; if it changes less, it is not.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

import numpy as np

from pqcomq.comparison.box_movement import SHIFT_PIXELS as SHIFT_PIXELS
from pqcomq.comparison.box_movement import BoxMovement as BoxMovement
from pqcomq.comparison.measures.metrics import dice
from pqcomq.comparison.model_result import Comparison
from pqcomq.models.segmenter import Segmenter
from pqcomq.progress import Progress, Stopwatch
from pqcomq.segmentation.box import Box3D
from pqcomq.segmentation.box_mask import BoxMask
from pqcomq.segmentation.embedding_cache import EmbeddingCache
from pqcomq.segmentation.prompt import Prompt
from pqcomq.segmentation.propagation import segment_slices
from pqcomq.segmentation.slice_runner import SliceRunner
from pqcomq.volumes.intensity_window import EightBitSlices
from pqcomq.volumes.volume import Volume
from pqcomq.wording import counted


@dataclass(frozen=True)
class MovedBox:
    """One box beside the user's, and what full precision made of it.

    Attributes:
        box: the moved one.
        dice: full precision's mask with this box against its mask with the user's box, over the box's slices.
        accuracy: Dice against ground truth with this box; None where there is none.
    """

    box: Box3D
    dice: float
    accuracy: float | None


@dataclass(frozen=True)
class BoxJitter:
    """Full precision under moved boxes.

    Attributes:
        shift_pixels: each edge moved by up to this many pixels of the volume, either way.
        shift_mm: the same in mm, x y.
        seed: of the random shifts.
        moved: the single boxes.
    """

    shift_pixels: int
    shift_mm: tuple[float, float]
    seed: int
    moved: tuple[MovedBox, ...]

    @property
    def movement(self) -> BoxMovement:
        """What gives the same boxes again."""
        return BoxMovement(self.shift_pixels, len(self.moved), self.seed)

    @property
    def mean_dice(self) -> float:
        """Mean over the moved boxes."""
        return fmean(each.dice for each in self.moved)

    @property
    def least_dice(self) -> float:
        """The moved box that changed the mask most."""
        return min(each.dice for each in self.moved)

    def outdoing(self, dice_between_models: float) -> int:
        """How many of the moved boxes change full precision's mask more than quantization does."""
        return sum(each.dice < dice_between_models for each in self.moved)

    def sentence(self, comparisons: Sequence[Comparison]) -> str:
        """The change of the prompt beside the change of the weights, in plain words.

        Args:
            comparisons: of the quantized models with the user's own box.
        """
        x, y = self.shift_mm
        millimetres = f"{x:.1f} mm" if x == y else f"{x:.1f} mm across, {y:.1f} mm up and down"
        count = len(self.moved)
        told = [
            f"{each.candidate.precision} takes it to {each.agreement.dice:.3f} (more change in "
            f"{self.outdoing(each.agreement.dice)} of {counted(count, 'moved box', 'moved boxes')})"
            for each in comparisons
        ]
        return (
            f"Moving the box's edges by up to {self.shift_pixels} px ({millimetres}) takes full precision's mask to "
            f"Dice {self.mean_dice:.3f} with itself on average, {self.least_dice:.3f} at the least "
            f"({counted(count, 'box', 'boxes')}). With the box as drawn, {'; '.join(told)}."
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> BoxJitter:
        """The inverse of :meth:`to_dict`."""
        moved = tuple(MovedBox(Box3D(**each["box"]), each["dice"], each["accuracy"]) for each in content["moved"])
        x, y = content["shift_mm"]
        return cls(content["shift_pixels"], (x, y), content["seed"], moved)


def moved_boxes(box: Box3D, shape_yx: tuple[int, int], movement: BoxMovement) -> list[Box3D]:
    """Boxes whose four edges are moved, each by its own whole number of pixels, evenly from −shift to shift.

    Args:
        box: the user's; its slices stay.
        shape_yx: rows and columns of a slice; boxes stay inside.
        movement: how far, how many and from which seed; the same boxes for the same seed.
    """
    generator, shift = np.random.default_rng(movement.seed), movement.shift
    height, width = shape_yx
    moved = []
    for dx0, dy0, dx1, dy1 in generator.integers(-shift, shift, size=(movement.draws, 4), endpoint=True).tolist():
        x0, x1 = _inside(box.x0 + dx0, box.x1 + dx1, width)
        y0, y1 = _inside(box.y0 + dy0, box.y1 + dy1, height)
        moved.append(Box3D(x0, y0, box.z0, x1, y1, box.z1))
    return moved


def _inside(one: float, other: float, size: int) -> tuple[float, float]:
    """Two edges in order, at least a pixel apart, within the image: a box must not turn inside out or leave it."""
    low = min(max(min(one, other), 0), size - 1)
    return low, max(low + 1, min(max(one, other), size))


def box_jitter(
    volume: Volume,
    comparison: Comparison,
    reference: Segmenter,
    *,
    truth: np.ndarray | None = None,
    movement: BoxMovement | None = None,
    cache: EmbeddingCache | None = None,
    pixels: np.ndarray | EightBitSlices | None = None,
) -> Generator[Progress, None, BoxJitter]:
    """Segment moved boxes with full precision, as the comparison did with the user's; points stay where they are.

    Args:
        volume: that was compared on.
        comparison: gives the box, the window, the way of prompting and full precision's own mask.
        reference: the full-precision model of the comparison.
        truth: (z, y, x) bool, if there is one.
        movement: by default eight boxes, each edge moved by up to 5 pixels.
        cache: embeddings to reuse; with those of the comparison only the decoder runs.
        pixels: ``EightBitSlices(volume, comparison.window)``, from a caller who moves the boxes of several
            objects.

    Yields:
        :class:`Progress` after every slice, all moved boxes done on it.

    Returns:
        The :class:`BoxJitter` (a generator's return value).

    Raises:
        ValueError: the comparison's prompt has no box.
    """
    if comparison.box is None:
        raise ValueError("there is no box to move")
    how, points = movement or BoxMovement(), comparison.prompt.points
    boxes = moved_boxes(comparison.box, volume.grid.shape_zyx[1:], how)
    runner = SliceRunner(reference, volume, comparison.window, cache, pixels)
    masks = [BoxMask.empty(box, runner.shape) for box in boxes]
    passes = [
        segment_slices(runner, Prompt(box, points), comparison.mode, mask)
        for box, mask in zip(boxes, masks, strict=True)
    ]
    watch = Stopwatch(len(comparison.prompt.slices))
    # All boxes slice by slice, so that each slice is encoded once however small the cache is.
    for turn in zip(*passes, strict=True):
        yield watch.step(f"slice {turn[0]}, {how.draws} moved boxes")
    own = comparison.reference.mask.voxels
    known = None if truth is None else truth[comparison.reference.mask.inside]
    moved = tuple(
        MovedBox(box, dice(own, mask.voxels), None if known is None else dice(known, mask.voxels))
        for box, mask in zip(boxes, masks, strict=True)
    )
    millimetres = (how.shift * volume.grid.spacing[0], how.shift * volume.grid.spacing[1])
    return BoxJitter(how.shift, millimetres, how.seed, moved)
