"""Where the mouse is in the patient, in napari's status bar."""

from __future__ import annotations

from typing import Any

from napari.components import ViewerModel

from napari_pqcomq.layers.volume_layers import patient_millimetres
from pqcomq.volumes.grid import SIDES
from pqcomq.volumes.volume import Volume

_BETWEEN = " » "
"""In napari's words about several layers, between the place and what each of them has there."""


class CursorStatus:
    """Puts patient coordinates in the place of napari's array coordinates."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._volume: Volume | None = None
        self._own: object = None
        viewer.events.status.connect(self._on_status)

    def set_volume(self, volume: Volume | None) -> None:
        """Speak of another volume; None leaves napari's own words."""
        self._volume = volume

    def release(self) -> None:
        """Stop listening to the viewer."""
        self._viewer.events.status.disconnect(self._on_status)

    def _on_status(self, event: Any) -> None:  # noqa: ANN401 (napari's event)
        status = event.value
        if self._volume is None or status == self._own or len(self._viewer.cursor.position) != 3:
            return
        place = ""  # in 3-D: a point on a line of sight through the whole volume is no place
        if self._viewer.dims.ndisplay == 2:
            place = patient_words(patient_millimetres(self._volume, self._viewer.cursor.position))
        if isinstance(status, dict):
            value = str(status.get("value") or "")
            value = value if any(map(str.isalnum, value)) else ""  # beside a box napari says "[, ]"
            self._own = {**status, "coordinates": ": ".join(each for each in (place, value) if each)}
        elif isinstance(status, str) and status.startswith("[") and _BETWEEN in status:  # of several layers at once
            self._own = _BETWEEN.join(each for each in (place, status.partition(_BETWEEN)[2]) if each)
        else:
            return
        self._viewer.status = self._own


def patient_words(millimetres: tuple[float, float, float]) -> str:
    """A place in the patient, e.g. ``"R 34.2  A 12.0  S 343.3 mm"``.

    Args:
        millimetres: to the left, to the back and to the head (LPS).
    """
    words = [
        f"{ends[1] if distance >= 0 else ends[0]} {abs(distance):.1f}"
        for distance, ends in zip(millimetres, SIDES, strict=True)
    ]
    return "  ".join(words) + " mm"
