"""Where the mouse is in the patient, in napari's status bar."""

from __future__ import annotations

from typing import Any

from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer

from napari_pqcomq.layers.comparison_tag import is_of_comparison
from napari_pqcomq.layers.volume_layers import is_inside, patient_millimetres, shown_name, volume_of, voxel_at
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
        if self._volume is None or status == self._own or len(self._viewer.cursor.position) < 3:
            return
        place = self._place()
        if isinstance(status, dict):
            shown = self._of_volume() if _tells_numbers(self._viewer.layers.selection.active) else status
            told = ": ".join(each for each in (place, self._with_unit(shown["value"])) if each)
            self._own = {**status, **shown, "coordinates": told}
        elif isinstance(status, str) and status.startswith("[") and _BETWEEN in status:  # of several layers at once
            self._own = _BETWEEN.join(each for each in (place, status.partition(_BETWEEN)[2]) if each)
        else:
            return
        self._viewer.status = self._own

    def _place(self) -> str:
        """Nothing in 3-D: a point on a line of sight through the whole volume is no place."""
        if self._volume is None or self._viewer.dims.ndisplay != 2:
            return ""
        return patient_words(patient_millimetres(self._volume, self._viewer.cursor.position))

    def _with_unit(self, value: object) -> str:
        """What a CT has there is told in Hounsfield units; labels and other images are numbers."""
        told, active = str(value or ""), self._viewer.layers.selection.active
        if isinstance(active, Image) and not is_of_comparison(active):
            volume = volume_of(active)
        else:
            volume = None if isinstance(active, Labels) else self._volume
        return f"{told} HU" if told and volume is not None and volume.modality == "CT" else told

    def _of_volume(self) -> dict[str, str]:
        """What the volume has there: boxes and points have nothing to tell but their number."""
        value, volume = "", self._volume
        assert volume is not None  # noqa: S101 (asked only while there is one)
        position = self._viewer.cursor.position
        if self._viewer.dims.ndisplay == 2 and is_inside(volume, position, voxels=0.5):
            value = f"{volume.voxels[voxel_at(volume, position)]:g}"
        name = shown_name(self._viewer.layers, volume)
        return {"layer_base": name, "source_type": "", "plugin": "", "value": value}


def _tells_numbers(layer: Layer | None) -> bool:
    """Whether a layer is boxes, points or lines of ours, whose own word is the number of a shape or of a triangle."""
    if layer is None or isinstance(layer, (Image, Labels)):
        return False
    return volume_of(layer) is not None or is_of_comparison(layer)


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
