"""How the comparison is viewed: the way of comparing, the plane, what is shown, and where to go."""

from __future__ import annotations

from napari.components import ViewerModel
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QButtonGroup, QCheckBox, QComboBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_pqcomq.translation import tr
from napari_pqcomq.viewer.comparison.comparison_view import ComparisonView
from napari_pqcomq.viewer.modes.base import short_titles
from napari_pqcomq.viewer.modes.mode_registry import DIFFERENCE, FIGURES, FLICKER, PARTS, SIDE_BY_SIDE, SWIPE
from napari_pqcomq.viewer.navigation.orthogonal_planes import Plane, current_plane, show_plane, show_surfaces
from napari_pqcomq.viewer.sides.side_layers import TRUTH
from napari_pqcomq.widgets.controls.combo_boxes import keep_narrow
from napari_pqcomq.widgets.controls.pictures import icon

_TITLES = {SIDE_BY_SIDE: tr("Sides"), SWIPE: tr("Swipe"), DIFFERENCE: tr("Difference"), FLICKER: tr("Flicker")}
_ICONS = {SIDE_BY_SIDE: "side_by_side", SWIPE: "swipe", DIFFERENCE: "difference", FLICKER: "flicker"}
_TOOLTIPS = {
    SIDE_BY_SIDE: tr("Each model in a picture of its own (S)."),
    SWIPE: tr(
        "One picture under a curtain: full precision left of it, quantized right of it. Drag the curtain, or move "
        "it with , and . (C)."
    ),
    DIFFERENCE: tr("Only full precision red, only quantized blue, both grey (D)."),
    FLICKER: tr("One picture; press F again and again to exchange the masks: what differs jumps (F)."),
}
_SURFACES = "3-D"
_PLANES = {Plane.AXIAL: tr("Axial"), Plane.CORONAL: tr("Coronal"), Plane.SAGITTAL: tr("Sagittal")}
_PARTS = {"masks": tr("Masks"), TRUTH: tr("Truth"), "boxes": tr("Boxes"), FIGURES: tr("Figures")}
_OF_TRUTH = tr("Outline of the ground truth, yellow (T).")
_NO_TRUTH = tr("There is no ground truth on the volume: open its labels under Objects › Ground truth.")
_NARROW = "QPushButton { padding: 3px 2px; min-width: 30px; }"
"""napari's style makes four buttons in a row wider than the dock."""


