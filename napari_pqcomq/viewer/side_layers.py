"""The layers of one side of a comparison: image, masks and outlines, ground truth, boxes, the others' cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeGuard

import numpy as np
from napari.experimental import link_layers
from napari.layers import Image, Labels, Layer, Surface
from napari.utils.colormaps import DirectLabelColormap

from napari_pqcomq.layers.comparison_tag import mark_as_comparison
from napari_pqcomq.layers.volume_layers import VOLUME_KEY, transform
from napari_pqcomq.prompts.prompted_object import MOST_OBJECTS, Prompt
from napari_pqcomq.viewer.scene import Pane, Scene
from napari_pqcomq.viewer.strokes import Lines, Sight, draw_lines, outline_lines, region_edges, rim_lines, strokes_layer
from pqcomq.comparison.presentation.palette import (
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
PROMPT_COLOURS = (*ALL_COLOURS, "black", INSIDE_COLOUR, OUTSIDE_COLOUR)
"""Of boxes, object by object, and of points."""
_RIM_OF_POINT, _INSIDE, _OUTSIDE = MOST_OBJECTS, MOST_OBJECTS + 1, MOST_OBJECTS + 2
_OUTLINE_PIXELS, _RIM_PIXELS = 1.5, 2.5

OUTLINES, TRUTH, MASKS = "outlines", "ground truth", "masks"
"""How the names of layers end that show outlines, and of those that show masks in the objects' colours."""

_LINKED_IMAGES = ("contrast_limits", "gamma", "colormap", "interpolation2d", "opacity")
FILL_OPACITY = 0.18
"""Quiet: what differs is to be seen, not what is alike."""
SURFACE_OPACITY = 0.9
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
        masks: (z, y, x) uint8, object numbers, that all views of this side's masks read; may be written in place,
            followed by :meth:`show_masks`.
        fill: the masks, faintly filled; in 3-D their surfaces.
        outline: their outlines on the slice in sight, and rims round what full precision has otherwise.
        truth: outline of the ground truth on the slice in sight; out of sight where there is none.
        boxes: the prompts on the slice in sight.
        cursor: where the mouse is on another side.
        joined: layers of the user's, or copies of them.
    """

    number: int
    masks: np.ndarray
    image: Image
    fill: Labels
    outline: Surface
    truth: Surface
    boxes: Surface
    cursor: Surface
    joined: list[Layer] = field(default_factory=list)
    _shows_cursor: bool = False

    @property
    def layers(self) -> list[Layer]:
        """All of them, the lowest first; images of the user's lie below the masks."""
        pictures = [layer for layer in self.joined if isinstance(layer, Image)]
        others = [layer for layer in self.joined if layer not in pictures]
        return [self.image, *pictures, self.truth, self.fill, self.outline, self.boxes, self.cursor, *others]

    def show_masks(self) -> None:
        """Draw the array again; outlines are drawn by :meth:`show_outlines`."""
        if self.fill.data is self.masks:
            self.fill.refresh(extent=False, thumbnail=False, highlight=False)
        else:
            self.fill.data = self.masks

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
        self.fill.data = marked

    def show_outlines(self, full: Side, sight: Sight, scene: Scene) -> None:
        """Draw the outlines on the slice in sight, and the rims where full precision's masks are others.

        Args:
            full: the side that shows full precision; it has no rims itself.
            sight: what of the volume is on screen.
            scene: what the masks lie on, and which are out of sight.
        """
        own, others = (scene.seen(sight.slice_of(side.masks)) for side in (self, full))
        draw_outlines(self.outline, own, others, sight, scene.volume)

    def show_truth(self, truth: np.ndarray | None, sight: Sight, volume: Volume) -> None:
        """Draw the outline of the ground truth (z, y, x) on the slice in sight."""
        lines = [] if truth is None else [Lines(region_edges(sight.slice_of(truth)), 0, _OUTLINE_PIXELS)]
        draw_lines(self.truth, lines, sight, volume)

    def show_cursor(self, voxel: np.ndarray | None, sight: Sight | None, volume: Volume) -> None:
        """Mark a place (3,) z y x in voxels with a crosshair that leaves the place itself free, or none."""
        if voxel is not None or self._shows_cursor:
            lines = [] if voxel is None or sight is None else _crosshair(voxel, sight, volume)
            draw_lines(self.cursor, lines, sight, volume)
        self._shows_cursor = voxel is not None

    def show_boxes(self, objects: tuple[Prompt, ...], sight: Sight, volume: Volume) -> None:
        """Draw the boxes, points and scribbles that prompt the slice in sight."""
        lines = [line for each in objects for line in scribble_lines(each, sight, volume)]
        lines += [line for each in objects for line in box_lines(each, sight)]
        lines += [line for each in objects for line in point_lines(each, sight, volume)]
        draw_lines(self.boxes, lines, sight, volume)


