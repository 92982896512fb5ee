"""Settings kept from one session to the next."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QSettings
from qtpy.QtWidgets import QComboBox

from napari_pqcomq.viewer.modes.registry import VIEWS
from pqcomq.comparison.gate import Tolerance

if TYPE_CHECKING:
    from napari_pqcomq.app.compare_widget import CompareWidget

_GATE = ("gate least dice", "gate volume percent")


class Preferences:
    """The dock's choices, by the words that the user sees; what no longer exists is passed over."""

    def __init__(self, dock: CompareWidget) -> None:
        self._dock = dock
        self._boxes: dict[str, QComboBox] = {
            "model": dock.model_panel.models,
            "bits": dock.model_panel.bits,
            "method": dock.model_panel.methods,
            "runtime": dock.model_panel.runtimes,
            "prompts": dock.prompt_panel.modes,
            "window": dock.volume_panel.presets,
        }

    def restore(self) -> None:
        """Set the controls to what was kept."""
        settings = _settings()
        for key, box in self._boxes.items():
            index = box.findText(str(settings.value(key, "")))
            if index >= 0:
                box.setCurrentIndex(index)
        checkpoint = str(settings.value("checkpoint", ""))
        if checkpoint and Path(checkpoint).is_file():
            self._dock.model_panel.set_checkpoint(Path(checkpoint))
        slices = str(settings.value("calibration slices", ""))
        if slices.isdigit():
            self._dock.calibration_panel.slices.setValue(int(slices))
        pixels = str(settings.value("jitter pixels", ""))
        if pixels.isdigit():
            self._dock.desk.sessions.pixels.setValue(int(pixels))
        with suppress(ValueError):  # nothing was kept, or no tolerance
            dice, percent = (float(str(settings.value(key, ""))) for key in _GATE)
            self._dock.desk.gate.set_tolerance(Tolerance(dice, percent))
        recent = settings.value("recent", []) or []
        self._dock.volume_panel.open_menu.note(
            [Path(each) for each in ([recent] if isinstance(recent, str) else recent)]
        )
        view = str(settings.value("view", ""))
        if view in VIEWS:
            self._dock.view.show(view)

    def keep(self) -> None:
        """Write down what the controls are set to."""
        settings = _settings()
        for key, box in self._boxes.items():
            settings.setValue(key, box.currentText())
        checkpoint = self._dock.model_panel.checkpoint
        if checkpoint is not None:
            settings.setValue("checkpoint", str(checkpoint))
        settings.setValue("calibration slices", self._dock.calibration_panel.slices.value())
        settings.setValue("view", self._dock.view.name)
        settings.setValue("recent", [str(path) for path in self._dock.volume_panel.open_menu.recent])
        settings.setValue("jitter pixels", self._dock.desk.sessions.pixels.value())
        tolerance = self._dock.desk.gate.tolerance
        for key, value in zip(_GATE, (tolerance.dice, tolerance.volume_percent), strict=True):
            settings.setValue(key, value)


def _settings() -> QSettings:
    return QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, "napari-pqcomq", "napari-pqcomq")
