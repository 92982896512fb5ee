"""What a labels layer knows of its masks: the names of its labels, and how each was made.

Both travel in the layer's metadata beside the volume, so that they are there when the layer is written, from napari's
File menu or from the export panel.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from napari.utils.colormaps import DirectLabelColormap
from napari.utils.notifications import show_warning

from napari_pqcomq.layers.volume_layers import VOLUME_KEY, labels_tuple
from napari_pqcomq.translation import tr
from pqcomq.dicom_masks.mask_object import LabelledObjects
from pqcomq.errors import InputError
from pqcomq.masks.named_mask import NamedMask
from pqcomq.masks.origin import Origin
from pqcomq.object_colours import hex_of
from pqcomq.volumes.labels.labels_present import labels_present
from pqcomq.volumes.volume import Volume

LayerTuple = tuple[Any, ...]
_CLEAR, _UNNAMED = (0.0, 0.0, 0.0, 0.0), (1.0, 1.0, 0.0, 1.0)
"""Colours of the background, and of labels painted later."""
NAMES_KEY = "pqcomq_names"
"""Under this key a labels layer's metadata holds the names of its labels, by label."""
ORIGINS_KEY = "pqcomq_origins"
"""Under this key it holds the :class:`Origin` of each label that a model drew, by label."""
COLOURS_KEY = "pqcomq_colours"
"""Under this key it holds the colours of labels that their file gave, hexadecimal, by label."""
TRUTH_KEY = "pqcomq_ground_truth"
"""True under this key marks labels that are the truth about their volume, as those of a volume made by code."""


def mask_metadata(
    volume: Volume,
    names: Mapping[int, str] | None = None,
    origins: Mapping[int, Origin] | None = None,
    colours: Mapping[int, str] | None = None,
) -> dict[str, Any]:
    """The metadata of a labels layer on a volume.

    Args:
        volume: that the labels lie on.
        names: by label.
        origins: by label; none for what no model drew.
        colours: by label, hexadecimal; none for those of their numbers.
    """
    told = {NAMES_KEY: dict(names or {}), ORIGINS_KEY: dict(origins or {}), COLOURS_KEY: dict(colours or {})}
    return {VOLUME_KEY: volume} | told


def mask_layers(read: LabelledObjects, volume: Volume, name: str) -> list[LayerTuple]:
    """Objects on a volume as napari layer tuples, in their file's colours where it has them.

    Several where objects overlap, since a layer holds one label a voxel.
    """
    layers = []
    for labels in read.whole_maps(name):
        present = labels_present(labels)
        data, keywords, kind = labels_tuple(volume, labels, name)
        colours = {number: (*read.colours[number], 1.0) for number in present if number in read.colours}
        told = {number: hex_of(read.colours[number]) for number in colours}
        keywords["metadata"] = mask_metadata(volume, {number: read.names[number] for number in present}, None, told)
        if present and len(colours) == len(present):
            keywords["colormap"] = DirectLabelColormap(color_dict={0: _CLEAR, None: _UNNAMED, **colours})
        layers.append((data, keywords, kind))
    return layers


def told_layers(found: tuple[LabelledObjects, list[LayerTuple]] | None, name: str) -> list[LayerTuple]:
    """The layers of a file of masks, whose oddities are told; none where reading it was cancelled."""
    if found is None:
        return []
    read, layers = found
    warn_of(read, name)
    return layers


def warn_of(read: LabelledObjects, name: str) -> None:
    """Say what was odd about a file of masks, once it is read; in the window's thread."""
    if read.notes:
        show_warning(f"{name}: {' '.join(read.notes)}")


def label_names(labels: np.ndarray, metadata: Mapping[str, Any], layer_name: str) -> dict[int, str]:
    """The name of every label that occurs: the one it was given, else the layer's where it has only one label."""
    present = [number for number in labels_present(labels) if number > 0]
    given = metadata.get(NAMES_KEY) or {}
    if len(present) == 1:
        return {present[0]: given.get(present[0], layer_name)}
    return {number: given.get(number, tr("label {number}", number=number)) for number in present}


def layer_masks(
    labels: np.ndarray, metadata: Mapping[str, Any], layer_name: str, names: Mapping[int, str] | None = None
) -> tuple[dict[int, NamedMask], Volume]:
    """The masks of a labels layer, ready to be written, and the volume that they lie on.

    Args:
        labels: (z, y, x), the layer's data.
        metadata: the layer's.
        layer_name: for messages, and where a label has no name.
        names: in place of those in the metadata.

    Raises:
        InputError: the layer belongs to no volume, no longer fits it, or is empty.
    """
    volume = metadata.get(VOLUME_KEY)
    if not isinstance(volume, Volume):
        raise InputError(
            tr(
                "The labels layer {layer_name!r} belongs to no volume opened with napari-pqcomq, so its place in the "
                "patient is unknown and it was not saved.",
                layer_name=layer_name,
            )
        )
    if labels.shape != volume.grid.shape_zyx:
        shapes = tr("{shape}, its volume {shape_zyx}", shape=labels.shape, shape_zyx=volume.grid.shape_zyx)
        raise InputError(
            tr(
                "The labels layer {layer_name!r} was not saved: it has shape {shapes}.",
                layer_name=layer_name,
                shapes=shapes,
            )
        )
    known = names or label_names(labels, metadata, layer_name)
    if not known:
        raise InputError(tr("The labels layer {layer_name!r} is empty and was not saved.", layer_name=layer_name))
    origins, colours = metadata.get(ORIGINS_KEY) or {}, metadata.get(COLOURS_KEY) or {}
    masks = {
        number: NamedMask(name, labels == number, origins.get(number), colours.get(number))
        for number, name in known.items()
    }
    return masks, volume
