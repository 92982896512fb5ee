"""The boxes that a case's ground truth prompts the models with."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from pqcomq.cohort.settings import CohortProtocol
from pqcomq.comparison.box_perturbation import BoxMovement, moved_boxes
from pqcomq.segmentation.box import Box3D, tight_box


@dataclass(frozen=True)
class SlicePrompt:
    """One box on one slice.

    Attributes:
        label: number.
        z: slice.
        box: (4,) x0 y0 x1 y1.
        moved: (4,), the yardstick's box.
    """

    label: int
    z: int
    box: np.ndarray
    moved: np.ndarray


@dataclass(frozen=True)
class OrganPrompt:
    """One 3-D box.

    Attributes:
        label: number.
        box: round the whole label.
        moved: the yardstick's box.
    """

    label: int
    box: Box3D
    moved: Box3D


def slice_prompts(truth: np.ndarray, label: int, case: str, protocol: CohortProtocol) -> list[SlicePrompt]:
    """A label's own tight box on each of its chosen slices, grown and moved.

    Args:
        truth: (z, y, x) bool of the label.
        label: its number.
        case: name, from which the random movements are drawn together with the seed, label and slice: the same whoever
            computes them, in whatever order.
        protocol: which slices, and how far.
    """
    found = []
    for z in protocol.slices.slices(truth):
        x0, y0, x1, y1 = tight_box(truth[z], protocol.margin_voxels).tolist()
        box = Box3D(x0, y0, z, x1, y1, z)
        used = _moved(box, truth.shape, protocol.jitter_pixels, protocol.seed, "prompt", case, label, z)
        moved = _moved(box, truth.shape, protocol.yardstick_pixels, protocol.seed, "yardstick", case, label, z)
        found.append(SlicePrompt(label, z, used.xyxy, moved.xyxy))
    return found


def organ_prompt(truth: np.ndarray, label: int, case: str, protocol: CohortProtocol) -> OrganPrompt:
    """A label's 3-D box, grown in the slice plane and moved; arguments as :func:`slice_prompts`'."""
    box = Box3D.around(truth, protocol.margin_voxels)
    used = _moved(box, truth.shape, protocol.jitter_pixels, protocol.seed, "prompt", case, label, "organ")
    moved = _moved(box, truth.shape, protocol.yardstick_pixels, protocol.seed, "yardstick", case, label, "organ")
    return OrganPrompt(label, used, moved)


def _moved(box: Box3D, shape: tuple[int, ...], pixels: int, *drawn_from: object) -> Box3D:
    if not pixels:
        return box
    digest = hashlib.sha256("/".join(map(str, drawn_from)).encode()).digest()
    movement = BoxMovement(pixels, 1, int.from_bytes(digest[:8], "big"))
    return moved_boxes(box, (shape[1], shape[2]), movement)[0]
