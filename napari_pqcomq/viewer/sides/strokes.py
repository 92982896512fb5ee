"""Lines of constant width on screen, drawn on a slice: outlines of masks, rims where two masks differ, crosshairs.

napari's labels layers draw outlines a whole number of voxels wide: on a slice of 3 mm that fills half of the picture,
they hide what they enclose. Its shapes and vectors have a width in voxels too, and another one down than across where
voxels are no squares. Here every line is a rectangle of its own on a surface layer, made for the zoom in sight. The
masks' faint fill is drawn there as well, row by row: napari takes its time for every layer, at every slice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from napari.components import ViewerModel
from napari.layers import Surface
from napari.utils.colormaps import Colormap

from napari_pqcomq.layers.axes_in_sight import axes_in_sight
from napari_pqcomq.layers.volume_layers import transform
from pqcomq.comparison.measures.difference_map import ONLY_A, ONLY_B, difference
from pqcomq.volumes.volume import Volume

_NOTHING = np.zeros((3, 3)), np.array([[0, 1, 2]]), np.zeros(3)
"""A triangle without an area: a surface must not be empty."""


@dataclass(frozen=True)
class Lines:
    """Lines of one colour and width on a slice, all of them across or down.

    Attributes:
        ends: (n, 2, 2) their ends, each down and across, in voxels; opposite corners of areas.
        colour: its index in the layer's colours.
        pixels: width on screen; 0 for areas, which have that of their corners.
    """

    ends: np.ndarray
    colour: int
    pixels: float


@dataclass(frozen=True)
class Sight:
    """What of a volume is on screen.

    Attributes:
        order: of the volume's axes: the one sliced along, down, across.
        position: number of the slice.
        zoom: pixels per mm.
    """

    order: tuple[int, int, int]
    position: int
    zoom: float

    def slice_of(self, voxels: np.ndarray) -> np.ndarray:
        """The slice in sight (down, across) of a volume (z, y, x); zeros beyond its ends."""
        sliced, down, across = self.order
        if not 0 <= self.position < voxels.shape[sliced]:
            return np.zeros((voxels.shape[down], voxels.shape[across]), voxels.dtype)
        plane = np.take(voxels, self.position, axis=sliced)
        return plane if down < across else plane.T


def sight_of(viewer: ViewerModel, volume: Volume) -> Sight | None:
    """What of a volume is on screen; None in 3-D, and beside an axis that it has not."""
    dims = viewer.dims
    axes = axes_in_sight(dims)
    if dims.ndisplay != 2 or axes is None:
        return None
    sliced = axes[0]
    place = transform(volume)
    # A layer of the user's may be finer or larger than the volume: its slices are then no slices of the volume.
    position = (dims.point[-3:][sliced] - place["translate"][sliced]) / place["scale"][sliced]
    return Sight(axes, round(float(position)), float(viewer.scene.camera.zoom))


def lines_layer(name: str, volume: Volume, colours: tuple[str, ...]) -> Surface:
    """An empty layer for lines.

    Args:
        name: of the layer.
        volume: that the lines lie on.
        colours: that lines are drawn in, two or more.
    """
    return Surface(
        _NOTHING,
        name=name,
        colormap=Colormap(colours, name=name, interpolation="zero"),
        contrast_limits=(0, len(colours)),
        shading="none",
        blending="translucent_no_depth",
        **transform(volume),
    )


def draw_lines(layer: Surface, lines: list[Lines], sight: Sight, volume: Volume) -> None:
    """Draw lines in place of those that are there, later ones above earlier ones."""
    drawn = _rectangles(lines, sight, volume)
    if all(np.array_equal(new, old) for new, old in zip(drawn, layer.data, strict=True)):
        return
    # Lines lie within the volume. Told of other data, napari measures all layers again, which takes ten times as long.
    with layer.events.data.blocker():
        layer.data = drawn


def _rectangles(lines: list[Lines], sight: Sight, volume: Volume) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (n, 3) z y x in voxels, faces (m, 3) and values (n,) of a surface."""
    lines = [each for each in lines if len(each.ends)]
    if not lines:
        return _NOTHING
    spacing = np.array([volume.grid.spacing_zyx[axis] for axis in sight.order[1:]])  # (down, across) mm
    counts = [len(each.ends) for each in lines]
    ends = np.concatenate([each.ends for each in lines])  # (n, 2, 2)
    pixels = np.repeat([each.pixels for each in lines], counts)  # (n,)
    half = pixels[:, None] / (2 * sight.zoom * spacing)  # (n, 2) voxels, down and across
    (y0, x0), (y1, x1) = (ends.min(axis=1) - half).T, (ends.max(axis=1) + half).T
    vertices = np.full((len(ends), 4, 3), float(sight.position))
    vertices[..., sight.order[1]] = np.stack([y0, y0, y1, y1], 1)
    vertices[..., sight.order[2]] = np.stack([x0, x1, x1, x0], 1)
    faces = np.array([[0, 1, 2], [0, 2, 3]]) + 4 * np.arange(len(ends))[:, None, None]  # (n, 2, 3)
    values = np.repeat([each.colour + 0.5 for each in lines], 4 * np.array(counts))
    return vertices.reshape(-1, 3), faces.reshape(-1, 3), values