class ViewBar(QWidget):
    """Buttons for the open comparison.

    Attributes:
        worst_requested: emitted by the button for the slice on which the models agree least.
        divergence_requested: emitted by the button for the slice on which they first diverge.
        candidate_chosen: emitted after another quantized model was chosen.
        keep_requested: emitted by the button that keeps the masks as layers.
    """

    worst_requested = Signal()
    divergence_requested = Signal()
    candidate_chosen = Signal()
    keep_requested = Signal()

    def __init__(self, viewer: ViewerModel, view: ComparisonView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer, self._view = viewer, view
        self.views = {name: QPushButton(title) for name, title in _TITLES.items()}
        self.parts = {part: QCheckBox(_PARTS[part]) for part in PARTS}
        self.planes, self.candidates = QComboBox(), QComboBox()
        self.worst, self.divergence = QPushButton(tr("Worst slice")), QPushButton(tr("Divergence"))
        self.keep = QPushButton(tr("Keep masks"))
        self.keep.setToolTip(
            tr("Keeps the masks in sight, live ones too, as labels layers to edit and export (Ctrl+K).")
        )
        self._make()
        self.set_places(None, None)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(_row(*self.views.values()))
        column.addWidget(self.candidates)
        column.addLayout(_row(self.planes, self.worst, self.divergence, self.keep))
        column.addLayout(_row(*self.parts.values()))

    def set_candidates(self, titles: list[str], chosen: int = 0) -> None:
        """Offer the quantized models by name; with one there is nothing to choose.

        Args:
            titles: of the quantized models.
            chosen: which of them, counted from 0, is chosen at first.
        """
        self.candidates.blockSignals(True)
        self.candidates.clear()
        for place, title in enumerate(titles):  # of one model, whose name is in the strips
            self.candidates.addItem(tr("Compare with {title}", title=short_titles(title)[0]))
            self.candidates.setItemData(place, title, Qt.ItemDataRole.ToolTipRole)
        self.candidates.setCurrentIndex(chosen)
        self.candidates.blockSignals(False)
        self.candidates.setVisible(len(titles) > 1)

    def set_places(self, worst: int | None, divergence: str | None) -> None:
        """Say where the buttons go, None for nowhere.

        Args:
            worst: slice number.
            divergence: a sentence.
        """
        self.worst.setEnabled(worst is not None)
        where = tr("The slice") if worst is None else tr("Slice {worst}", worst=worst)
        self.worst.setToolTip(tr("{where} on which the models agree least (W).", where=where))
        self.divergence.setEnabled(divergence is not None)
        self.divergence.setToolTip(
            tr("{divergence} (V)", divergence=divergence or tr("The models do not diverge on any slice."))
        )

    def offer_keeping(self, offered: bool) -> None:
        """Say whether the masks can be kept as layers now."""
        self.keep.setEnabled(offered)

    def request_keeping(self) -> None:
        """Press the button that keeps the masks; ignored while it is greyed out."""
        self.keep.click()

    def refresh(self) -> None:
        """Show what the view shows."""
        for name, button in self.views.items():
            button.setChecked(name == self._view.name)
        for part, box in self.parts.items():
            box.blockSignals(True)
            box.setChecked(part not in self._view.hidden and (part != TRUTH or self._view.has_truth))
            box.blockSignals(False)
        has_truth = self._view.has_truth
        self.parts[TRUTH].setEnabled(has_truth)
        self.parts[TRUTH].setToolTip(_OF_TRUTH if has_truth else _NO_TRUTH)
        plane = current_plane(self._viewer)
        text = _PLANES[plane] if plane else _SURFACES if self._viewer.dims.ndisplay == 3 else ""
        self.planes.blockSignals(True)
        self.planes.setCurrentIndex(self.planes.findText(text))
        self.planes.blockSignals(False)

    def release(self) -> None:
        """Stop listening to the viewer."""
        for event in (self._viewer.dims.events.order, self._viewer.dims.events.ndisplay):
            event.disconnect(self._on_dims)

    def _make(self) -> None:
        group = QButtonGroup(self)
        for name, button in self.views.items():
            button.setCheckable(True)
            button.setToolTip(_TOOLTIPS[name])
            button.setIcon(icon(_ICONS[name]))
            button.setStyleSheet(_NARROW)
            button.clicked.connect(lambda _checked, name=name: self._view.show(name))
            group.addButton(button)
        for part, box in self.parts.items():
            box.toggled.connect(lambda shown, part=part: self._view.hide(part, not shown))
        self.parts["masks"].setToolTip(tr("Hide the masks to see the anatomy below (M)."))
        self.parts[TRUTH].setToolTip(_NO_TRUTH)
        self.parts["boxes"].setToolTip(tr("The boxes that prompt the models (X)."))
        self.parts[FIGURES].setToolTip(tr("The figures on the picture; headings and verdicts stay (I)."))
        self.planes.addItems([*(_PLANES[plane] for plane in Plane), _SURFACES])
        self.planes.setToolTip(tr("Axial 1, coronal 2, sagittal 3, surfaces of the masks in 3-D 4."))
        self.planes.activated.connect(self._on_plane)
        self.candidates.activated.connect(self._on_candidate)
        self.candidates.setToolTip(
            tr(
                "The quantized model that swipe, difference, flicker, figures, worst slice and first divergence are "
                "about."
            )
        )
        self.candidates.setVisible(False)
        keep_narrow(self.candidates)
        self._view.changed.connect(self.refresh)
        self._view.redrawn.connect(self._on_redrawn)
        for button, signal in (
            (self.worst, self.worst_requested),
            (self.divergence, self.divergence_requested),
            (self.keep, self.keep_requested),
        ):
            button.setStyleSheet(_NARROW)
            button.clicked.connect(lambda _checked, signal=signal: signal.emit())
        for event in (self._viewer.dims.events.order, self._viewer.dims.events.ndisplay):
            event.connect(self._on_dims)

    def _on_plane(self, index: int) -> None:
        if self.planes.itemText(index) == _SURFACES:
            show_surfaces(self._viewer)
        else:
            show_plane(self._viewer, list(Plane)[index])

    def _on_candidate(self, index: int) -> None:
        self._view.choose_candidate(index + 1)
        self.candidate_chosen.emit()

    def _on_redrawn(self) -> None:
        """A ground truth may have come or gone."""
        if self.parts[TRUTH].isEnabled() != self._view.has_truth:
            self.refresh()

    def _on_dims(self, event: object = None) -> None:
        self.refresh()


def _row(*widgets: QWidget) -> QHBoxLayout:
    """Side by side, each as wide as its text asks: in equal parts the longest would be cut off."""
    row = QHBoxLayout()
    row.setSpacing(3)
    for widget in widgets:
        row.addWidget(widget, widget.sizeHint().width())
    return row
