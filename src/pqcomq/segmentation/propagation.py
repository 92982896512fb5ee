"""A prompt through a volume, slice by slice.

Source: ``CVPR24_LiteMedSAM_infer.py`` of bowang-lab/MedSAM: start at the middle slice with the given box, go up to the
last, then down to the first; each mask's tight box, grown a little, prompts the next slice. Theirs stores an object's
number in the mask that it shrinks for this, so that boxes grow for the second object on; here masks are boolean
throughout. A point prompts its own slice, beside the box there; without a box, propagation starts on a point's slice.
A scribble, for which the authors wrote no such script, prompts the slices that it is drawn on; on the others, what of
the nearest one lies in the neighbour's mask goes on prompting.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from pqcomq.models.transforms import Transforms
from pqcomq.progress import Steps, Stopwatch
from pqcomq.segmentation.box import Box3D, tight_box
from pqcomq.segmentation.box_mask import BoxMask
from pqcomq.segmentation.prompt import Prompt
from pqcomq.segmentation.slice_runner import SliceRunner

PromptMode = Literal["same", "propagate"]
"""``same``: the given prompt on every slice. ``propagate``: each slice's own mask prompts the next."""


def visiting_order(prompt: Prompt | Box3D) -> list[tuple[int, int | None]]:
    """Slices in the order of propagation, each with the slice whose mask prompts it (None: the given prompt)."""
    asked = Prompt.of(prompt)
    upwards = [(z, z - 1) for z in range(asked.start + 1, asked.last + 1)]
    downwards = [(z, z + 1) for z in range(asked.start - 1, asked.first - 1, -1)]
    return [(asked.start, None), *upwards, *downwards]


def next_box(transforms: Transforms, mask: np.ndarray, given: np.ndarray | None) -> np.ndarray | None:
    """The box that a slice's mask makes for its neighbour.

    Args:
        transforms: of the model prompted; its margin is in pixels of the model's input.
        mask: (H, W) bool.
        given: the user's box (4,), taken again where the mask is empty; None where there is none.

    Returns:
        (4,) x0 y0 x1 y1 in slice pixels; None where the mask is empty and there is no box.
    """
    if not mask.any():
        return given
    height, width = mask.shape
    margin = transforms.margin / transforms.scale((height, width))  # (4,) slice pixels
    grown: np.ndarray = tight_box(mask) + np.array([-1, -1, 1, 1]) * margin
    return grown.clip(0, [width, height, width, height])


def segment_slices(runner: SliceRunner, prompt: Prompt | Box3D, mode: PromptMode, mask: BoxMask) -> Iterator[int]:
    """Segment a prompt's slices into ``mask``, yielding each slice's number when it is done.

    A slice to which nothing leads, neither a box nor a positive point, a scribble or a neighbour's mask, stays empty.

    Args:
        runner: model and volume.
        prompt: checked against the volume.
        mode: where the prompts come from.
        mask: of the prompt's slices, filled in place.

    Raises:
        InputError: the model was not trained for prompts of this kind.
    """
    given = Prompt.of(prompt)
    runner.segmenter.check_prompts(given.kinds)
    for z, neighbour in visiting_order(given):
        box, beside = given.rectangle, None
        if mode == "propagate" and neighbour is not None:
            beside = mask.on_slice(neighbour)
            box = next_box(runner.segmenter.transforms, beside, box)
        asked = given.on_slice(z, box, mask.voxels.shape[1:], everywhere=mode == "same", neighbour=beside)
        if asked is not None:
            mask.on_slice(z)[:] = runner.segment(z, asked)
        yield z


def segment_prompt(runner: SliceRunner, prompt: Prompt | Box3D, mode: PromptMode) -> Steps[BoxMask]:
    """Segment a prompt through a volume, yielding the progress after every slice and returning the mask.

    Args:
        runner: model and volume.
        prompt: checked against the volume.
        mode: where the prompts come from.

    Raises:
        InputError: the model was not trained for prompts of this kind.
    """
    mask, watch = BoxMask.empty(prompt, runner.shape), Stopwatch(len(prompt.slices))
    for z in segment_slices(runner, prompt, mode, mask):
        yield watch.step(f"slice {z}")
    return mask
