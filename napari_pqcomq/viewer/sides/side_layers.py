"""The layers of one side of a comparison: image, surfaces in 3-D, and what is drawn on slices: masks, truth, boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from napari.experimental import link_layers
from napari.layers import Image, Labels, Layer, Surface
from napari.utils.colormaps import DirectLabelColormap

from napari_pqcomq.layers.comparison_tag import mark_as_comparison
from napari_pqcomq.layers.volume_layers import transform
from napari_pqcomq.prompts.objects.drawn_object import MOST_OBJECTS, DrawnObject
from napari_pqcomq.viewer.scene import Pane, Scene
from napari_pqcomq.viewer.sides.mask_arrays import copied_masks
from napari_pqcomq.viewer.sides.strokes import (
    Lines,
    Sight,
    draw_lines,
    lines_layer,
    outline_lines,
    region_areas,
    region_edges,
    rim_lines,
)
from pqcomq.comparison.presentation.palette import (
    BOTH_COLOUR,
    FULL_COLOUR,
    INSIDE_COLOUR,
    OUTSIDE_COLOUR,
    QUANTIZED_COLOUR,
    TRUTH_COLOUR,
)
from pqcomq.object_colours import object_colour
from pqcomq.volumes.volume import Volume

LEFT_COLOUR, RIGHT_COLOUR = FULL_COLOUR, QUANTIZED_COLOUR

ALL_COLOURS = tuple(object_colour(number) for number in range(1, MOST_OBJECTS + 1))
"""Of the object numbers 1, 2, …"""

STROKE_COLOURS = (*ALL_COLOURS, FULL_COLOUR, QUANTIZED_COLOUR)
"""Of outlines and surfaces, object by object, and of the rims and patches where a quantized side differs."""
_ONLY_FULL, _ONLY_QUANTIZED = MOST_OBJECTS, MOST_OBJECTS + 1
LINE_COLOURS = (*STROKE_COLOURS, TRUTH_COLOUR, INSIDE_COLOUR, OUTSIDE_COLOUR, "black", "white")
"""Of all lines; those of boxes are the objects' own."""
FILL_COLOURS = tuple(f"{colour}2E" for colour in ALL_COLOURS)
"""Of masks, object by object. Quiet: what differs is to be seen, not what is alike."""
PART_COLOURS = tuple(f"{colour}99" for colour in (BOTH_COLOUR, FULL_COLOUR, QUANTIZED_COLOUR))
"""Of what both models segmented, only full precision, and only the quantized one."""
_DRAWN_COLOURS = (*LINE_COLOURS, *FILL_COLOURS, *PART_COLOURS)
_TRUTH, _INSIDE, _OUTSIDE, _BLACK, WHITE = range(len(STROKE_COLOURS), len(LINE_COLOURS))
_FILL = len(LINE_COLOURS)
FIRST_PART = _FILL + len(FILL_COLOURS)
"""The index of the first of :data:`PART_COLOURS` among those that are drawn in."""
_OUTLINE_PIXELS, _RIM_PIXELS = 1.5, 2.5

SURFACES, LINES = "surfaces", "lines"
"""How the names of layers end that show masks in 3-D, and of those that show lines."""
FILLS, TRUTH, OUTLINES, CURTAIN, BOXES = "fills", "ground truth", "outlines", "curtain", "boxes"
"""What is drawn on a side, the lowest first."""

_LINKED_IMAGES = ("contrast_limits", "gamma", "colormap", "interpolation2d", "opacity")
_SURFACE_OPACITY = 0.9
_BOX_PIXELS, _HANDLE_PIXELS = 1.5, 6.0
_POINT_REACH, _POINT_PIXELS, _POINT_RIM_PIXELS = 7.0, 3.0, 6.0
"""Length of an arm and width of a point's sign, and of the dark rim beneath it."""
_CROSSHAIR_GAP, _CROSSHAIR_REACH = 7.0, 20.0
"""Pixels from the middle."""


