"""How sure a model is of a mask, told from its own answers alone: no second model and no ground truth is asked.

The stability score is that of Segment Anything's automatic mask generator (Kirillov et al., 2023): the overlap of the
masks that a raised and a lowered threshold give. Agreement under moved boxes asks the decoder again with the prompt
drawn a little differently, which costs a few decodings and no encoding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # options and their help ask for a threshold alone, and both take their time to load
    import numpy as np
    import torch

STABILITY_OFFSET = 1.0
"""Logits by which the threshold is raised and lowered, Segment Anything's own choice."""
DOUBTFUL = 0.8
"""Stability score below which a slice is called doubtful where no cohort of one's own has told a better threshold."""
MOVED_BY_PIXELS = 3
_CORNERS = ((-1, -1, -1, -1), (1, 1, 1, 1), (-1, -1, 1, 1), (1, 1, -1, -1))
"""To the front right, to the back left, grown, shrunk: the same boxes every time."""


@dataclass(frozen=True)
class Doubt:
    """What a model's own answer tells of how far it can be trusted; 1 is sure throughout.

    Attributes:
        stability: share of the pixels above −1 that are also above +1; 0 where the mask is empty.
        moved_boxes: mean Dice of its mask with those under four moved boxes.
        certainty: mean of |2 p − 1| over the pixels above −1, p the probability of each; 0 where there is none.
    """

    stability: float
    moved_boxes: float
    certainty: float


def stability_score(logits: torch.Tensor) -> float:
    """Segment Anything's stability score of one mask.

    Args:
        logits: (h, w).
    """
    above = int((logits > STABILITY_OFFSET).sum())
    reach = int((logits > -STABILITY_OFFSET).sum())
    return above / reach if reach else 0.0


def moved_prompts(box: np.ndarray, shape: tuple[int, int], pixels: int = MOVED_BY_PIXELS) -> np.ndarray:
    """Four boxes beside one, inside the image and at least a pixel wide.

    Args:
        box: (4,) x0 y0 x1 y1 in slice pixels.
        shape: rows and columns of the slice.
        pixels: by which its edges move.

    Returns:
        (4, 4) float32.
    """
    import numpy as np

    height, width = shape
    moved = box[None] + np.array(_CORNERS, dtype=np.float32) * pixels
    low = np.clip(np.minimum(moved[:, :2], moved[:, 2:] - 1), 0, [width - 1, height - 1])
    high = np.clip(np.maximum(moved[:, 2:], low + 1), 1, [width, height])
    return np.concatenate([low, high], axis=1).astype(np.float32)


def doubt_of(logits: torch.Tensor, agreements: Sequence[float]) -> Doubt:
    """Put together what the logits and the moved boxes tell.

    Args:
        logits: (h, w) of the mask.
        agreements: Dice of the mask with that of each moved box.
    """
    import numpy as np

    near = logits[logits > -STABILITY_OFFSET].double()
    certainty = float((2 * near.sigmoid() - 1).abs().mean()) if near.numel() else 0.0
    return Doubt(stability_score(logits), float(np.mean(agreements)), certainty)
