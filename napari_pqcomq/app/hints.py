"""The hint line: what to do next."""

from __future__ import annotations

NO_VOLUME = "Open a NIfTI file or a DICOM folder, or a sample: “Open…” above, or drop it on the picture."
NO_CHECKPOINT = "Choose the checkpoint file of this model."


def next_step(
    *, has_volume: bool, has_box: bool, lacks_checkpoint: bool, has_weights: bool, is_shown: bool, is_live: bool
) -> str:
    """What the user should do now.

    Args:
        has_volume: a volume is chosen.
        has_box: a box is drawn.
        lacks_checkpoint: the model needs a file that is not chosen yet.
        has_weights: quantized weights for the choice are at hand.
        is_shown: a comparison is on screen.
        is_live: the current object's masks follow its box, on the slice in sight only.
    """
    if not has_volume:
        return NO_VOLUME
    if lacks_checkpoint:
        return NO_CHECKPOINT
    if not has_box:
        return "Press “Draw a box” and drag a rectangle round an organ."
    if is_live:
        return "Drag the box: both masks follow on this slice. Compare runs all slices and brings the figures."
    if is_shown:
        return "W shows the worst slice; S, C, D and F change the view. Drag the box to prompt anew."
    if not has_weights:
        return "Press Compare: the model is quantized first, then both are run on the box."
    return "Press Compare to run both models on the box."
