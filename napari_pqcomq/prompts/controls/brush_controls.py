"""The button of the brush that scribbles, and all that belongs to it; seen only where the model takes scribbles."""

from __future__ import annotations

from napari.components import ViewerModel
from qtpy.QtWidgets import QWidget

from napari_pqcomq.prompts.controls.tool_controls import ToolControls
from napari_pqcomq.prompts.marks.scribble_marks import ScribbleMarks
from napari_pqcomq.prompts.objects.prompt_list import PromptList
from napari_pqcomq.prompts.tools.brush_tool import BrushTool
from napari_pqcomq.translation import tr

_TITLE, _ARMED = tr("Scribble"), tr("Drag: draw, Ctrl or Alt: erase")
_TOOLTIP = tr(
    "Drag inside the object, with Ctrl or Alt to erase, with Shift in a further object (G). A scribble prompts the "
    "slices that it is drawn on."
)


class BrushControls(ToolControls):
    """Scribbles of the objects: the button, the brush that draws them, their marks on the user's own view.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
        prompts: what is changed.
        parent: Qt parent.
    """

    def __init__(self, viewer: ViewerModel, prompts: PromptList, parent: QWidget | None = None) -> None:
        super().__init__(BrushTool, viewer, prompts, (_TITLE, _ARMED), _TOOLTIP, parent)
        self.marks = ScribbleMarks(viewer)

    def offer(self, offered: bool, reason: str) -> None:
        """Say whether scribbles can be drawn now; the button is hidden where the model takes none."""
        super().offer(offered, reason)
        self.setVisible(not reason)
