"""The boxes on the user's own Shapes layer, which napari's tools may edit as well."""

from __future__ import annotations

from typing import Any

from napari.components import ViewerModel
from qtpy.QtCore import QObject

from napari_pqcomq.layers.axes_in_sight import is_axial
from napari_pqcomq.layers.volume_layers import voxel_at
from napari_pqcomq.prompts.controls.hand_tools import HandTools
from napari_pqcomq.prompts.marks.box_layers import drawn_on, empty_box_layer, read_prompts, write_prompts
from napari_pqcomq.prompts.objects.drawn_object import DrawnObject
from napari_pqcomq.prompts.objects.merging import as_before
from napari_pqcomq.prompts.objects.prompt_list import PromptList
from napari_pqcomq.widgets.controls.layer_combo_box import LayerComboBox
from pqcomq.volumes.volume import Volume


class ShownBoxes(QObject):
    """Keeps the objects and the chosen Shapes layer alike, whichever of them changes.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
        prompts: the objects.
        layers: chooses the layer.
        hand: draws points and scribbles, which stand on layers of their own.
        parent: Qt parent.
    """

    def __init__(
        self, viewer: ViewerModel, prompts: PromptList, layers: LayerComboBox, hand: HandTools, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._viewer, self._prompts, self._layers, self._hand = viewer, prompts, layers, hand
        self._volume: Volume | None = None
        self._listened: Any = None
        self._is_writing = self._in_view = False
        self._drawn: Any = None  # the objects on the layer, and the slices that they are drawn on
        prompts.changed.connect(self.show)
        prompts.settled.connect(self._write)
        viewer.dims.events.current_step.connect(self.show)
        layers.changed.connect(lambda: self._read())

    @property
    def slice_in_sight(self) -> int:
        """Number of the volume's slice that the viewer shows."""
        dims = self._viewer.dims
        if self._volume is None:
            return int(dims.current_step[0])
        return voxel_at(self._volume, dims.point)[0]

    def set_volume(self, volume: Volume | None) -> None:
        """Show the boxes of another volume, and take the objects that its layers hold."""
        self._volume = volume
        self._is_writing = True  # the layers of this volume are offered now; they are read below
        self._layers.refresh()
        self._is_writing = False
        self._read(() if volume is None else self._hand.kept(volume))

    def set_in_view(self, shown: bool) -> None:
        """While an open comparison shows the boxes, the user's own layer is left as it is."""
        self._in_view = shown
        self.show()

    def show(self, event: object = None) -> None:
        """Draw the boxes as they are now, on the slice in sight: also while one is drawn or moved."""
        layer = self._layers.layer
        if self._in_view or self._volume is None or self._is_writing or not is_axial(self._viewer.dims):
            return
        self._hand.show_marks(self._prompts.objects, self._volume)
        boxes = [each.box for each in self._prompts.objects if each.box is not None]
        if layer is None:
            if boxes:
                self._write()
            return
        drawn = self._prompts.objects, [drawn_on(each, self.slice_in_sight) for each in boxes]
        if drawn != self._drawn and str(layer.mode) == "pan_zoom":
            self._drawn = drawn
            write_prompts(layer, self._volume, self._prompts.objects, self.slice_in_sight)

    def release(self) -> None:
        """Stop listening to the viewer."""
        self._stop_listening()
        self._viewer.dims.events.current_step.disconnect(self.show)

    def _read(self, pointed: tuple[DrawnObject, ...] | None = None) -> None:
        """Take the objects of the chosen layer and follow it; points and scribbles are ``pointed``'s, or as now."""
        self._stop_listening()
        layer = self._layers.layer
        if layer is not None:
            layer.events.data.connect(self._on_shapes)
            self._listened = layer
        if self._is_writing:
            return
        if layer is None and pointed is None:  # the user has deleted it, perhaps by a slip
            self._prompts.take_edited(as_before((), self._prompts.objects))
        else:
            self._prompts.load(as_before(self._shapes(), self._prompts.objects if pointed is None else pointed))

    def _stop_listening(self) -> None:
        if self._listened is not None:
            self._listened.events.data.disconnect(self._on_shapes)
            self._listened = None

    def _on_shapes(self, event: Any) -> None:  # noqa: ANN401 (napari's event)
        if str(event.action) in ("added", "changed", "removed"):  # the others announce what is not done yet
            self._prompts.take_edited(as_before(self._shapes(), self._prompts.objects))
            boxed = [each for each in self._prompts.objects if each.box is not None]
            if self._layers.layer is not None and len(self._layers.layer.data) != len(boxed):
                self._write()  # a shape outside of the volume, or a flat one, is no object

    def _shapes(self) -> tuple[DrawnObject, ...]:
        """The boxes of the layer."""
        layer = self._layers.layer
        return read_prompts(layer, self._volume) if layer is not None and self._volume is not None else ()

    def _write(self) -> None:
        """Show the objects on the user's layer, made if there is none."""
        self._drawn = None
        is_boxed = any(each.box is not None for each in self._prompts.objects)
        if self._volume is None or (self._layers.layer is None and not is_boxed):
            return
        if self._layers.layer is None:
            layer = empty_box_layer(self._volume)
            write_prompts(layer, self._volume, self._prompts.objects, self.slice_in_sight)
            self._is_writing = True  # the chooser takes the new layer at once; there is nothing to read from it
            self._viewer.add_layer(layer)
            self._is_writing = False
        else:
            write_prompts(self._layers.layer, self._volume, self._prompts.objects, self.slice_in_sight)
