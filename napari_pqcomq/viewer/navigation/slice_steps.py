"""From slice to slice of the plane in sight, by wheel or key."""

from __future__ import annotations

from napari.components import ViewerModel
from qtpy.QtCore import QObject, QTimer

from napari_pqcomq.layers.volume_layers import slice_millimetres
from pqcomq.volumes.volume import Volume


def show_slice(viewer: ViewerModel, volume: Volume, z: int) -> None:
    """Show an axial slice of a volume.

    Where other layers are open beside it, the viewer counts its steps otherwise, and those of a series have an axis
    before the volume's.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
        volume: open in it.
        z: slice, from the feet.
    """
    viewer.dims.set_point(max(viewer.dims.ndim - 3, 0), slice_millimetres(volume, z))


class SliceSteps(QObject):
    """Goes over slices that are turned faster than they are shown at once, or the picture would lag behind the hand.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
        parent: Qt parent.
    """

    def __init__(self, viewer: ViewerModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._waiting = 0  # slices turned while the last one was shown
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.timeout.connect(lambda: self.by(0))

    def by(self, steps: int) -> None:
        """Go on towards the head, the back or the left; below 0 the other way; in 3-D nowhere."""
        axis = self._axis
        self._waiting = 0 if axis is None else self._waiting + steps
        if self._pause.isActive() or not self._waiting or axis is None:
            return
        steps, self._waiting = self._waiting, 0
        self._go_to(axis, int(self._viewer.dims.current_step[axis]) + steps)
        self._pause.start()  # ends when all events that wait have been seen

    def to_first(self) -> None:
        """The slice nearest the feet, the front or the right."""
        if (axis := self._axis) is not None:
            self._waiting = 0
            self._go_to(axis, 0)

    def to_last(self) -> None:
        """The slice at the other end."""
        if (axis := self._axis) is not None:
            self._waiting = 0
            self._go_to(axis, int(self._viewer.dims.nsteps[axis]))

    @property
    def _axis(self) -> int | None:
        """That the slices follow each other along."""
        hidden = self._viewer.dims.not_displayed
        return int(hidden[-1]) if self._viewer.dims.ndisplay == 2 and hidden else None

    def _go_to(self, axis: int, step: int) -> None:
        last = int(self._viewer.dims.nsteps[axis]) - 1
        self._viewer.dims.set_current_step(axis, min(max(step, 0), last))
