"""Which volume, and in which window."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any
from uuid import UUID

from napari.components import ViewerModel
from napari.layers import Image
from qtpy.QtCore import QSignalBlocker, Qt, QTimer, Signal
from qtpy.QtWidgets import QComboBox, QFormLayout, QGroupBox, QHBoxLayout, QLabel, QWidget

from napari_pqcomq.layers.volume_layers import VOLUME_KEY, volume_of
from napari_pqcomq.setup.open_menu import OpenMenu
from napari_pqcomq.translation import tr, trn
from napari_pqcomq.widgets.controls.combo_boxes import choose_kept
from napari_pqcomq.widgets.controls.layer_combo_box import LayerComboBox
from napari_pqcomq.widgets.controls.pictures import sign
from pqcomq.volumes.geometry_report import GeometryReport
from pqcomq.volumes.intensity_window import PRESETS, Window, default_window
from pqcomq.volumes.volume import Modality, Volume

_MODALITIES: dict[Modality, str] = {"CT": "CT", "MR": "MR", "other": tr("Neither CT nor MR")}
_DEFAULT, _BY_HAND = tr("The modality's own"), tr("Set by hand")
_MODALITYS, _SHOWN = tr("The modality's window"), tr("The window shown")
_PAUSE_MS = 300
"""After the last move of napari's own slider, before models are asked in the new window."""
_WINDOWS, _SEEN = ["modality", *PRESETS, "by hand"], ["modality", "shown"]
"""What the entries of both lists are remembered by."""
_BY_HANDS_PLACE = _WINDOWS.index("by hand")


