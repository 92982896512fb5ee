"""A 3-D box through a volume, slice by slice.

Source: ``CVPR24_LiteMedSAM_infer.py`` of bowang-lab/MedSAM: start at the middle slice with the given box, go up to the
last, then down to the first; each mask's tight box, grown a little, prompts the next slice. Theirs stores an object's
number in the mask that it shrinks for this, so that boxes grow for the second object on; here masks are boolean
throughout.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from pqcomq.models.transforms import Transforms
from pqcomq.progress import Steps, Stopwatch
from pqcomq.segmentation.box import Box3D, tight_box
from pqcomq.segmentation.box_mask import BoxMask
from pqcomq.segmentation.slice_runner import SliceRunner

PromptMode = Literal["same", "propagate"]
"""``same``: the given box on every slice. ``propagate``: each slice's own mask prompts the next."""


def visiting_order(box: Box3D) -> list[tuple[int, int | None]]:
    """Slices in the order of propagation, each with the slice whose mask prompts it (None: the given box)."""
    upwards = [(z, z - 1) for z in range(box.middle + 1, box.z1 + 1)]
    downwards = [(z, z + 1) for z in range(box.middle - 1, box.z0 - 1, -1)]
    return [(box.middle, None), *upwards, *downwards]


def next_prompt(transforms: Transforms, mask: np.ndarray, given: Box3D) -> np.ndarray:
    """The prompt that a slice's mask makes for its neighbour.

    Args:
        transforms: of the model prompted; its margin is in pixels of the model's input.
        mask: (H, W) bool.
        given: the user's box, taken again where the mask is empty.

    Returns:
        (4,) x0 y0 x1 y1 in slice pixels.
    """
    if not mask.any():
        return given.xyxy
    height, width = mask.shape
    margin = transforms.margin / transforms.scale((height, width))  # (4,) slice pixels
    grown = tight_box(mask) + np.array([-1, -1, 1, 1]) * margin
    return grown.clip(0, [width, height, width, height])


def segment_slices(runner: SliceRunner, box: Box3D, mode: PromptMode, mask: BoxMask) -> Iterator[int]:
    """Segment a box's slices into ``mask``, yielding each slice's number when it is done.

    Args:
        runner: model and volume.
        box: checked against the volume.
        mode: where the prompts come from.
        mask: of the box's slices, filled in place.
    """
    for z, neighbour in visiting_order(box):
        prompt = box.xyxy
        if mode == "propagate" and neighbour is not None:
            prompt = next_prompt(runner.segmenter.transforms, mask.on_slice(neighbour), box)
        mask.on_slice(z)[:] = runner.segment(z, prompt)
        yield z


def segment_box(runner: SliceRunner, box: Box3D, mode: PromptMode) -> Steps[BoxMask]:
    """Segment a box through a volume, yielding the progress after every slice and returning the mask.

    Args:
        runner: model and volume.
        box: checked against the volume.
        mode: where the prompts come from.
    """
    mask, watch = BoxMask.empty(box, runner.shape), Stopwatch(len(box.slices))
    for z in segment_slices(runner, box, mode, mask):
        yield watch.step(f"slice {z}")
    return mask
