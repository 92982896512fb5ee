"""Joins brush and eraser to the view, the results and the boxes' mouse."""

from __future__ import annotations

from functools import partial

import numpy as np
from napari.utils.notifications import show_info
from qtpy.QtCore import QObject

from napari_pqcomq.app.on_screen.comparison_on_screen import ComparisonOnScreen
from napari_pqcomq.app.on_screen.mask_keeping import add_masks
from napari_pqcomq.app.panels.panels import Panels
from napari_pqcomq.autosave.recorded_layers import corrected_labels, restored_layer
from napari_pqcomq.jobs.running.errands import Errands
from napari_pqcomq.layers.label_strokes import LabelStrokes
from napari_pqcomq.results.held.corrections import Corrections
from napari_pqcomq.translation import tr
from napari_pqcomq.viewer.comparison.correction_tool import CorrectionTool, Painted, Tool
from pqcomq.autosave.work import KeptLabels
from pqcomq.comparison.comparison_result import ComparisonResult
from pqcomq.volumes.volume import Volume

_Read = tuple[Volume, list[tuple[KeptLabels, np.ndarray]]]


class Correcting(QObject):
    """What the tab "Correct" asks for.

    Corrections end when their object's prompt is changed or the models are run again. What was painted until then is
    kept as labels layers of the user's: it is the work of minutes, and a box is moved by a slip of the mouse.

    Args:
        panels: of the dock.
        on_screen: of the dock.
        parent: Qt parent.

    Attributes:
        tool: brush and eraser.
    """

    def __init__(self, panels: Panels, on_screen: ComparisonOnScreen, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._panels, self._on_screen = panels, on_screen
        self._shown: tuple[ComparisonResult | None, Corrections] = None, panels.store.corrections
        self._errands = Errands(self)
        self._labels = LabelStrokes(panels.viewer)
        self._stroke_came_last = False  # and not a change of the boxes
        self.tool = CorrectionTool(panels.viewer, panels.view, self._number, self)
        panels.corrections.radius.setValue(self.tool.radius_mm)
        panels.corrections.tool_requested.connect(self.take)
        panels.corrections.radius_changed.connect(self.tool.set_radius)
        panels.corrections.undo_requested.connect(self.undo)
        self.tool.taken.connect(panels.corrections.show_tool)
        self.tool.taken.connect(lambda tool: panels.prompts.rest_mouse(bool(tool)))
        panels.prompts.armed.connect(lambda: self.tool.take(None))
        self.tool.painted.connect(self._on_painted)
        panels.results.currentChanged.connect(lambda _index: self._lay_down_unseen())
        on_screen.shown.connect(self._on_shown)
        panels.live.outdated.connect(self._on_outdated)
        panels.objects.settled.connect(self._on_boxes)

    def take(self, tool: Tool) -> None:
        """Take a tool into the hand, or lay it down; only where there is a result to be corrected."""
        panels = self._panels
        if self._on_screen.result is None or self._on_screen.is_reading or not panels.view.is_open:
            panels.corrections.show_tool("")
            return
        self.tool.take(tool)
        panels.results.open_panel(panels.corrections)

    def _lay_down_unseen(self) -> None:
        """With another tab open nothing tells that a drag paints."""
        if not self._panels.results.shows(self._panels.corrections):
            self.tool.take(None)

    def undo(self) -> None:
        """Take the last stroke back."""
        self._put(self._panels.store.corrections.undo(), back=True)

    def redo(self) -> None:
        """Make the stroke again that was taken back last."""
        self._put(self._panels.store.corrections.redo(), back=False)

    def undo_stroke_or_box(self) -> None:
        """Ctrl+Z: the last stroke with a tool in the hand, or where it came last; else the last change of the boxes."""
        if self._on_screen.is_reading:
            return  # nobody sees what would change
        if self._is_about_strokes and self._panels.store.corrections.can_undo:
            self.undo()
        elif self.tool.tool is None and not self._labels.undo():
            self._panels.objects.undo()

    def redo_stroke_or_box(self) -> None:
        """Ctrl+Shift+Z: what Ctrl+Z took back."""
        if self._on_screen.is_reading:
            return
        if self._is_about_strokes and self._panels.store.corrections.can_redo:
            self.redo()
        elif self.tool.tool is None and not self._labels.redo():
            self._panels.objects.redo()

    def finish(self) -> None:
        """Have the layers now that hold what was painted: the dock is about to close."""
        self._errands.finish()

    def release(self) -> None:
        """Stop listening to the viewer."""
        self.tool.release()
        self._labels.release()

    @property
    def _is_about_strokes(self) -> bool:
        return self.tool.tool is not None or (self._stroke_came_last and self._shows_result)

    @property
    def _shows_result(self) -> bool:
        """Whether the masks in sight are those that the corrections are about."""
        on_screen, store = self._on_screen, self._panels.store
        return on_screen.result is not None and on_screen.result is store.result and not on_screen.is_reading

    def _number(self) -> int:
        """The current object, where the masks in sight are a comparison's; masks that follow a box are not painted."""
        found = self._on_screen.current_result()
        return 0 if found is None else found.number

    def _put(self, stroke: Painted | None, *, back: bool) -> None:
        """Show what a stroke changed as before it or after it."""
        if stroke is not None:
            if self._shows_result:
                self._show(stroke.side, stroke.z, stroke.changed, stroke.before if back else stroke.after)
            self._panels.store.corrected.emit()

    def _show(self, side: int, z: int, changed: np.ndarray, labels: np.ndarray) -> None:
        shown = self._panels.view.masks(z)
        if side < len(shown):
            self._panels.view.set_mask_of(side, z, np.where(changed, labels, shown[side]))

    def _on_painted(self, stroke: Painted) -> None:
        self._stroke_came_last = True
        self._labels.forget()
        self._panels.store.corrections.note(stroke)
        self._panels.store.corrected.emit()

    def _on_boxes(self) -> None:
        self._stroke_came_last = False
        self._labels.forget()

    def _on_shown(self) -> None:
        """Something else is on screen: a comparison that was corrected before is seen as it was left."""
        self.tool.take(None)
        store, (result, corrections) = self._panels.store, self._shown
        self._shown = store.result, store.corrections
        if result is not None and corrections and corrections is not store.corrections:
            self._keep_as_layers(result, corrections)  # the models were run again
        if self._shows_result:
            for change in store.corrections.changes():
                self._show(*change)

    def _on_outdated(self, number: int) -> None:
        """The prompt of an object was changed: its corrected masks are gone from the view."""
        store = self._panels.store
        if store.result is None or not self._shows_result:
            return  # the masks of a comparison that is not in sight stay as they were corrected
        if any(of == number for _side, of in store.corrections.worked_on()):
            self._keep_as_layers(store.result, store.corrections.snapshot())
        store.corrections.forget(number)
        store.corrected.emit()

    def _keep_as_layers(self, result: ComparisonResult, corrections: Corrections) -> None:
        """Corrected masks as layers of the user's; whole volumes are hashed, which is done in a thread."""
        if result.volume is not self._panels.volume.volume:
            return  # they are kept with the comparison of that volume
        self._errands.start(partial(_read, result, corrections), self._add_layers)

    def _add_layers(self, read: _Read) -> None:
        volume, layers = read
        for kept, labels in layers:
            add_masks(self._panels, restored_layer(kept, labels, volume), volume)
        show_info(
            tr(
                "The corrections have ended, since the models are asked anew. What was painted is kept as “{names}”, "
                "shown when the comparison is closed.",
                names=tr(" and ").join(kept.name for kept, _labels in layers),
            )
        )


def _read(result: ComparisonResult, corrections: Corrections) -> _Read:
    return result.volume, [(each, each.voxels()) for each in corrected_labels(result, corrections)]
