"""A double click on a case: its image, its labels, and the comparison on its worst slice."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import napari
import numpy as np
from napari.layers import Image, Labels, Layer
from napari.utils.notifications import show_error

from napari_pqcomq.app.compare_widget import CompareWidget
from napari_pqcomq.app.dock import CompareDock
from napari_pqcomq.cohort.cohort_jobs import OpenedCase
from napari_pqcomq.layers.mask_layers import mask_metadata
from napari_pqcomq.layers.volume_layers import image_tuple, labels_tuple, volume_of
from napari_pqcomq.translation import tr
from napari_pqcomq.viewer.navigation.slice_steps import show_slice

_LayerT = TypeVar("_LayerT", bound=Layer)

_PLUGIN, _COMPARE = "napari-pqcomq", "Compare precisions"


def show_case(viewer: napari.viewer.Viewer, opened: OpenedCase) -> None:
    """Open a case in the viewer and compare it in the dock *Compare precisions*, which is opened where it is not.

    Args:
        viewer: with its window.
        opened: the case, read.
    """
    _with_compare_dock(viewer, lambda parts: _compare(viewer, parts, opened))


def _with_compare_dock(viewer: napari.viewer.Viewer, then: Callable[[CompareWidget], None]) -> None:
    _widget, dock = viewer.window.add_plugin_dock_widget(_PLUGIN, _COMPARE, tabify=True)
    assert isinstance(dock, CompareDock)  # noqa: S101 (named in the plugin's manifest)

    def go_on() -> None:
        assert isinstance(dock.parts, CompareWidget)  # noqa: S101 (they are made before the signal)
        then(dock.parts)

    if dock.parts is not None:
        go_on()
    else:
        dock.ready.connect(go_on)


def _compare(viewer: napari.viewer.Viewer, parts: CompareWidget, opened: OpenedCase) -> None:
    panels, workflow = parts.panels, parts.workflow
    if workflow.is_busy:
        show_error(
            tr(
                "“{dock}” is at work: wait for it, or cancel it there, then open {case} again.",
                dock=_COMPARE,
                case=opened.case.name,
            )
        )
        return
    panels.view.close()  # the user has asked for this case; the comparison before is kept with its volume
    name = opened.case.name
    voxels, keywords, _kind = image_tuple(opened.volume)
    image = _shown(viewer, Image(voxels, **{**keywords, "name": name}))
    volume = volume_of(image) or opened.volume
    data, keywords, _kind = labels_tuple(volume, opened.labels, f"{name}, ground truth")
    told = mask_metadata(volume, opened.case.label_names)
    labels = _shown(viewer, Labels(data, **{**keywords, "metadata": told}))
    panels.volume.layers.choose(image)
    panels.volume.take_window(opened.window)
    panels.truth.choose_layer(labels)
    labels.visible = False
    z = opened.prompt.z if opened.prompt.z >= 0 else opened.box.middle
    show_slice(viewer, volume, z)
    panels.objects.load(())
    panels.objects.add(opened.box, opened.prompt.label)
    panels.objects.settle()
    weights = opened.weights
    panels.model.show_loaded(weights.segmenter.key, weights.settings)
    workflow.weights.take({panels.model.choice: weights})
    workflow.compare()


def _shown(viewer: napari.viewer.Viewer, layer: _LayerT) -> _LayerT:
    """The layer, added to the viewer; or one of its name that shows the same, from when the case was opened before."""
    for each in viewer.layers:
        if (
            isinstance(each, type(layer))
            and each.name == layer.name
            and np.array_equal(each.extent.world, layer.extent.world)
            and np.array_equal(each.data, layer.data)
        ):
            return each
    viewer.add_layer(layer)
    return layer