@dataclass
class Side:
    """One side's layers.

    Attributes:
        number: 1 for the first.
        image: the volume.
        masks: (z, y, x) uint8, object numbers, that all views of this side's masks read; may be written in place.
        lines: what is drawn over the image on the slice in sight, areas too: one layer, since napari takes its time for
            each.
        surfaces: the masks in 3-D; None on slices: hidden layers, too, hold up each switch of views.
        joined: layers of the user's, or copies of them.
    """

    number: int
    masks: np.ndarray
    image: Image
    lines: Surface
    surfaces: Labels | None = None
    joined: list[Layer] = field(default_factory=list)
    _drawn: dict[str, Sequence[Lines]] = field(default_factory=dict)
    _sight: Sight | None = None
    _pointed: np.ndarray | None = None

    @property
    def layers(self) -> list[Layer]:
        """All of them, the lowest first; images of the user's lie below the masks."""
        pictures = [layer for layer in self.joined if isinstance(layer, Image)]
        others = [layer for layer in self.joined if layer not in pictures]
        surfaces = [] if self.surfaces is None else [self.surfaces]
        return [self.image, *pictures, *surfaces, self.lines, *others]

    def show_surfaces(self, full: Side, scene: Scene) -> None:
        """Draw the surface of what this side or full precision shows, with the rims' colours where only one does.

        Args:
            full: the side that shows full precision; its own surface is all in the objects' colours.
            scene: what the masks lie on, and which are out of sight.
        """
        own, others = scene.seen(self.masks), scene.seen(full.masks)
        marked = own.copy()
        marked[(others > 0) & (own != others)] = _ONLY_FULL + 1
        marked[(others == 0) & (own > 0)] = _ONLY_QUANTIZED + 1
        if self.surfaces is None:
            self.surfaces = _surfaces(self.number, marked, scene)
            mark_as_comparison(self.surfaces)
        else:
            self.surfaces.data = marked

    def show_lines(self, lines: Mapping[str, Sequence[Lines]], sight: Sight, volume: Volume) -> None:
        """Draw lines and areas in place of all others but the cursor.

        Args:
            lines: those of each kind, :data:`TRUTH` and the others.
            sight: what of the volume is on screen.
            volume: that the lines lie on.
        """
        self._drawn, self._sight = dict(lines), sight
        self._draw(sight, volume)

    def show_cursor(self, voxel: np.ndarray | None, sight: Sight | None, volume: Volume) -> None:
        """Mark a place (3,) z y x in voxels with a crosshair that leaves the place itself free, or none."""
        if voxel is self._pointed or (
            sight is not None and sight == self._sight and _same(voxel, self._pointed, sight)
        ):
            return
        self._pointed = voxel
        if self._sight is not None and sight in (None, self._sight):  # all lines of another slice are drawn anyway
            self._draw(self._sight, volume)

    def _draw(self, sight: Sight, volume: Volume) -> None:
        lines = [line for kind in (FILLS, TRUTH, OUTLINES, CURTAIN, BOXES) for line in self._drawn.get(kind, ())]
        if self._pointed is not None:
            lines += _crosshair(self._pointed, sight, volume)
        draw_lines(self.lines, lines, sight, volume)


def make_side(number: int, pane: Pane, scene: Scene) -> Side:
    """The layers of one side.

    Args:
        number: 1 for the first side, the first word of the layers' names.
        pane: what the side shows.
        scene: what all share.
    """
    volume, masks = scene.volume, copied_masks(pane.mask)
    side = Side(
        number,
        masks=masks,
        image=_image(number, scene),
        lines=lines_layer(f"{number}: {LINES}", volume, _DRAWN_COLOURS),
    )
    for layer in side.layers:
        mark_as_comparison(layer)
    return side


def link_sides(sides: Sequence[Side]) -> None:
    """A window level set on one side holds for the other, or the eye would compare windows instead of masks."""
    link_layers([side.image for side in sides], _LINKED_IMAGES)
    link_layers([side.lines for side in sides], ("opacity",))


def link_surfaces(sides: Sequence[Side]) -> None:
    """The surfaces that are there are as transparent as each other."""
    surfaces = [side.surfaces for side in sides if side.surfaces is not None]
    if len(surfaces) > 1:
        link_layers(surfaces, ("opacity",))


def mask_lines(labels: np.ndarray, full: np.ndarray) -> dict[str, list[Lines]]:
    """Masks on a slice: their faint fill, their outlines, and rims where full precision's are others.

    Args:
        labels: (down, across) object numbers.
        full: likewise, of full precision.
    """
    both = labels | full
    rows, columns = np.flatnonzero(both.any(axis=1)), np.flatnonzero(both.any(axis=0))
    if not len(rows):
        return {}
    patch = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]  # a slice is mostly empty
    labels, full = labels[patch], full[patch]
    numbers = [int(number) for number in np.unique(labels[labels > 0])]
    drawn = {
        FILLS: [Lines(region_areas(labels == number), _FILL + number - 1, 0) for number in numbers],
        OUTLINES: outline_lines(labels, _OUTLINE_PIXELS)
        + rim_lines(full, labels, _ONLY_FULL, _ONLY_QUANTIZED, _RIM_PIXELS),
    }
    corner = np.array((rows[0], columns[0]))
    return {kind: [replace(each, ends=each.ends + corner) for each in lines] for kind, lines in drawn.items()}


def truth_lines(truth: np.ndarray | None, sight: Sight) -> list[Lines]:
    """The outline of the ground truth (z, y, x) on the slice in sight; none where there is none."""
    return [] if truth is None else [Lines(region_edges(sight.slice_of(truth)), _TRUTH, _OUTLINE_PIXELS)]


def prompt_lines(objects: Sequence[DrawnObject], sight: Sight, volume: Volume) -> list[Lines]:
    """The scribbles, boxes and points that prompt the slice in sight, the lowest first."""
    lines = [line for each in objects for line in scribble_lines(each, sight, volume)]
    lines += [line for each in objects for line in box_lines(each, sight)]
    return lines + [line for each in objects for line in point_lines(each, sight, volume)]


