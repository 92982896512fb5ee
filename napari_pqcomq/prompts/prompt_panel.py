"""The boxes and points that prompt the models: drawn, named, given a slice range, undone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from napari.components import ViewerModel
from napari.utils.notifications import show_info
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QFormLayout, QGroupBox, QLabel, QPushButton, QSpinBox, QVBoxLayout, QWidget

from napari_pqcomq.prompts.controls.hand_tools import HandTools
from napari_pqcomq.prompts.marks.box_layers import may_hold_boxes
from napari_pqcomq.prompts.object_list import ObjectList
from napari_pqcomq.prompts.objects.prompt_list import PromptList
from napari_pqcomq.prompts.objects.prompt_modes import MODE_TOOLTIP, MODES
from napari_pqcomq.prompts.shown_boxes import ShownBoxes
from napari_pqcomq.prompts.tools.box_tool import BoxTool
from napari_pqcomq.translation import tr
from napari_pqcomq.widgets.controls.combo_boxes import choose_kept
from napari_pqcomq.widgets.controls.layer_combo_box import LayerComboBox
from napari_pqcomq.widgets.controls.rows import row, shown_or_hidden
from pqcomq.models.catalogue.entries import PromptKind
from pqcomq.segmentation.propagation import PromptMode
from pqcomq.volumes.volume import Volume

_DRAW_TOOLTIP = tr("Drag a rectangle round an organ, on any side (B).")

_EXTEND_TOOLTIP = tr(
    "A 3-D box by two slices: go to another slice and drag a rectangle there; the current box grows to hold both (E)."
)
_NARROW = "QSpinBox { min-width: 36px; }"
"""napari's style makes two spin boxes side by side wider than the dock."""


