"""What must be so after every action, whatever it was."""

from __future__ import annotations

import threading
import zlib

import numpy as np
from napari.layers import Image, Labels, Points, Shapes
from qtpy.QtCore import Qt

from napari_pqcomq.layers.comparison_tag import is_of_comparison
from napari_pqcomq.layers.volume_layers import volume_of
from napari_pqcomq.prompts.marks.box_layers import may_hold_boxes

MOST_RESULTS = 6


def checksum(data):
    """Of an array, or of a list of them."""
    arrays = [data] if isinstance(data, np.ndarray) else list(data)
    return [(each.shape, str(each.dtype), zlib.crc32(np.ascontiguousarray(each).tobytes())) for each in arrays]


def figures(result):
    """All that a finished comparison says, and its masks."""
    told = []
    for each in result.comparisons:
        sides = each.reference, each.candidate
        told.append(repr((each.prompt, each.window, each.agreement, each.slices)))
        told += [repr((side.precision, side.volume_ml, side.encoder, side.decoder, side.accuracy)) for side in sides]
        told += [checksum(side.mask.voxels) for side in sides]
    return told


class Memory:
    """What was seen, so that it can be found changed."""

    def __init__(self, window):
        self._window = window
        self._volumes = {}  # volume by identity, with its checksum
        self._results = {}
        self._own = {}  # checksums by the layer's identity
        self._seen = {}  # visibility of the user's layers, while no comparison is open

    def note_own(self):
        """The user has changed their own layers."""
        self._own = {layer.unique_id: checksum(layer.data) for layer in self._window.own_layers if _is_users(layer)}

    def changes(self):
        """What has changed and must not have, a sentence for each."""
        window = self._window
        for layer in window.viewer.layers:
            volume = volume_of(layer)
            if volume is not None:
                self._volumes.setdefault(id(volume.voxels), (volume, checksum(volume.voxels)))
            if _is_users(layer) and not is_of_comparison(layer):
                self._own.setdefault(layer.unique_id, checksum(layer.data))
        for volume, known in self._volumes.values():
            if checksum(volume.voxels) != known:
                yield f"the voxels of {volume.name} have changed"
        for layer in window.own_layers:
            if _is_users(layer) and checksum(layer.data) != self._own[layer.unique_id]:
                self._own[layer.unique_id] = checksum(layer.data)
                yield f"the user's layer {layer.name} has changed"
        yield from self._changed_results()

    def _changed_results(self):
        store = self._window.panels.store if self._window.dock is not None else None
        result = None if store is None else store.result
        if result is not None and id(result) not in self._results:
            self._results[id(result)] = result, figures(result)
            while len(self._results) > MOST_RESULTS:
                del self._results[next(iter(self._results))]
        for known, told in self._results.values():
            if figures(known) != told:
                yield f"figures or masks of {known!r} have changed"

    def lost_sight(self):
        """Layers of the user's that are seen or hidden otherwise than before a comparison was opened."""
        window = self._window
        view = window.panels.view
        if view.is_open or view.is_opening:
            return
        for layer in window.own_layers:
            if volume_of(layer) is not None or not _is_users(layer):
                continue
            before = self._seen.get(layer.unique_id)
            if before is not None and before != layer.visible and layer.unique_id not in window.seen_anew:
                yield f"the user's layer {layer.name} is {'shown' if layer.visible else 'hidden'} by itself"
            self._seen[layer.unique_id] = layer.visible
        window.seen_anew.clear()


def _is_users(layer):
    """Whether the plugin has no business with what is on a layer."""
    if isinstance(layer, (Image, Labels)):
        return not is_of_comparison(layer)
    if isinstance(layer, Points):
        return volume_of(layer) is None
    return isinstance(layer, Shapes) and not may_hold_boxes(layer, None)


def disagreements(window):
    """What is shown and does not agree with what is so, a sentence for each."""
    panels, viewer = window.panels, window.viewer
    yield from _layers(panels, viewer)
    yield from _place(viewer)
    yield from _objects(panels)
    yield from _buttons(panels, window.parts.workflow)
    yield from _volume(panels, viewer)


def _layers(panels, viewer):
    view = panels.view
    tagged = [layer for layer in viewer.layers if is_of_comparison(layer)]
    if not view.is_open and not view.is_opening:
        if tagged:
            yield f"layers of a closed comparison are there: {[layer.name for layer in tagged]}"
        if panels.live.is_running:
            yield "masks follow while no comparison is open"
        if viewer.canvas.background_color_override is not None:
            yield "the ground is still the comparison's"
    if view.is_open:
        stage = view._stage
        wanted = [layer for layer in stage.layers if layer in viewer.layers]
        if len(wanted) != len(stage.layers):
            yield "layers of the comparison are gone, and it is open"
        if list(viewer.layers)[: len(wanted)] != wanted:
            yield f"the comparison's layers are in another order: {[layer.name for layer in viewer.layers]}"
        for layer in tagged:
            if layer not in wanted:
                yield f"{layer.name} is tagged as the comparison's and is none of its layers"
        counts = {len(side.layers) for side in stage.sides}
        if len(counts) != 1:
            yield f"the sides have different numbers of layers: {counts}"
        if any(side.masks.shape != view.volume.voxels.shape for side in stage.sides):
            yield "masks of another shape than the volume's"
        if view.volume is not panels.volume.volume:
            yield "the comparison shows another volume than the dock works on"


