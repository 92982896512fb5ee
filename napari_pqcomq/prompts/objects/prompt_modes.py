"""Where the prompts of the slices come from, for people."""

from __future__ import annotations

from napari_pqcomq.translation import tr
from pqcomq.segmentation.propagation import PromptMode

MODES: dict[PromptMode, str] = {
    "propagate": tr("Each model follows its own mask"),
    "same": tr("Same prompt on every slice"),
}
MODE_TOOLTIP = tr(
    "Each model follows its own mask: the box is given on the middle slice, and each slice's mask prompts the next, as "
    "in use; small differences may grow. A scribble goes on with what of it lies in that mask.\n"
    "Same prompt on every slice: only the weights differ."
)
