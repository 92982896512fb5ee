"""Volumes to try the plugin on, under File > Open Sample."""

from __future__ import annotations

from typing import Any

from napari.utils.colormaps import DirectLabelColormap

from napari_pqcomq.jobs.models.model_fetch_jobs import Transfer, fetch_real_ct
from napari_pqcomq.jobs.running.waiting import awaited
from napari_pqcomq.layers.mask_layers import TRUTH_KEY, mask_metadata
from napari_pqcomq.layers.volume_layers import image_tuple, labels_tuple
from napari_pqcomq.prompts.marks.box_layers import boxes_tuple
from napari_pqcomq.translation import tr
from pqcomq.errors import InputError
from pqcomq.object_colours import object_colour
from pqcomq.progress import Progress, Steps

LayerTuple = tuple[Any, ...]

DEMO_ORGAN = "right kidney"
_DRAWING, _READING = tr("Drawing the synthetic CT…"), tr("Reading the MR slice…")
_FETCHING = tr("Downloading an abdominal CT (290 MB), once…")


def synthetic_ct_sample() -> list[LayerTuple]:
    """A CT made by code, its exact labels, and a ready box for each organ; none after Cancel."""
    return awaited(_drawing_ct, _DRAWING) or []


def mr_slice_sample() -> list[LayerTuple]:
    """One real MR slice, which pydicom's package ships; none after Cancel."""
    return awaited(_reading_mr, _READING) or []


def real_ct_sample() -> list[LayerTuple]:
    """A real CT, downloaded once and checked against its checksum; none after Cancel, and what has come is kept.

    Raises:
        InputError: it could not be had.
    """
    transfer = Transfer(lambda _done, _total: None)
    return awaited(lambda: _fetching_ct(transfer), _FETCHING, transfer.cancelled.set) or []


def _drawing_ct() -> Steps[list[LayerTuple]]:
    yield Progress(0, 0, _DRAWING)
    from pqcomq.samples.synthetic_ct import synthetic_ct

    sample = synthetic_ct()
    # The last shape prompts unless another is selected: the demo's organ.
    labels = sorted(sample.boxes, key=lambda label: sample.names[label] == DEMO_ORGAN)
    boxes = {sample.names[label]: sample.boxes[label] for label in labels}
    labelled = labels_tuple(sample.volume, sample.labels, "Organs (ground truth)")
    colours = {label: object_colour(number) for number, label in enumerate(labels, start=1)}  # of their boxes
    labelled[1]["metadata"] = {**mask_metadata(sample.volume, sample.names, colours=colours), TRUTH_KEY: True}
    labelled[1]["colormap"] = DirectLabelColormap(color_dict={0: "transparent", None: "yellow", **colours})
    return [
        image_tuple(sample.volume),
        labelled,
        boxes_tuple(sample.volume, boxes),
    ]


def _reading_mr() -> Steps[list[LayerTuple]]:
    yield Progress(0, 0, _READING)
    from pqcomq.samples.mr_slice import mr_slice

    return [image_tuple(mr_slice())]


def _fetching_ct(transfer: Transfer) -> Steps[list[LayerTuple]]:
    yield Progress(0, 0, _FETCHING)
    fetched = fetch_real_ct(transfer)
    if not isinstance(fetched, str):
        return [image_tuple(fetched)]
    if fetched:
        raise InputError(fetched)
    return []
