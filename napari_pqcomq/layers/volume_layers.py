"""Between the engine's volumes and napari's layers, both ways.

Every layer of a volume has the same transform, so that layers lie on each other and sliders, scale bar and cursor read
in millimetres. The volume itself travels in the image layer's metadata: the exact geometry, the oblique part included,
is needed again when a mask is written on the file's own grid.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pint
from napari.layers import Image, Layer

from pqcomq.volumes.intensity_window import default_window
from pqcomq.volumes.volume import Volume

VOLUME_KEY = "pqcomq_volume"
"""Under this key a layer's metadata holds the Volume that the layer belongs to."""

AXIS_LABELS = ("z", "y", "x")


def transform(volume: Volume) -> dict[str, Any]:
    """Scale, translation (mm), units and axis labels, as napari's layer constructors take them.

    An oblique volume is shown along its nearest patient axes; its small rotation is not drawn.
    """
    return {
        "scale": volume.grid.spacing_zyx,
        "translate": volume.grid.origin[::-1],
        "units": ("mm", "mm", "mm"),
        "axis_labels": AXIS_LABELS,
    }


def slice_millimetres(volume: Volume, number: float, axis: int = 0) -> float:
    """Where a slice lies along one of the axes z y x of napari's world."""
    place = transform(volume)
    return float(place["translate"][axis] + number * place["scale"][axis])


def voxel_at(volume: Volume, world_zyx: Sequence[float]) -> tuple[int, int, int]:
    """The volume's voxel z y x nearest to a point of napari's world, e.g. ``viewer.dims.point``.

    Where other layers are open beside it, napari's own steps are no slices of the volume. While its layers are removed
    napari's world may have two axes alone; the first slice stands for any then.
    """
    place = transform(volume)
    origin = place["translate"]
    point = (*origin[: max(3 - len(world_zyx), 0)], *world_zyx[-3:])
    near = (np.asarray(point) - origin) / place["scale"]
    z, y, x = np.clip(np.rint(near), 0, np.subtract(volume.grid.shape_zyx, 1)).astype(int).tolist()
    return z, y, x


def is_inside(volume: Volume, world_zyx: Sequence[float], voxels: float = 1.0) -> bool:
    """Whether a point of napari's world lies in the volume: at most so many voxels from the centre of its last one."""
    near = [slice_millimetres(volume, at, axis) for axis, at in enumerate(voxel_at(volume, world_zyx))]
    return bool(np.all(np.abs(np.subtract(world_zyx[-3:], near)) <= np.multiply(voxels, volume.grid.spacing_zyx)))


def patient_millimetres(volume: Volume, world_zyx: Sequence[float]) -> tuple[float, float, float]:
    """Where a point of napari's world lies in the patient.

    The two differ for oblique volumes, which are drawn along their nearest patient axes.

    Args:
        volume: the volume whose layer the point lies on.
        world_zyx: napari's world coordinates of the last three axes, e.g. ``viewer.cursor.position``.

    Returns:
        Millimetres to the left, to the back and to the head (LPS), of a point anywhere, inside the volume or not.
    """
    layer = transform(volume)
    voxels_zyx = (np.asarray(world_zyx[-3:]) - layer["translate"]) / layer["scale"]
    left, back, head = volume.grid.to_patient(voxels_zyx[::-1])
    return float(left), float(back), float(head)


def volume_of(layer: Layer) -> Volume | None:
    """The volume that a layer shows or lies on; None for layers that other readers made."""
    volume = layer.metadata.get(VOLUME_KEY)
    return volume if isinstance(volume, Volume) else None


def shown_name(layers: Iterable[Layer], volume: Volume) -> str:
    """What the user knows a volume by: the name of its image layer, its own where none shows it.

    A case of a cohort is opened under its name, which may be a patient's: for the screen alone, not for what is kept.
    """
    images = (layer for layer in layers if isinstance(layer, Image))
    shown = ((layer, volume_of(layer)) for layer in images)
    return next((layer.name for layer, own in shown if own and own.voxels is volume.voxels), volume.name)


_SAMPLES = 16
"""Voxels along each axis that a volume is known by."""


def may_lie_on(layer: Layer, volume: Volume) -> bool:
    """Whether a layer is of no volume, of this one, or of one that looks the same, as where this was opened before."""
    own = volume_of(layer)
    if own is None or own.voxels is volume.voxels:
        return True
    steps = tuple(slice(None, None, max(1, count // _SAMPLES)) for count in volume.voxels.shape)
    return own.grid == volume.grid and np.array_equal(own.voxels[steps], volume.voxels[steps])


def image_tuple(volume: Volume) -> tuple[np.ndarray, dict[str, Any], str]:
    """A volume as a napari layer tuple: data (z, y, x), keyword arguments, ``"image"``."""
    window = default_window(volume.modality, volume.voxels)
    low, high = float(volume.voxels.min()), float(volume.voxels.max())
    # The slider must reach the window even where the voxels do not fill it.
    limits = (min(low, window.low), max(high, window.high))
    keywords = {
        "name": volume.name,
        "colormap": "gray",
        "contrast_limits": (window.low, window.high),
        "interpolation2d": "linear",
        "metadata": {VOLUME_KEY: volume, "contrast_limits_range": limits},
        **transform(volume),
        "units": _millimetres(),
    }
    return volume.voxels, keywords, "image"


def _millimetres() -> tuple[pint.Unit, ...]:
    """What napari would make of "mm" on each axis.

    The first unit of a program reads a table of all units, which takes half a second: here it is the thread that reads
    the volume that takes it, not the window's. The table is read beside the program's own, which is not safe to be made
    by two threads at once, and put in its place when it is whole.
    """
    units = pint.get_application_registry()
    if type(units.get()) is pint.registry.LazyRegistry:
        table: pint.UnitRegistry[Any] = pint.UnitRegistry(on_redefinition="raise")
        if type(units.get()) is pint.registry.LazyRegistry:
            pint.set_application_registry(table)
    return (units.Unit("mm"),) * 3


def labels_tuple(volume: Volume, labels: np.ndarray, name: str) -> tuple[np.ndarray, dict[str, Any], str]:
    """Labels (z, y, x) on a volume's grid as a napari layer tuple."""
    return labels, {"name": name, "opacity": 0.5, "metadata": {VOLUME_KEY: volume}, **transform(volume)}, "labels"
