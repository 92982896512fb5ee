"""The button of the point tool, and all that belongs to it."""

from __future__ import annotations

from napari.components import ViewerModel
from napari.utils.notifications import show_info
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QWidget

from napari_pqcomq.prompts.point_marks import PointMarks
from napari_pqcomq.prompts.point_tool import PointTool
from napari_pqcomq.prompts.prompt_list import PromptList
from napari_pqcomq.translation import tr
from pqcomq.volumes.volume import Volume

_TITLE, _ARMED = tr("Points"), tr("Click: inside, Ctrl or Alt: outside")
_TOOLTIP = tr(
    "Click inside the object (+), with Ctrl or Alt outside of it (−), with Shift in a further object; drag a point to "
    "move it, click on it to remove it (P). A point prompts its own slice."
)


class PointControls(QWidget):
    """Points of the objects: the button, the tool that sets them, their marks on the user's own view.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
        prompts: what is changed.
        parent: Qt parent.

    Attributes:
        armed: emitted with True when clicks begin to set points, with False when they no longer do.
    """

    armed = Signal(bool)

    def __init__(self, viewer: ViewerModel, prompts: PromptList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._reason = ""
        self.marks = PointMarks(viewer)
        self.tool = PointTool(viewer, prompts, self._on_armed)
        self.button = QPushButton(_TITLE)
        self.button.setCheckable(True)
        self.button.setToolTip(_TOOLTIP)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.button)
        self.button.clicked.connect(self.tool.arm)

    def set_volume(self, volume: Volume | None) -> None:
        """Set points in another volume."""
        self.tool.set_volume(volume)

    def offer(self, offered: bool, reason: str) -> None:
        """Say whether points can be set now.

        Args:
            offered: there is a volume.
            reason: why the model takes none; empty where it does.
        """
        self._reason = reason
        self.button.setEnabled(offered and not reason)
        self.button.setToolTip(reason or _TOOLTIP)
        if reason:
            self.tool.arm(False)

    def request(self) -> None:
        """Press the button; while it is greyed out for the model's sake, say why."""
        if self._reason:
            show_info(self._reason)
        self.button.click()

    def _on_armed(self, armed: bool) -> None:
        self.button.setChecked(armed)
        self.button.setText(_ARMED if armed else _TITLE)
        self.armed.emit(armed)
