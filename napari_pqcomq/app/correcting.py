"""Joins brush and eraser to the view, the results and the boxes' mouse."""

from __future__ import annotations

from qtpy.QtCore import QObject

from napari_pqcomq.app.panels import Panels
from napari_pqcomq.app.workflow import Workflow
from napari_pqcomq.viewer.correction_tool import CorrectionTool, Painted, Tool


class Correcting(QObject):
    """What the tab "Correct" asks for.

    Args:
        panels: of the dock.
        workflow: of the dock.
        parent: Qt parent.

    Attributes:
        tool: brush and eraser.
    """

    def __init__(self, panels: Panels, workflow: Workflow, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._panels, self._workflow = panels, workflow
        self.tool = CorrectionTool(panels.viewer, panels.view, self._number, self)
        panels.corrections.radius.setValue(self.tool.radius_mm)
        panels.corrections.tool_requested.connect(self.take)
        panels.corrections.radius_changed.connect(self.tool.set_radius)
        panels.corrections.undo_requested.connect(self.undo)
        self.tool.taken.connect(panels.corrections.show_tool)
        self.tool.taken.connect(lambda tool: panels.prompts.rest_mouse(bool(tool)))
        self.tool.painted.connect(self._on_painted)
        workflow.shown.connect(lambda: self.tool.take(None))
        panels.live.outdated.connect(self._on_outdated)

    def take(self, tool: Tool) -> None:
        """Take a tool into the hand, or lay it down; only where there is a result to be corrected."""
        panels = self._panels
        if self._workflow.result is None or self._workflow.is_reading or not panels.view.is_open:
            panels.corrections.show_tool("")
            return
        self.tool.take(tool)
        panels.results.open_panel(panels.corrections)

    def undo(self) -> None:
        """Take the last stroke back."""
        stroke = self._panels.store.corrections.undo()
        if stroke is not None:
            if self._workflow.result is self._panels.store.result:
                self._panels.view.set_mask_of(stroke.side, stroke.z, stroke.before)
            self._panels.store.corrected.emit()

    def undo_stroke_or_box(self) -> None:
        """Ctrl+Z: what the hand did last with the tool in it, else with the boxes."""
        if self.tool.tool is not None:
            self.undo()
        else:
            self._panels.objects.undo()

    def release(self) -> None:
        """Stop listening to the viewer."""
        self.tool.release()

    def _number(self) -> int:
        """The current object, where the masks in sight are a comparison's; masks that follow a box are not painted."""
        found = self._workflow.current_result()
        return 0 if found is None else found.number

    def _on_painted(self, stroke: Painted) -> None:
        self._panels.store.corrections.note(stroke)
        self._panels.store.corrected.emit()

    def _on_outdated(self, number: int) -> None:
        """The box of an object was moved: its corrected masks are gone from the view."""
        self._panels.store.corrections.forget(number)
        self._panels.store.corrected.emit()
