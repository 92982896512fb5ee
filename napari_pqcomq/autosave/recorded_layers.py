"""Masks between napari's layers and the disk, both ways."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Labels, Layer

from napari_pqcomq.layers.comparison_tag import is_of_comparison
from napari_pqcomq.layers.mask_layers import NAMES_KEY, ORIGINS_KEY
from napari_pqcomq.layers.volume_layers import volume_of
from napari_pqcomq.results.held.corrections import Corrections
from napari_pqcomq.results.masks.kept_masks import labels_layer
from napari_pqcomq.translation import tr
from pqcomq.autosave.work import KeptLabels
from pqcomq.masks.origin import Origin
from pqcomq.volumes.volume import Volume

if TYPE_CHECKING:
    from pqcomq.comparison.comparison_result import ComparisonResult

BY_HAND_KEY = "pqcomq_by_hand"
"""True under this key marks a layer that was painted on, for whoever opens its volume or the dock again."""


def is_kept(layer: Layer, volume: Volume) -> bool:
    """Whether a layer holds masks on a volume that are somebody's work: kept ones of a model's, or painted by hand."""
    return lies_on(layer, volume) and bool(layer.metadata.get(ORIGINS_KEY) or layer.metadata.get(BY_HAND_KEY))


def lies_on(layer: Layer, volume: Volume) -> bool:
    """Whether a layer of the user's holds labels of a volume."""
    found = volume_of(layer)
    same = found is not None and found.voxels is volume.voxels
    return same and isinstance(layer, Labels) and not is_of_comparison(layer)


def kept_labels(layer: Layer) -> KeptLabels:
    """A layer's masks; its voxels are read in the thread that writes."""
    names = {int(label): str(name) for label, name in (layer.metadata.get(NAMES_KEY) or {}).items() if label > 0}
    data = layer.data
    return KeptLabels(layer.name, lambda: np.asarray(data), names, dict(layer.metadata.get(ORIGINS_KEY) or {}))


def corrected_labels(result: ComparisonResult, corrections: Corrections) -> list[KeptLabels]:
    """The masks of every side that was corrected by hand; not for the window's thread, whole volumes are hashed.

    Args:
        result: that was corrected.
        corrections: as they were; nobody changes them meanwhile.
    """
    layers, shape = [], result.volume.grid.shape_zyx
    for side in sorted({side for side, _number in corrections.worked_on()}):
        model = result.models[side]
        drawn_by = model.as_run
        origins = {
            each.number: Origin.of(drawn_by, each.prompt, each.mode, each.window, each.results[side].mask_in(shape))
            for each in result.objects
        }
        names = {each.number: each.name for each in result.objects}
        voxels = partial(_corrected, result, corrections, side)
        name = tr("Masks of {precision}, corrected", precision=model.segmenter.precision)
        layers.append(KeptLabels(name, voxels, names, origins))
    return layers


def restored_layer(kept: KeptLabels, labels: np.ndarray, volume: Volume) -> Labels:
    """The layer again.

    Args:
        kept: what was read.
        labels: its voxels (z, y, x).
        volume: that they lie on.
    """
    layer = labels_layer(labels, kept.name, volume, kept.names, kept.origins)
    layer.metadata[BY_HAND_KEY] = not kept.origins
    return layer


def _corrected(result: ComparisonResult, corrections: Corrections, side: int) -> np.ndarray:
    shape = result.volume.grid.shape_zyx
    labels = np.zeros(shape, np.uint8)
    for each in result.objects:
        mask = corrections.corrected(side, each.number, each.results[side].mask_in(shape))
        labels[mask] = each.number
    return labels
