"""The button of the point tool, and all that belongs to it."""

from __future__ import annotations

from napari.components import ViewerModel
from qtpy.QtWidgets import QWidget

from napari_pqcomq.prompts.controls.tool_controls import ToolControls
from napari_pqcomq.prompts.marks.point_marks import PointMarks
from napari_pqcomq.prompts.objects.prompt_list import PromptList
from napari_pqcomq.prompts.tools.point_tool import PointTool
from napari_pqcomq.translation import tr

_TITLE, _ARMED = tr("Points"), tr("Click: inside, Ctrl or Alt: outside")
_TOOLTIP = tr(
    "Click inside the object (+), with Ctrl or Alt outside of it (−), with Shift in a further object; drag a point to "
    "move it, click on it to remove it (P). A point prompts its own slice."
)


class PointControls(ToolControls):
    """Points of the objects: the button, the tool that sets them, their marks on the user's own view.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
        prompts: what is changed.
        parent: Qt parent.
    """

    def __init__(self, viewer: ViewerModel, prompts: PromptList, parent: QWidget | None = None) -> None:
        super().__init__(PointTool, viewer, prompts, (_TITLE, _ARMED), _TOOLTIP, parent)
        self.marks = PointMarks(viewer)

    def offer(self, offered: bool, reason: str) -> None:
        """Say whether points can be set now; a button that is greyed out tells why."""
        super().offer(offered, reason)
        self.button.setToolTip(reason or _TOOLTIP)
