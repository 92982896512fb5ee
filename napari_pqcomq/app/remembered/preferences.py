"""Settings kept from one session to the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from qtpy.QtCore import QSettings

from napari_pqcomq.app.panels.panels import Panels


class _Remembered(Protocol):
    """A panel whose choices are remembered, under keys of its own, by names that are the same in every language."""

    def preferences(self) -> Mapping[str, str | list[str]]:
        """What is remembered."""

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take over what was remembered; what no longer exists is passed over."""


class Preferences:
    """Reads and writes the choices of the panels, in the user's settings file.

    Args:
        panels: of the dock.
        more: further parts of it whose choices are remembered.
    """

    def __init__(self, panels: Panels, *more: _Remembered) -> None:
        self._remembered: tuple[_Remembered, ...] = (
            panels.volume,
            panels.model,
            panels.calibration,
            panels.prompts,
            panels.gate,
            panels.session,
            panels.autosave,
            panels.view,
            panels.mouse_panel,
            *more,
        )

    def restore(self) -> None:
        """Set the controls to what was kept."""
        settings = _settings()
        kept = {key: settings.value(key) for key in settings.allKeys() if settings.value(key) is not None}
        for panel in self._remembered:
            panel.restore(kept)

    def keep(self) -> None:
        """Write down what the controls are set to."""
        settings = _settings()
        for panel in self._remembered:
            for key, value in panel.preferences().items():
                settings.setValue(key, value)


def _settings() -> QSettings:
    return QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, "napari-pqcomq", "napari-pqcomq")