def _surface_colours() -> DirectLabelColormap:
    """The colours of surfaces by object number."""
    table: dict[int | None, str] = {None: "transparent", 0: "transparent"}
    table |= dict(enumerate(STROKE_COLOURS, start=1))
    return DirectLabelColormap(color_dict=table)


def _surfaces(number: int, masks: np.ndarray, scene: Scene) -> Labels:
    return Labels(
        masks,  # not copied
        name=f"{number}: {SURFACES}",
        opacity=_SURFACE_OPACITY,
        colormap=_surface_colours(),
        **transform(scene.volume),
    )


def _image(number: int, scene: Scene) -> Image:
    return Image(
        scene.volume.voxels,  # shared by all sides: no copy
        name=f"{number}: image",
        colormap="gray",
        contrast_limits=scene.contrast_limits,
        interpolation2d="linear",
        **transform(scene.volume),
    )


def box_lines(prompt: DrawnObject, sight: Sight) -> list[Lines]:
    """The outline of a box on the slice in sight with handles at its corners; nothing where it does not prompt it."""
    if prompt.box is None:
        return []
    sliced, down, across = (prompt.box.ranges_zyx[axis] for axis in sight.order)
    if not sliced[0] <= sight.position <= sliced[1]:
        return []
    (y0, y1), (x0, x1) = down, across
    corners = np.array([(y0, x0), (y0, x1), (y1, x1), (y1, x0)], dtype=float)
    edges = np.stack([corners, np.roll(corners, -1, axis=0)], axis=1)  # (4, 2, 2)
    handles = np.stack([corners, corners], axis=1)
    colour = prompt.number - 1
    return [Lines(edges, colour, _BOX_PIXELS), Lines(handles, colour, _HANDLE_PIXELS)]


def point_lines(prompt: DrawnObject, sight: Sight, volume: Volume) -> list[Lines]:
    """The points on the slice in sight, as + inside and − outside on a dark rim: not told apart by colour alone."""
    pixel = 1 / (sight.zoom * np.array(volume.grid.spacing_zyx)[list(sight.order[1:])])  # voxels (down, across)
    lines = []
    for each in prompt.points:
        place = np.array((each.z, each.y, each.x), dtype=float)[list(sight.order)]
        if round(float(place[0])) != sight.position:
            continue
        ways = np.array([(0, 1), (1, 0)] if each.positive else [(0, 1)], dtype=float)
        arms = np.stack([-ways, ways], axis=1)  # (1 or 2, 2, 2)
        rim = place[1:] + arms * (_POINT_REACH + 1.5) * pixel
        lines.append(Lines(rim, _BLACK, _POINT_RIM_PIXELS))
        sign = place[1:] + arms * _POINT_REACH * pixel
        lines.append(Lines(sign, _INSIDE if each.positive else _OUTSIDE, _POINT_PIXELS))
    return lines


def scribble_lines(prompt: DrawnObject, sight: Sight, volume: Volume) -> list[Lines]:
    """The drawn voxels on the slice in sight, row by row, each line as wide as a voxel."""
    if prompt.scribble is None:
        return []
    seen = []
    for z, y, first, last in prompt.scribble.runs:
        ends = np.array([(z, y, first - 0.5), (z, y, last + 0.5)])
        if sight.order[0] == 2:  # from the side a run is one voxel
            if not first <= sight.position <= last:
                continue
            ends = np.array([(z, y - 0.5, 0), (z, y + 0.5, 0)])
        elif (z, y)[sight.order[0]] != sight.position:
            continue
        seen.append(ends[:, list(sight.order[1:])])
    if not seen:
        return []
    wide = float(sight.zoom * volume.grid.spacing_zyx[sight.order[1]])
    return [Lines(np.stack(seen), prompt.number - 1, wide)]


def _same(one: np.ndarray | None, other: np.ndarray | None, sight: Sight) -> bool:
    """Whether two places are one on the slice in sight."""
    axes = list(sight.order[1:])
    return one is not None and other is not None and bool((one[axes] == other[axes]).all())


def _crosshair(voxel: np.ndarray, sight: Sight, volume: Volume) -> list[Lines]:
    """Four arms round a place, thin and white on a dark rim, so that they are seen on any grey and hide nothing."""
    axes = list(sight.order[1:])
    pixel = 1 / (sight.zoom * np.array(volume.grid.spacing_zyx)[axes])  # voxels (down, across)
    ways = np.array([(-1, 0), (1, 0), (0, -1), (0, 1)], dtype=float)
    ends = np.stack([ways * _CROSSHAIR_GAP, ways * _CROSSHAIR_REACH], axis=1)  # (4, 2, 2) pixels
    ends = voxel[axes] + ends * pixel
    return [Lines(ends, _BLACK, 3.0), Lines(ends, WHITE, 1.0)]