def _place(viewer):
    for step, count in zip(viewer.dims.current_step, viewer.dims.nsteps, strict=True):
        if not 0 <= step < max(count, 1):
            yield f"the slice in sight is {viewer.dims.current_step} of {viewer.dims.nsteps}"
    camera = viewer.scene.camera
    if not np.isfinite([*camera.center, camera.zoom, *camera.angles]).all():
        yield f"the camera looks nowhere: {camera}"


def _objects(panels):
    objects, listed, volume = panels.objects.objects, panels.prompts.objects, panels.volume.volume
    names = [listed.item(row).text() for row in range(listed.count())]
    if names != [each.name for each in objects]:
        yield f"the list shows {names}, and there are {[each.name for each in objects]}"
    ticks = [listed.item(row).checkState() == Qt.CheckState.Checked for row in range(listed.count())]
    if ticks != [each.compared for each in objects]:
        yield "ticks in the list are others than the objects'"
    if objects and listed.currentRow() != panels.objects.current:
        yield f"row {listed.currentRow()} of the list is current, and object {panels.objects.current}"
    if len({each.number for each in objects}) != len(objects):
        yield f"two objects have one number: {[each.number for each in objects]}"
    if volume is None:
        return
    depth, height, width = volume.grid.shape_zyx
    for each in objects:
        box = each.box
        if box is not None and not (
            0 <= box.x0 < box.x1 <= width and 0 <= box.y0 < box.y1 <= height and 0 <= box.z0 <= box.z1 < depth
        ):
            yield f"a box lies outside of the volume: {box}"
        if any(not (0 <= p.z < depth and 0 <= p.x < width and 0 <= p.y < height) for p in each.points):
            yield f"a point lies outside of the volume: {each.points}"
    layer = panels.prompts.layers.layer
    boxed = [each for each in objects if each.box is not None]
    if layer is not None and not panels.view.is_open and not panels.view.is_opening and len(layer.data) != len(boxed):
        yield f"{len(boxed)} boxes, and {len(layer.data)} shapes on the layer {layer.name}"


def _buttons(panels, workflow):
    actions, view = panels.actions, panels.view
    can_start = workflow.can_start
    for button, wanted in (
        (actions.compare_button, can_start and len(panels.objects) > 0),
        (actions.live_button, can_start),
        (panels.weights.quantize_button, can_start),
        (panels.prompts.undo_button, panels.objects.can_undo),
        (panels.prompts.redo_button, panels.objects.can_redo),
        (panels.prompts.remove_button, len(panels.objects) > 0),
    ):
        if button.isEnabledTo(button.parentWidget()) != wanted:
            yield f"“{button.text()}” is {'greyed out' if wanted else 'offered'}, and should not be"
    for widget, wanted in (
        (actions.close_button, view.is_open),
        (actions.live_button, not view.is_open),
        (panels.view_bar, view.is_open),
        (panels.jobs, panels.jobs.is_running or view.is_opening),
    ):
        if widget.isHidden() == wanted:
            yield f"{widget} is {'hidden' if wanted else 'shown'}, and should not be"
    if panels.reader_study.stop_button.isHidden() == panels.store.is_being_read:
        yield "the reading's buttons and the reading disagree"
    if panels.store.is_being_read != workflow.on_screen.is_reading:
        yield "a blinded reading is under way in one place, and not in another"


def _volume(panels, viewer):
    volume, store = panels.volume.volume, panels.store
    offered = [panels.volume.layers.itemData(index) for index in range(panels.volume.layers.count())]
    there = [
        each for each in viewer.layers if isinstance(each, Image) and volume_of(each) and not is_of_comparison(each)
    ]
    if offered != there:
        yield f"volumes offered: {offered}, there: {there}"
    if (volume is None) != (not there):
        yield "no volume is chosen though there is one, or the other way round"
    if store.result is not None and (volume is None or store.result.volume.voxels is not volume.voxels):
        yield "figures are of another volume than the one chosen"
    for part in (panels.truth, panels.prompts, panels.prompts._tool):
        if (part.volume if hasattr(part, "volume") else part._volume) is not volume:
            yield f"{part} works on another volume"


def threads():
    """Names of the plugin's threads that should have ended with its view."""
    return [each.name for each in threading.enumerate() if each.name in ("live masks", "ahead")]
