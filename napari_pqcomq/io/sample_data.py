"""Volumes to try the plugin on, under File > Open Sample."""

from __future__ import annotations

from typing import Any

from napari.utils import progress

from napari_pqcomq.layers.mask_layers import TRUTH_KEY, mask_metadata
from napari_pqcomq.layers.volume_layers import image_tuple, labels_tuple
from napari_pqcomq.prompts.box_layers import boxes_tuple
from napari_pqcomq.translation import tr

LayerTuple = tuple[Any, ...]

DEMO_ORGAN = "right kidney"


def synthetic_ct_sample() -> list[LayerTuple]:
    """A CT made by code, its exact labels, and a ready box for each organ."""
    from pqcomq.samples.synthetic_ct import synthetic_ct

    sample = synthetic_ct()
    # The last shape prompts unless another is selected: the demo's organ.
    labels = sorted(sample.boxes, key=lambda label: sample.names[label] == DEMO_ORGAN)
    boxes = {sample.names[label]: sample.boxes[label] for label in labels}
    labelled = labels_tuple(sample.volume, sample.labels, "Organs (ground truth)")
    labelled[1]["metadata"] = {**mask_metadata(sample.volume, sample.names), TRUTH_KEY: True}
    return [
        image_tuple(sample.volume),
        labelled,
        boxes_tuple(sample.volume, boxes),
    ]


def mr_slice_sample() -> list[LayerTuple]:
    """One real MR slice, which pydicom's package ships."""
    from pqcomq.samples.mr_slice import mr_slice

    return [image_tuple(mr_slice())]


def real_ct_sample() -> list[LayerTuple]:
    """A real CT, downloaded once and checked against its checksum."""
    from pqcomq.samples.real_ct import real_ct

    with progress(total=0, desc=tr("Downloading an abdominal CT")) as bar:
        return [image_tuple(real_ct(bar))]
