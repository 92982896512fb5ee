"""The hint line: what to do next."""

from __future__ import annotations

from napari_pqcomq.app.work.job_requests import NO_CHECKPOINT, NO_VOLUME
from napari_pqcomq.setup.model_facts import prompts_of
from napari_pqcomq.translation import tr
from pqcomq.models.catalogue.entries import PromptKind, entry_of, takers, why_not


def not_taken(key: str, kind: PromptKind) -> str:
    """Why a tool is greyed out for a model; empty where it is not."""
    if not why_not(key, kind):
        return ""
    entry = entry_of(key)
    names = {"title": entry.title, "trained": prompts_of(entry), "others": takers(kind)}
    if kind == "box":
        return tr("{title} was trained for {trained} and takes no boxes; {others} do.", **names)
    if kind == "points":
        return tr("{title} was trained for {trained} and takes no points; {others} do.", **names)
    return tr("{title} was trained for {trained} and takes no scribbles; {others} does.", **names)


def next_step(
    *,
    has_volume: bool,
    has_box: bool,
    lacks_checkpoint: bool,
    has_weights: bool,
    is_shown: bool,
    is_live: bool,
    draws_boxes: bool = True,
    has_kept: bool = False,
    is_running: bool = False,
    is_opening: bool = False,
    is_reading: bool = False,
) -> str:
    """What the user should do now.

    Args:
        has_volume: a volume is chosen.
        has_box: a box is drawn, or another prompt.
        draws_boxes: the model takes boxes; else scribbles.
        lacks_checkpoint: the model needs a file that is not chosen yet.
        has_weights: quantized weights for the choice are at hand.
        is_shown: a comparison is on screen.
        is_live: the current object's masks follow its box, on the slice in sight only.
        has_kept: an earlier comparison of the volume can be brought back.
        is_reading: a blinded reading is under way.
        is_running: a job runs: nothing else can be started.
        is_opening: the view is being opened, which cannot be cancelled.
    """
    tool = tr("Draw a box") if draws_boxes else tr("Scribble")
    if is_reading:
        return tr("Which mask fits the organ better? J: left, L: right, K: no difference.")
    if not has_volume:
        return NO_VOLUME
    if lacks_checkpoint:
        return NO_CHECKPOINT
    if is_opening:
        return tr("The bar tells how far it is.")
    if is_running:
        return (
            tr("The bar tells how far it is; Cancel keeps what is finished.")
            if has_box
            else tr("Meanwhile, “{tool}” and a drag of the mouse prompt an organ.", tool=tool)
        )
    if has_kept and not is_shown:
        return tr("This volume was compared before: “Show the last comparison” brings masks and figures back.")
    if not has_box:
        if draws_boxes:
            return tr("Press “Draw a box” and drag a rectangle round an organ.")
        return tr("Press “Scribble” and draw inside an organ.")
    if is_live and not draws_boxes:
        return tr("Draw on: both masks follow on this slice. Compare runs all slices and brings the figures.")
    if is_live:
        return tr("Drag the box: both masks follow on this slice. Compare runs all slices and brings the figures.")
    if is_shown:
        return tr("W shows the worst slice; S, C, D and F change the view. Drag the box to prompt anew.")
    if not has_weights:
        if draws_boxes:
            return tr("Press Compare: the model is quantized first, then both are run on the box.")
        return tr("Press Compare: the model is quantized first, then both are run on the scribble.")
    if draws_boxes:
        return tr("Press Compare to run both models on the box.")
    return tr("Press Compare to run both models on the scribble.")
