"""A second volume that is opened during a comparison: the user says which of the two is to be compared."""

from __future__ import annotations

from pathlib import PurePath

from qtpy.QtCore import QObject

from napari_pqcomq.app.panels import Panels
from napari_pqcomq.layers.volume_layers import volume_of
from napari_pqcomq.translation import tr
from pqcomq.volumes.volume import Volume

_LONGEST_NAME = 60


class VolumeSwitch(QObject):
    """Asks, and does what is answered.

    Args:
        panels: of the dock.
        parent: Qt parent.
    """

    def __init__(self, panels: Panels, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._panels = panels
        panels.view.volume_opened.connect(self._ask)
        panels.view.closed.connect(self._withdraw)

    def _ask(self, volume: Volume) -> None:
        present = self._panels.volume.volume
        self._panels.question.ask(
            self,
            tr(
                "“{opened}” was opened beside the comparison of “{present}”.",
                opened=_short(volume.name),
                present=_short(present.name if present else ""),
            ),
            (
                (
                    tr("Compare this one"),
                    tr(
                        "Close the comparison and choose the volume just opened. Masks and figures of the present one "
                        "are kept and offered when it is chosen again."
                    ),
                    lambda: self._compare(volume),
                ),
                (
                    tr("Keep the present one"),
                    tr("Go on as you are; the volume just opened appears when the comparison is closed."),
                    _nothing,
                ),
            ),
        )

    def _withdraw(self) -> None:
        self._panels.question.withdraw(self)

    def _compare(self, volume: Volume) -> None:
        panels = self._panels
        panels.view.close()
        found = [layer for layer in panels.viewer.layers if volume_of(layer) is volume]
        for layer in found:
            panels.volume.layers.choose(layer)  # only one of them, the image, is offered there
            panels.prompts.layers.choose(layer)


def _nothing() -> None:
    """Go on as before."""


def _short(name: str) -> str:
    """A name that leaves room for the question, its end kept: names of series differ there."""
    name = PurePath(name).name
    return name if len(name) <= _LONGEST_NAME else f"…{name[1 - _LONGEST_NAME :]}"