class PromptPanel(QGroupBox):
    """Objects, slice range and propagation mode.

    The chosen Shapes layer shows the objects and may be edited with napari's own tools as well.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
        prompts: the objects, which this panel shows and changes.
        parent: Qt parent.

    Attributes:
        draw_requested: emitted by the buttons that draw, with True to extend the current box; :meth:`draw` does it.
        armed: emitted when one of the tools here takes the mouse: any other is to be laid down.
    """

    draw_requested = Signal(bool)
    armed = Signal()

    def __init__(self, viewer: ViewerModel, prompts: PromptList, parent: QWidget | None = None) -> None:
        super().__init__(tr("Objects"), parent)
        self._volume: Volume | None = None
        self._in_view = False
        self._prompts = prompts
        self._tool = BoxTool(viewer, prompts, self._on_armed)
        self.hand = HandTools(viewer, prompts)
        self.points, self.brush = self.hand.points, self.hand.brush
        self._rests, self._no_boxes = False, ""
        self.layers = LayerComboBox(viewer, lambda layer: may_hold_boxes(layer, self._volume))
        self._boxes = ShownBoxes(viewer, prompts, self.layers, self.hand, self)
        self.objects = ObjectList(self._prompts)
        self.first, self.last, self.modes = QSpinBox(), QSpinBox(), QComboBox()
        for mode, title in MODES.items():
            self.modes.addItem(title, mode)
        self.modes.setToolTip(MODE_TOOLTIP)
        self._make_buttons()
        self._form = form = QFormLayout()
        form.addRow(tr("Layer"), self.layers)
        form.addRow(tr("Slices"), row(self.first, QLabel(tr("to")), self.last))
        form.addRow(tr("Prompts"), self.modes)
        column = QVBoxLayout(self)
        column.addLayout(row(self.draw_button, self.extend_button, self.remove_button))
        self._steps_back = shown_or_hidden(row(self.undo_button, self.redo_button))
        column.addLayout(row(self.hand, self._steps_back))
        column.addWidget(self.objects)
        column.addLayout(form)
        self._connect()
        self._show_current()

    @property
    def mode(self) -> PromptMode:
        """Where the prompts of the slices come from."""
        mode: PromptMode = self.modes.currentData()
        return mode

    @property
    def has_objects(self) -> bool:
        """Whether a box or a scribble is drawn, or a point set."""
        return len(self._prompts) > 0

    def set_volume(self, volume: Volume | None) -> None:
        """Prompt in another volume."""
        self._volume = volume
        self._tool.set_volume(volume)
        self.hand.set_volume(volume)
        highest = volume.grid.shape_zyx[0] - 1 if volume is not None else 0
        for spin in (self.first, self.last):
            spin.blockSignals(True)
            spin.setRange(0, highest)
            spin.blockSignals(False)
        self._boxes.set_volume(volume)

    def draw(self, *, extend: bool = False) -> None:
        """Draw with the next drag; pressed again, let it be."""
        self.hand.disarm()
        if self._tool.is_armed:
            self._tool.arm(False)
        elif self._volume is not None:
            self._tool.arm(True, extend=extend)

    def lay_down(self) -> None:
        """Leave the next drag to napari, whatever tool was in the hand."""
        self._tool.arm(False)
        self.hand.disarm()

    def rest_mouse(self, rests: bool) -> None:
        """Leave the mouse to another tool."""
        self._rests = rests
        if rests:
            self.lay_down()
        self._share_mouse()

    def lock(self, locked: bool) -> None:
        """Let neither mouse nor keys change the prompts: a blinded reader does not see them."""
        if locked == self.isEnabled():
            self.setEnabled(not locked)
            self.rest_mouse(locked)

    def set_end(self, which: str) -> None:
        """Let the current box begin ("first") or end ("last") on the slice in sight."""
        spin = self.first if which == "first" else self.last
        if self.isEnabled():
            spin.setValue(self._boxes.slice_in_sight)

    def nudge(self, dx: int, dy: int) -> None:
        """Move the current box by voxels to the right and down."""
        self._tool.nudge(dx, dy)

    def request_drawing(self, *, extend: bool = False) -> None:
        """Press the button that draws, or the one that extends; where the model takes no boxes, say so."""
        if self._no_boxes:
            show_info(self._no_boxes)
        (self.extend_button if extend else self.draw_button).click()

    def offer_drawing(self, offered: bool, why_not: Mapping[PromptKind, str] | None = None) -> None:
        """Say whether prompts can be drawn now; ``why_not`` tells why the model takes none of a kind, else nothing."""
        reasons = why_not or {}
        self._no_boxes = reasons.get("box", "")
        self.draw_button.setEnabled(offered and not self._no_boxes)
        self.draw_button.setToolTip(self._no_boxes or _DRAW_TOOLTIP)
        if self._no_boxes:
            self._tool.arm(False)
        self.points.offer(offered, reasons.get("points", ""))
        self.brush.offer(offered, reasons.get("scribble", ""))

    def show_in_view(self, shown: bool) -> None:
        """Say whether an open comparison shows the boxes: the user's own layer is then left until it is closed."""
        self._in_view = shown
        self._show_what_applies()
        self._boxes.set_in_view(shown)

    def preferences(self) -> dict[str, str]:
        """What is remembered from one session to the next."""
        return {"prompts": self.mode}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take over what was remembered; a mode that no longer exists is passed over."""
        choose_kept(self.modes, list(MODES), kept.get("prompts", ""))

    def release(self) -> None:
        """Stop listening to the viewer's layers and mouse."""
        self._boxes.release()
        self._tool.release()
        self.hand.release()
        self.layers.release()

    def _make_buttons(self) -> None:
        self.draw_button, self.extend_button = QPushButton(tr("Draw a box")), QPushButton(tr("Extend"))
        self.remove_button = QPushButton(tr("Remove"))
        self.undo_button, self.redo_button = QPushButton(tr("Undo")), QPushButton(tr("Redo"))
        for button in (self.draw_button, self.extend_button):
            button.setCheckable(True)
        self.draw_button.setToolTip(_DRAW_TOOLTIP)
        self.extend_button.setToolTip(_EXTEND_TOOLTIP)
        self.undo_button.setToolTip(tr("Take back the last change of a box (Ctrl+Z)."))
        self.redo_button.setToolTip(tr("Make it again (Ctrl+Shift+Z)."))
        self.first.setToolTip(tr("The box's first slice, nearest the feet ([)."))
        self.last.setToolTip(tr("The box's last slice (])."))
        for spin in (self.first, self.last):
            spin.setStyleSheet(_NARROW)
            spin.setKeyboardTracking(False)  # the 1 of a typed 12 would take the other end along

    def _connect(self) -> None:
        self.hand.armed.connect(self._share_mouse)
        self.draw_button.clicked.connect(lambda: self.draw_requested.emit(False))
        self.extend_button.clicked.connect(lambda: self.draw_requested.emit(True))
        self.remove_button.clicked.connect(lambda: self._prompts.remove(self._prompts.current))
        self.undo_button.clicked.connect(self._prompts.undo)
        self.redo_button.clicked.connect(self._prompts.redo)
        self._prompts.changed.connect(self._show_current)
        self._prompts.settled.connect(self._show_current)
        self.first.valueChanged.connect(self._on_range)
        self.last.valueChanged.connect(self._on_range)
        self.layers.changed.connect(self._show_what_applies)

    def _share_mouse(self) -> None:
        """While points are set or a scribble is drawn, a drag inside a box does not move the box."""
        if self.hand.is_armed:
            self._tool.arm(False)
            self.armed.emit()
        self._tool.rests = self._rests or self.hand.is_armed or not self.isEnabled()
        self._show_what_applies()

    def _on_armed(self, armed: bool) -> None:
        """Light up the button of the tool that the next drag belongs to."""
        if armed:
            self.armed.emit()
        for button, title, is_its in (
            (self.draw_button, tr("Draw a box"), not self._tool.extends),
            (self.extend_button, tr("Extend"), self._tool.extends),
        ):
            button.setChecked(armed and is_its)
            button.setText(tr("Drag now…") if armed and is_its else title)

    def _show_current(self) -> None:
        current = self._prompts.current_prompt
        slices = current.asked.slices if current is not None else range(1)
        for spin, value in ((self.first, slices[0]), (self.last, slices[-1])):
            spin.blockSignals(True)
            spin.setValue(value)
            spin.blockSignals(False)
            spin.setEnabled(current is not None)
        self.extend_button.setEnabled(current is not None and current.box is not None)
        self.remove_button.setEnabled(current is not None)
        self.undo_button.setEnabled(self._prompts.can_undo)
        self.redo_button.setEnabled(self._prompts.can_redo)
        self._show_what_applies()

    def _show_what_applies(self) -> None:
        """There is little room: the layer while it can be chosen, the range of slices while there is a box."""
        self._form.setRowVisible(0, self.layers.count() > 1 and not self._in_view)
        self._form.setRowVisible(1, self.has_objects)
        has_steps = self.has_objects or self._prompts.can_undo or self._prompts.can_redo
        self._steps_back.setVisible(has_steps and not self.hand.is_armed)  # the armed tool tells what the mouse does

    def take_typed(self) -> None:
        """Take slice numbers that are typed and not yet entered: a key, or a button on macOS, leaves them the focus."""
        for spin in (self.first, self.last):
            spin.interpretText()

    def _on_range(self) -> None:
        """The other end follows where the two would cross."""
        current = self._prompts.current_prompt
        if current is None:
            return
        first, last = self.first.value(), self.last.value()
        if first > last:
            first, last = (first, first) if first != current.asked.first else (last, last)
        self._prompts.set_span(self._prompts.current, first, last)
        self._prompts.settle()
        self._show_current()  # it reaches as far as its points, whatever was asked for
