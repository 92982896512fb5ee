"""Masks in sight as labels layers of the user's: to be edited, saved or exported, also those of live prompts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap

from napari_pqcomq.layers.mask_layers import mask_metadata
from napari_pqcomq.layers.volume_layers import transform
from napari_pqcomq.prompts.objects.drawn_object import MOST_OBJECTS, DrawnObject
from napari_pqcomq.results.held.corrections import Corrections
from napari_pqcomq.translation import tr
from pqcomq.comparison.compared_model import ComparedModel
from pqcomq.masks.origin import Origin
from pqcomq.object_colours import object_colour
from pqcomq.segmentation.propagation import PromptMode
from pqcomq.volumes.intensity_window import Window
from pqcomq.volumes.volume import Volume

if TYPE_CHECKING:
    from pqcomq.comparison.comparison_result import ComparisonResult

Prompts = Mapping[int, tuple[DrawnObject, PromptMode, Window]]
"""By object number: the object, where the prompts of its slices came from, and the window that the models saw."""

_UNCORRECTED: Mapping[tuple[int, int], np.ndarray] = {}
_NOTHING: Mapping[int, np.ndarray] = {}

_COLOURS: dict[int | None, str] = {
    0: "transparent",
    None: "yellow",  # labels that are painted later
    **{number: object_colour(number) for number in range(1, MOST_OBJECTS + 1)},
}


def prompts_in_sight(
    objects: Iterable[DrawnObject], result: ComparisonResult | None, is_live: Callable[[int], bool], window: Window
) -> dict[int, tuple[DrawnObject, PromptMode, Window]]:
    """What prompted the masks in sight: the boxes compared, and of live objects their box on every slice.

    Args:
        objects: as they are now.
        result: on screen, None where all masks are live.
        is_live: whether the masks of an object, given by its number, are live.
        window: of live masks; the models may have been compared in another one.
    """
    prompts: dict[int, tuple[DrawnObject, PromptMode, Window]] = {}
    for each in objects:
        found = None if result is None or is_live(each.number) else result.of(each.number)
        prompts[each.number] = (
            (each, "same", window)
            if found is None
            else (DrawnObject.of(found.number, found.name, found.prompt), found.mode, found.window)
        )
    return prompts


def drawn_before(result: ComparisonResult, corrections: Corrections) -> dict[tuple[int, int], np.ndarray]:
    """The models' own masks (z, y, x) by side and object number, of those that were corrected by hand."""
    shape = result.volume.grid.shape_zyx
    found = {(side, number): result.of(number) for side, number in corrections.worked_on()}
    return {key: each.results[key[0]].mask_in(shape) for key, each in found.items() if each is not None}


def kept_layers(
    masks: Sequence[np.ndarray],
    volume: Volume,
    drawn_by: Sequence[ComparedModel],
    prompts: Prompts,
    drawn: Mapping[tuple[int, int], np.ndarray] = _UNCORRECTED,
) -> list[Labels]:
    """One layer a side, sides without a mask left out; see :func:`kept_layer`.

    ``drawn`` has the models' own masks by side and object number, of those that were corrected since.
    """
    layers = []
    for side, (labels, model) in enumerate(zip(masks, drawn_by, strict=True)):
        own = {number: mask for (of_side, number), mask in drawn.items() if of_side == side}
        if labels.any():
            layers.append(kept_layer(labels, volume, model, prompts, own))
    return layers


def kept_layer(
    labels: np.ndarray,
    volume: Volume,
    drawn_by: ComparedModel,
    prompts: Prompts,
    drawn: Mapping[int, np.ndarray] = _NOTHING,
) -> Labels:
    """One side's masks as a layer that knows the names and the origin of each, in the objects' colours.

    Args:
        labels: (z, y, x) object numbers; not copied.
        volume: that they lie on.
        drawn_by: the side's model.
        prompts: that the masks were drawn with.
        drawn: object number → (z, y, x) bool, the model's own mask where it was corrected by hand since.
    """
    present = [number for number in prompts if (labels == number).any()]
    model = drawn_by.as_run
    origins = {}
    for number in present:
        prompt, mode, window = prompts[number]
        origins[number] = Origin.of(model, prompt.asked, mode, window, drawn.get(number, labels == number))
    names = {number: prompts[number][0].name for number in present}
    name = tr("Masks of {precision}", precision=drawn_by.segmenter.precision)
    return labels_layer(labels, name, volume, names, origins)


def labels_layer(
    labels: np.ndarray, name: str, volume: Volume, names: Mapping[int, str], origins: Mapping[int, Origin]
) -> Labels:
    """Masks as a layer in the objects' colours.

    Args:
        labels: (z, y, x) object numbers; not copied.
        name: of the layer.
        volume: that they lie on.
        names: by label.
        origins: by label, of those that a model drew.
    """
    return Labels(
        labels,
        name=name,
        opacity=0.5,
        colormap=DirectLabelColormap(color_dict=_COLOURS),
        metadata=mask_metadata(volume, names, origins),
        **transform(volume),
    )
