"""The button of the brush that scribbles, and all that belongs to it; seen only where the model takes scribbles."""

from __future__ import annotations

from napari.components import ViewerModel
from napari.utils.notifications import show_info
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QWidget

from napari_pqcomq.prompts.brush_tool import BrushTool
from napari_pqcomq.prompts.prompt_list import PromptList
from napari_pqcomq.prompts.scribble_marks import ScribbleMarks
from napari_pqcomq.translation import tr
from pqcomq.volumes.volume import Volume

_TITLE, _ARMED = tr("Scribble"), tr("Drag: draw, Ctrl or Alt: erase")
_TOOLTIP = tr(
    "Drag inside the object, with Ctrl or Alt to erase, with Shift in a further object (G). A scribble prompts the "
    "slices that it is drawn on."
)


class BrushControls(QWidget):
    """Scribbles of the objects: the button, the brush that draws them, their marks on the user's own view.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
        prompts: what is changed.
        parent: Qt parent.

    Attributes:
        armed: emitted with True when drags begin to draw, with False when they no longer do.
    """

    armed = Signal(bool)

    def __init__(self, viewer: ViewerModel, prompts: PromptList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._reason = ""
        self.marks = ScribbleMarks(viewer)
        self.tool = BrushTool(viewer, prompts, self._on_armed)
        self.button = QPushButton(_TITLE)
        self.button.setCheckable(True)
        self.button.setToolTip(_TOOLTIP)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.button)
        self.button.clicked.connect(self.tool.arm)

    def set_volume(self, volume: Volume | None) -> None:
        """Draw in another volume."""
        self.tool.set_volume(volume)

    def offer(self, offered: bool, reason: str) -> None:
        """Say whether scribbles can be drawn now.

        Args:
            offered: there is a volume.
            reason: why the model takes none, which hides the button; empty where it does.
        """
        self._reason = reason
        self.setVisible(not reason)
        self.button.setEnabled(offered and not reason)
        if reason:
            self.tool.arm(False)

    def request(self) -> None:
        """Press the button; while the model takes no scribbles, say why."""
        if self._reason:
            show_info(self._reason)
        self.button.click()

    def _on_armed(self, armed: bool) -> None:
        self.button.setChecked(armed)
        self.button.setText(_ARMED if armed else _TITLE)
        self.armed.emit(armed)