class VolumePanel(QGroupBox):
    """Chooses the volume layer, the window that it is shown in, and whether the models see it in that window too.

    Attributes:
        changed: emitted when another volume is chosen.
        previewed: emitted with the contrast limits at every step while the window is dragged with the mouse.
        windowed: emitted with the contrast limits when another window is chosen, or another one for the models.
    """

    changed = Signal()
    previewed = Signal(tuple)
    windowed = Signal(tuple)

    def __init__(self, viewer: ViewerModel, parent: QWidget | None = None) -> None:
        super().__init__(tr("Volume"), parent)
        self._viewer = viewer
        self._windows: dict[UUID, int] = {}  # by layer, the place in the list
        self._watched: Image | None = None
        self._limits_set: tuple[float, float] | None = None  # by this panel, not by napari's own controls
        self._settling = QTimer(self)
        self._settling.setSingleShot(True)
        self._settling.setInterval(_PAUSE_MS)
        self._settling.timeout.connect(self._apply)
        self.layers = LayerComboBox(viewer, lambda layer: isinstance(layer, Image) and volume_of(layer) is not None)
        self.layers.setPlaceholderText(tr("none open"))
        self.presets = QComboBox()
        self.presets.addItem(_DEFAULT, None)
        for name, window in PRESETS.items():
            self.presets.addItem(f"{name.capitalize()} (W {window.width:g} / L {window.level:g})", window)
        self.presets.addItem(_BY_HAND, None)
        self.presets.setToolTip(tr("How the picture is shown (Ctrl+1 …); the voxels stay as they are."))
        self.models_see = QComboBox()
        self.models_see.addItems([_MODALITYS, _SHOWN])
        self.models_see.setToolTip(
            tr(
                "{modality}: the picture's window is display only.\n{shown}: the models' input, and with it masks and "
                "figures, change with the picture's window, as a finding that only a lung or bone window shows may "
                "need.",
                modality=_MODALITYS,
                shown=_SHOWN,
            )
        )
        self.input_note = QLabel()
        self.input_note.setWordWrap(True)
        self.input_note.setEnabled(False)
        self.modalities = QComboBox()
        for modality, text in _MODALITIES.items():
            self.modalities.addItem(text, modality)
        self.modalities.setToolTip(
            tr(
                "What kind of image this is, where the file does not say or says it wrongly: it decides the default "
                "window and how values become the models' input. An open comparison is closed; its figures stay."
            )
        )
        self.facts = QLabel()
        self.facts.setTextFormat(Qt.TextFormat.RichText)
        self.facts.setWordWrap(True)
        self.open_menu = OpenMenu(viewer)
        row = QHBoxLayout()
        row.addWidget(self.layers, 1)
        row.addWidget(self.open_menu)
        form = QFormLayout(self)
        form.addRow(tr("Layer"), row)
        form.addRow(self.facts)
        form.addRow(tr("Modality"), self.modalities)
        form.addRow(tr("Window"), self.presets)
        form.addRow(tr("Models see"), self.models_see)
        form.addRow(self.input_note)
        self.layers.changed.connect(self._on_other_layer)
        self.presets.currentIndexChanged.connect(self._apply)
        self.models_see.currentIndexChanged.connect(self._apply)
        self.modalities.activated.connect(self._set_modality)  # by the user's hand alone
        self._on_other_layer()

    def open(self, path: Path) -> None:
        """Open a file or folder as napari does, and say in a sentence what is wrong with it."""
        self.open_menu.open(path)

    def open_sample(self) -> None:
        """Open the sample that needs no download."""
        self.open_menu.open_sample()

    @property
    def volume(self) -> Volume | None:
        """The chosen volume."""
        return volume_of(self.layers.layer) if self.layers.layer is not None else None

    @property
    def intensity_window(self) -> Window | None:
        """The window that makes the models' input; None stands for the default of the volume's modality."""
        return self._shown if self.models_see.currentText() == _SHOWN else None

    @property
    def _shown(self) -> Window | None:
        """The window that the picture is shown in; None stands for the default of the volume's modality."""
        if self.presets.currentText() == _BY_HAND and self.layers.layer is not None:
            low, high = self.layers.layer.contrast_limits
            return Window((low + high) / 2, high - low)
        chosen = self.presets.currentData()
        return chosen if isinstance(chosen, Window) else None

    @property
    def contrast_limits(self) -> tuple[float, float]:
        """Intensities shown black and white with the chosen window."""
        volume = self.volume
        if volume is None:
            return (0.0, 1.0)
        window = self._shown or default_window(volume.modality, volume.voxels)
        return window.low, window.high

    @property
    def limits_now(self) -> tuple[float, float] | None:
        """Intensities shown black and white now, however they were set; None without a volume."""
        if self.layers.layer is None:
            return None
        low, high = self.layers.layer.contrast_limits
        return float(low), float(high)

    def show_limits(self, low: float, high: float, *, settled: bool = True) -> None:
        """Show the volume in a window set by hand.

        Args:
            low: intensity shown black.
            high: intensity shown white, above ``low``.
            settled: False at the steps of a drag, of which only the last can concern the models.
        """
        if self.layers.layer is None:
            return
        self._list(_BY_HANDS_PLACE)
        layer, self._limits_set = self.layers.layer, (low, high)
        least, most = layer.contrast_limits_range
        layer.contrast_limits_range = (min(least, low), max(most, high))
        layer.contrast_limits = (low, high)
        if settled:
            self._apply()
        else:
            self.previewed.emit((low, high))

    def choose_window(self, index: int) -> None:
        """Choose a window by its place in the list, 0 for the modality's own."""
        self.presets.setCurrentIndex(index)

    def preferences(self) -> dict[str, str | list[str]]:
        """What is remembered from one session to the next: the window, and the files open lately."""
        return {
            "window": _WINDOWS[self.presets.currentIndex()],
            "models see": _SEEN[self.models_see.currentIndex()],
            "recent": [str(path) for path in self.open_menu.recent],
        }

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take over what was remembered; a window that no longer exists is passed over."""
        with QSignalBlocker(self.presets):
            choose_kept(self.presets, _WINDOWS, kept.get("window", ""))
        self._windows.clear()  # nobody has chosen one for a volume that was open before
        self._take_window()
        choose_kept(self.models_see, _SEEN, kept.get("models see", ""))
        recent = kept.get("recent", [])
        self.open_menu.note(Path(each) for each in ([recent] if isinstance(recent, str) else recent))

    def release(self) -> None:
        """Stop listening to the viewer."""
        self._settling.stop()
        self._watch(None)
        self.layers.release()

    def _on_other_layer(self) -> None:
        self._settling.stop()  # it was about the layer before
        self._take_window()
        self._on_layer()

    def _take_window(self) -> None:
        """Let the list say what is seen: each layer keeps its window, and a new CT takes the one last chosen for CT."""
        layer, volume, place = self.layers.layer, self.volume, self.presets.currentIndex()
        self._watch(None if volume is None else layer)
        if volume is None:
            return
        if layer.unique_id in self._windows:
            place = self._windows[layer.unique_id]
        elif volume.modality == "CT" and isinstance(self.presets.itemData(place), Window):
            self._limits_set = layer.contrast_limits = self.contrast_limits
        else:
            place = 0
        self._list(place)

    def _watch(self, layer: Image | None) -> None:
        """Hear of contrast limits that are set with napari's own controls."""
        if self._watched is not None:
            self._watched.events.contrast_limits.disconnect(self._on_contrast)
        self._watched = layer
        if layer is not None:
            self._limits_set = self.limits_now
            layer.events.contrast_limits.connect(self._on_contrast)

    def _on_contrast(self, event: object = None) -> None:
        """The picture is shown in another window: the list says so, and models that see it are told after a pause."""
        if self.limits_now != self._limits_set:
            self._limits_set = self.limits_now
            self._list(_BY_HANDS_PLACE)
            self.previewed.emit(self._limits_set)
            self._settling.start()

    def _list(self, place: int) -> None:
        """Let the list say which window the layer is shown in, and remember it of the layer."""
        with QSignalBlocker(self.presets):
            self.presets.setCurrentIndex(place)
        self._windows[self.layers.layer.unique_id] = place

    def _on_layer(self) -> None:
        volume = self.volume
        self.facts.setVisible(volume is not None)
        self.modalities.setEnabled(volume is not None)
        if volume is not None:
            self.modalities.setCurrentIndex(self.modalities.findData(volume.modality))
        if volume is not None and volume.source is not None:
            self.open_menu.note([volume.source])
        self.facts.setText("" if volume is None else _facts(volume))
        self.facts.setToolTip("" if volume is None else "\n".join(GeometryReport.of(volume).sentences()))
        self._note_input()
        self.changed.emit()

    def take_modality(self, modality: Modality) -> None:
        """Have the volume be of a modality, as if the user had chosen it."""
        self.modalities.setCurrentIndex(self.modalities.findData(modality))
        self._set_modality()

    def take_window(self, window: Window | None) -> None:
        """Have the models see a window, and the picture be shown in it; None for the modality's own."""
        if window is None:
            self.choose_window(0)
        else:
            self.show_limits(window.low, window.high)
        self.models_see.setCurrentText(_MODALITYS if window is None else _SHOWN)

    def _set_modality(self) -> None:
        """Have the chosen layer, and all that lie on its volume, be of another modality."""
        volume, modality = self.volume, self.modalities.currentData()
        if volume is None or volume.modality == modality:
            return
        changed = volume.with_modality(modality)
        for layer in self._viewer.layers:
            if volume_of(layer) is volume:
                layer.metadata[VOLUME_KEY] = changed
        if modality != "CT" and isinstance(self.presets.currentData(), Window):
            self._list(0)  # one in Hounsfield units is none for it
        self._on_layer()
        self._apply()

    def _apply(self) -> None:
        self._note_input()
        if self.layers.layer is None:
            return
        self._windows[self.layers.layer.unique_id] = self.presets.currentIndex()
        self._limits_set = limits = self.contrast_limits
        self.layers.layer.contrast_limits = limits
        self.windowed.emit(limits)

    def _note_input(self) -> None:
        """Say what the models see, where it is not the usual."""
        window = self.intensity_window
        self.input_note.setVisible(window is not None)
        if window is not None:
            self.input_note.setText(
                tr(
                    "Models see W {width:.0f} / L {level:.0f}, as the picture: masks and figures change with it, and "
                    "those on screen stay what they were made with.",
                    width=window.width,
                    level=window.level,
                )
            )


def _facts(volume: Volume) -> str:
    """Rich text: e.g. ``"CT · 256 × 256 × 60 voxels · 1.5 × 1.5 × 4 mm"``, and what was odd."""
    size = " × ".join(str(count) for count in volume.grid.size)
    spacing = " × ".join(f"{step:.3g}" for step in volume.grid.spacing)
    lines = [
        escape(tr("{modality} · {size} voxels · {spacing} mm", modality=volume.modality, size=size, spacing=spacing))
    ]
    lines += [f"{sign('warning')} {escape(str(each))}" for each in volume.findings if each.severity != "harmless"]
    if harmless := sum(finding.severity == "harmless" for finding in volume.findings):
        lines.append(trn("{count} note on the file (hover to read)", "{count} notes (hover to read)", harmless))
    return "<br>".join(lines)