def outline_lines(labels: np.ndarray, pixels: float) -> list[Lines]:
    """The outlines of all objects on a slice, the colour of object n being n − 1.

    Args:
        labels: (down, across) object numbers, 0 outside.
        pixels: width on screen.
    """
    return [Lines(region_edges(labels == number), int(number) - 1, pixels) for number in np.unique(labels[labels > 0])]


def rim_lines(
    full: np.ndarray, quantized: np.ndarray, only_full: int, only_quantized: int, pixels: float
) -> list[Lines]:
    """Rims round the regions that one of two segmentations of a slice has and the other has not.

    Args:
        full: (down, across) object numbers of full precision.
        quantized: likewise.
        only_full: colour of what full precision alone segmented.
        only_quantized: colour of what the quantized model alone segmented.
        pixels: width on screen.
    """
    parts = difference(full, quantized)
    found = ((ONLY_A, only_full), (ONLY_B, only_quantized))
    return [Lines(region_edges(parts == part), colour, pixels) for part, colour in found if (parts == part).any()]


def region_areas(inside: np.ndarray) -> np.ndarray:
    """The areas of a region, row by row.

    Args:
        inside: (down, across) bool.

    Returns:
        (n, 2, 2) two opposite corners of each, down and across, in voxels, whose centres are whole numbers.
    """
    padded = np.pad(inside, ((0, 0), (1, 1)))
    rows, ends = np.nonzero(padded[:, 1:] != padded[:, :-1])  # by turns where a run begins and where it ends
    first, last = ends[::2] - 0.5, ends[1::2] - 0.5
    return np.stack([np.stack([rows[::2] - 0.5, first], 1), np.stack([rows[::2] + 0.5, last], 1)], 1)


def region_edges(inside: np.ndarray) -> np.ndarray:
    """The edges round a region, voxel by voxel.

    Args:
        inside: (down, across) bool.

    Returns:
        (n, 2, 2) both ends of each edge, down and across, in voxels, whose centres are whole numbers.
    """
    padded = np.pad(inside, 1)
    rows, columns = np.nonzero(padded[1:] != padded[:-1])  # an edge below row `rows` of the padded slice
    across = np.stack([np.stack([rows - 0.5, columns - 1.5], 1), np.stack([rows - 0.5, columns - 0.5], 1)], 1)
    rows, columns = np.nonzero(padded[:, 1:] != padded[:, :-1])
    down = np.stack([np.stack([rows - 1.5, columns - 0.5], 1), np.stack([rows - 0.5, columns - 0.5], 1)], 1)
    return np.concatenate([across, down])
