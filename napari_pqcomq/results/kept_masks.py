"""Masks in sight as labels layers of the user's: to be edited, saved or exported, also those of live prompts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from napari.layers import Labels

from napari_pqcomq.layers.mask_layers import mask_metadata
from napari_pqcomq.layers.volume_layers import transform
from napari_pqcomq.prompts.prompt import Prompt
from pqcomq.comparison.compared_model import ComparedModel
from pqcomq.masks.origin import Origin
from pqcomq.segmentation.propagation import PromptMode
from pqcomq.volumes.intensity_window import Window
from pqcomq.volumes.volume import Volume


def kept_layer(
    labels: np.ndarray,
    volume: Volume,
    drawn_by: ComparedModel,
    prompts: Mapping[int, tuple[Prompt, PromptMode]],
    window: Window,
) -> Labels:
    """One side's masks as a layer that knows the names and the origin of each.

    Args:
        labels: (z, y, x) object numbers; not copied.
        volume: that they lie on.
        drawn_by: the side's model.
        prompts: by object number, with where the prompts of its slices came from.
        window: that made the model's input.
    """
    present = [number for number in prompts if (labels == number).any()]
    model = drawn_by.weights or drawn_by.segmenter
    origins = {
        number: Origin.of(model, prompts[number][0].box, prompts[number][1], window, labels == number)
        for number in present
    }
    names = {number: prompts[number][0].name for number in present}
    return Labels(
        labels,
        name=f"Masks of {drawn_by.segmenter.precision}",
        opacity=0.5,
        metadata=mask_metadata(volume, names, origins),
        **transform(volume),
    )
