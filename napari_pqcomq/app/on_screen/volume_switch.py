"""A second volume: chosen and shown when it is opened, unless work on the first would end, which is asked about."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from napari.layers import Image
from qtpy.QtCore import QObject, QTimer

from napari_pqcomq.app.panels.panels import Panels
from napari_pqcomq.layers.volume_layers import shown_name, volume_of
from napari_pqcomq.translation import tr
from napari_pqcomq.viewer.navigation.volume_in_sight import VolumeInSight
from pqcomq.volumes.volume import Volume

_LONGEST_NAME = 60


class VolumeSwitch(QObject):
    """Has the dock and the picture be about the same volume: the one just opened or chosen.

    While a comparison is on screen, or a job runs, the user is asked which one is meant.

    Args:
        panels: of the dock.
        parent: Qt parent.
    """

    def __init__(self, panels: Panels, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._panels = panels
        self._sight = VolumeInSight(panels.viewer)
        self._opened: list[Volume] = []  # since the window last had time, the first one first
        self._laid_aside: Volume | None = None
        self._before: Volume | None = None
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.timeout.connect(self._take_opened)
        panels.viewer.layers.events.inserted.connect(self._on_layer)
        panels.volume.changed.connect(self._show)
        panels.view.volume_opened.connect(self._on_laid_aside)
        panels.view.closed.connect(self._on_closed)
        self._show()

    def release(self) -> None:
        """Stop listening to the viewer."""
        self._pause.stop()
        self._panels.volume.changed.disconnect(self._show)
        self._panels.view.closed.disconnect(self._on_closed)  # closing it now is no reason to show a volume
        self._sight.release()
        self._panels.viewer.layers.events.inserted.disconnect(self._on_layer)

    def _on_layer(self, event: Any) -> None:  # noqa: ANN401 (napari's event)
        volume = volume_of(event.value)
        if volume is None or not isinstance(event.value, Image) or self._panels.view.is_open:
            return  # an open comparison lays it aside and tells
        if not self._opened:
            self._before = self._panels.volume.volume
        self._opened.append(volume)
        self._pause.start()  # all that are opened at once are there then

    def _take_opened(self) -> None:
        """Choose the first of the volumes just opened, unless something else was chosen meanwhile."""
        panels, now, first = self._panels, self._panels.volume.volume, self._opened[0]
        is_other = now is not None and now is self._before and first is not now
        is_new = first is not self._laid_aside  # of that the user has been asked
        self._opened, self._before, self._laid_aside = [], None, None
        if is_other and is_new and not panels.view.is_open:
            if panels.jobs.is_running or panels.view.is_opening:
                self._ask(first)
            else:
                self._choose(first)
        self._show()

    def _show(self) -> None:
        if not self._panels.view.is_open:
            self._sight.show(self._panels.volume.volume)

    def _on_laid_aside(self, volume: Volume) -> None:
        self._laid_aside = volume
        self._ask(volume)

    def _ask(self, volume: Volume) -> None:
        present = self._panels.volume.volume
        self._panels.question.ask(
            self,
            tr(
                "“{opened}” was opened beside the comparison of “{present}”.",
                opened=self._short_name(volume),
                present=self._short_name(present) if present else "",
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
                    tr("Go on as you are; the volume just opened can be chosen in step 1 when this one is done."),
                    _nothing,
                ),
            ),
        )

    def _short_name(self, volume: Volume) -> str:
        """A name that leaves room for the question, its end kept: names of series differ there."""
        name = shown_name(self._panels.viewer.layers, volume)
        if name == volume.name:  # a path's end, not the end of what the user called a layer
            name = PurePath(name).name
        return name if len(name) <= _LONGEST_NAME else f"…{name[1 - _LONGEST_NAME :]}"

    def _on_closed(self) -> None:
        self._panels.question.withdraw(self)
        self._show()

    def _compare(self, volume: Volume) -> None:
        self._panels.view.close()
        self._choose(volume)

    def _choose(self, volume: Volume) -> None:
        panels = self._panels
        found = [layer for layer in panels.viewer.layers if volume_of(layer) is volume]
        for layer in found:
            panels.volume.layers.choose(layer)  # only one of them, the image, is offered there
            panels.prompts.layers.choose(layer)


def _nothing() -> None:
    """Go on as before."""
