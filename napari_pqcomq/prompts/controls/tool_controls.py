"""The button of a tool that takes the mouse, and all that belongs to it."""

from __future__ import annotations

from napari.components import ViewerModel
from napari.utils.notifications import show_info
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QWidget

from napari_pqcomq.prompts.objects.prompt_list import PromptList
from napari_pqcomq.prompts.tools.mouse_tool import MouseTool
from pqcomq.volumes.volume import Volume


class ToolControls(QWidget):
    """A button that arms a tool of the mouse.

    Args:
        tool: its class.
        viewer: napari's viewer or the proxy that plugins get.
        prompts: what is changed.
        titles: of the button, and while the tool is armed.
        tooltip: of the button.
        parent: Qt parent.

    Attributes:
        armed: emitted with True when the tool takes the mouse, with False when it no longer does.
    """

    armed = Signal(bool)

    def __init__(
        self,
        tool: type[MouseTool],
        viewer: ViewerModel,
        prompts: PromptList,
        titles: tuple[str, str],
        tooltip: str,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._reason, self._titles = "", titles
        self.tool = tool(viewer, prompts, self._on_armed)
        self.button = QPushButton(titles[0])
        self.button.setCheckable(True)
        self.button.setToolTip(tooltip)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.button)
        self.button.clicked.connect(self.tool.arm)

    def set_volume(self, volume: Volume | None) -> None:
        """Work in another volume."""
        self.tool.set_volume(volume)

    def offer(self, offered: bool, reason: str) -> None:
        """Say whether the tool can be used now.

        Args:
            offered: there is a volume.
            reason: why the model takes no such prompt; empty where it does.
        """
        self._reason = reason
        self.button.setEnabled(offered and not reason)
        if reason:
            self.tool.arm(False)

    def request(self) -> None:
        """Press the button; while it is withheld for the model's sake, say why."""
        if self._reason:
            show_info(self._reason)
        self.button.click()

    def _on_armed(self, armed: bool) -> None:
        self.button.setChecked(armed)
        self.button.setText(self._titles[armed])
        self.armed.emit(armed)
