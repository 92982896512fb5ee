"""The tools beside the one for boxes: points and scribbles. One of them at most has the mouse."""

from __future__ import annotations

from napari.components import ViewerModel
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_pqcomq.prompts.controls.brush_controls import BrushControls
from napari_pqcomq.prompts.controls.point_controls import PointControls
from napari_pqcomq.prompts.controls.tool_controls import ToolControls
from napari_pqcomq.prompts.objects.drawn_object import DrawnObject
from napari_pqcomq.prompts.objects.prompt_list import PromptList
from pqcomq.volumes.volume import Volume


class HandTools(QWidget):
    """Both, one below the other.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
        prompts: what is changed.
        parent: Qt parent.

    Attributes:
        armed: emitted when one of them has been taken up or laid down.
    """

    armed = Signal()

    def __init__(self, viewer: ViewerModel, prompts: PromptList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.points, self.brush = PointControls(viewer, prompts), BrushControls(viewer, prompts)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for each, other in ((self.points, self.brush), (self.brush, self.points)):
            column.addWidget(each)
            each.armed.connect(lambda armed, other=other: self._on_armed(armed, other))

    @property
    def is_armed(self) -> bool:
        """Whether one of them has the mouse."""
        return self.points.tool.is_armed or self.brush.tool.is_armed

    def disarm(self) -> None:
        """Lay both down."""
        self.points.tool.arm(False)
        self.brush.tool.arm(False)

    def set_volume(self, volume: Volume | None) -> None:
        """Work in another volume."""
        self.points.set_volume(volume)
        self.brush.set_volume(volume)

    def show_marks(self, prompts: tuple[DrawnObject, ...], volume: Volume) -> None:
        """Draw points and scribbles on the user's own view."""
        self.points.marks.show(prompts, volume)
        self.brush.marks.show(prompts, volume)

    def kept(self, volume: Volume) -> tuple[DrawnObject, ...]:
        """The objects with points or scribbles of an earlier dock."""
        return (*self.points.marks.kept(volume), *self.brush.marks.kept(volume))

    def release(self) -> None:
        """Stop listening to the viewer."""
        self.points.tool.release()
        self.brush.tool.release()

    def _on_armed(self, armed: bool, other: ToolControls) -> None:
        if armed:
            other.tool.arm(False)
        self.armed.emit()