def make_side(number: int, pane: Pane, scene: Scene) -> Side:
    """The layers of one side.

    Args:
        number: 1 for the first side, the first word of the layers' names.
        pane: what the side shows.
        scene: what all share.
    """
    volume, masks = scene.volume, pane.mask.astype(np.uint8)
    side = Side(
        number,
        masks=masks,
        image=_image(number, scene),
        fill=masks_layer(f"{number}: {MASKS}", masks, volume, STROKE_COLOURS, FILL_OPACITY),
        outline=strokes_layer(f"{number}: {OUTLINES}", volume, STROKE_COLOURS),
        truth=strokes_layer(f"{number}: {TRUTH}", volume, (TRUTH_COLOUR,)),
        boxes=strokes_layer(f"{number}: boxes", volume, PROMPT_COLOURS),
        cursor=strokes_layer(f"{number}: cursor", volume, ("black", "white")),
    )
    for layer in side.layers:
        mark_as_comparison(layer)
    return side


def link_sides(sides: Sequence[Side]) -> None:
    """A window level set on one side holds for the other, or the eye would compare windows instead of masks."""
    link_layers([side.image for side in sides], _LINKED_IMAGES)
    link_layers([side.fill for side in sides], ("opacity",))
    link_layers([side.outline for side in sides], ("opacity",))


def draw_outlines(layer: Surface, labels: np.ndarray, full: np.ndarray, sight: Sight, volume: Volume) -> None:
    """Draw the outlines of a slice's masks, and rims where full precision has otherwise.

    Args:
        layer: of :data:`STROKE_COLOURS`.
        labels: (down, across) object numbers.
        full: those of full precision.
        sight: what of the volume is on screen.
        volume: that the masks lie on.
    """
    lines = outline_lines(labels, _OUTLINE_PIXELS)
    lines += rim_lines(full, labels, _ONLY_FULL, _ONLY_QUANTIZED, _RIM_PIXELS)
    draw_lines(layer, lines, sight, volume)


def masks_layer(
    name: str,
    masks: np.ndarray,
    volume: Volume,
    colours: tuple[str, ...],
    opacity: float = 1.0,
) -> Labels:
    """A labels layer of masks.

    Args:
        name: of the layer.
        masks: (z, y, x) uint8; not copied.
        volume: that they lie on; travels along, so that they can be saved on the file's grid.
        colours: of the numbers 1, 2, …
        opacity: of the layer.
    """
    return Labels(
        masks,
        name=name,
        opacity=opacity,
        colormap=mask_colours(colours),
        metadata={VOLUME_KEY: volume},
        **transform(volume),
    )


def is_masks(layer: Layer) -> TypeGuard[Labels]:
    """Whether a layer of a comparison shows masks in the objects' colours."""
    return isinstance(layer, Labels) and layer.name.endswith(MASKS)


def mask_colours(
    colours: tuple[str, ...] = STROKE_COLOURS, hidden: frozenset[int] = frozenset()
) -> DirectLabelColormap:
    """The colours of masks by object number.

    Args:
        colours: of the numbers 1, 2, …
        hidden: numbers that are not seen.
    """
    table: dict[int | None, str] = {None: "transparent", 0: "transparent"}
    table |= {number: each for number, each in enumerate(colours, start=1) if number not in hidden}
    return DirectLabelColormap(color_dict=table)


def _image(number: int, scene: Scene) -> Image:
    return Image(
        scene.volume.voxels,  # shared by all sides: no copy
        name=f"{number}: image",
        colormap="gray",
        contrast_limits=scene.contrast_limits,
        interpolation2d="linear",
        **transform(scene.volume),
    )


def box_lines(prompt: Prompt, sight: Sight) -> list[Lines]:
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


def point_lines(prompt: Prompt, sight: Sight, volume: Volume) -> list[Lines]:
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
        lines.append(Lines(rim, _RIM_OF_POINT, _POINT_RIM_PIXELS))
        sign = place[1:] + arms * _POINT_REACH * pixel
        lines.append(Lines(sign, _INSIDE if each.positive else _OUTSIDE, _POINT_PIXELS))
    return lines


def scribble_lines(prompt: Prompt, sight: Sight, volume: Volume) -> list[Lines]:
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


def _crosshair(voxel: np.ndarray, sight: Sight, volume: Volume) -> list[Lines]:
    """Four arms round a place, thin and white on a dark rim, so that they are seen on any grey and hide nothing."""
    axes = list(sight.order[1:])
    pixel = 1 / (sight.zoom * np.array(volume.grid.spacing_zyx)[axes])  # voxels (down, across)
    ways = np.array([(-1, 0), (1, 0), (0, -1), (0, 1)], dtype=float)
    ends = np.stack([ways * _CROSSHAIR_GAP, ways * _CROSSHAIR_REACH], axis=1)  # (4, 2, 2) pixels
    ends = voxel[axes] + ends * pixel
    return [Lines(ends, 0, 3.0), Lines(ends, 1, 1.0)]
