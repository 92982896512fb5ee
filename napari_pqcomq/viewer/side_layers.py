"""The layers of one side of a comparison: image, masks and outlines, ground truth, boxes, the others' cursor."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from napari.layers import Image, Labels, Layer, Points, Shapes
from napari.utils.colormaps import DirectLabelColormap

from napari_pqcomq.layers.comparison_tag import mark_as_comparison
from napari_pqcomq.layers.volume_layers import VOLUME_KEY, transform
from napari_pqcomq.prompts.box_layers import box_line, rectangle
from napari_pqcomq.prompts.prompt import MOST_OBJECTS, Prompt
from napari_pqcomq.viewer.scene import Pane, Scene
from pqcomq.comparison.palette import FULL_COLOUR, QUANTIZED_COLOUR, TRUTH_COLOUR, object_colour
from pqcomq.volumes.volume import Volume

LEFT_COLOUR, RIGHT_COLOUR = FULL_COLOUR, QUANTIZED_COLOUR

ALL_COLOURS = tuple(object_colour(number) for number in range(MOST_OBJECTS))
"""Of the object numbers 1, 2, …"""


OUTLINES, TRUTH = "outlines", "ground truth"
"""How the names of layers end that show outlines."""

FILL_OPACITY = 0.3
SURFACE_OPACITY = 0.9
_CURSOR_PIXELS = 15.0


@dataclass
class Side:
    """One side's layers.

    Attributes:
        number: 1 for the first.
        image: the volume.
        fill: the masks, faintly filled; it owns the array that all other views of this side's masks read.
        outline: their outlines, of the same array.
        truth: outline of the ground truth; empty and out of sight where there is none.
        boxes: the prompts on the slice in sight.
        cursor: where the mouse is on another side.
        joined: layers of the user's, or copies of them.
    """

    number: int
    image: Image
    fill: Labels
    outline: Labels
    truth: Labels
    boxes: Shapes
    cursor: Points
    joined: list[Layer] = field(default_factory=list)
    _box_colours: list[str] = field(default_factory=list)

    @property
    def layers(self) -> list[Layer]:
        """All of them, the lowest first; images of the user's lie below the masks."""
        pictures = [layer for layer in self.joined if isinstance(layer, Image)]
        others = [layer for layer in self.joined if layer not in pictures]
        return [self.image, *pictures, self.truth, self.fill, self.outline, self.boxes, self.cursor, *others]

    @property
    def masks(self) -> np.ndarray:
        """(z, y, x) uint8, object numbers; may be written in place, followed by :meth:`show_masks`."""
        masks: np.ndarray = self.fill.data
        return masks

    def show_masks(self) -> None:
        """Draw the array again."""
        for layer in (self.fill, self.outline):
            layer.refresh(extent=False, thumbnail=False, highlight=False)

    def show_cursor(self, voxel: np.ndarray | None) -> None:
        """Mark a place (3,) z y x in voxels, or none."""
        if voxel is not None or len(self.cursor.data):
            with self.cursor.events.data.blocker():
                self.cursor.data = np.empty((0, 3)) if voxel is None else voxel[None]

    def show_boxes(self, objects: tuple[Prompt, ...], z: int) -> None:
        """Draw the boxes that prompt slice ``z``: a Shapes layer cannot say on which slices a flat shape is seen."""
        here = [each for each in objects if each.box.z0 <= z <= each.box.z1]
        corners, colours = [rectangle(each.box, z) for each in here], [each.colour for each in here]
        with self.boxes.events.data.blocker():
            self.boxes.selected_data.clear()
            if here and colours == self._box_colours:
                self.boxes.data = corners  # a box that is dragged: its colour and graphics stay
                return
            self.boxes.data = []
            if here:
                self.boxes.add_rectangles(corners)
                self.boxes.edge_color = colours
        self._box_colours = colours


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
        image=_image(number, scene),
        fill=masks_layer(f"{number}: masks", masks, volume, ALL_COLOURS, FILL_OPACITY),
        outline=masks_layer(f"{number}: {OUTLINES}", masks, volume, ALL_COLOURS, contour=1),
        truth=_truth(number, scene),
        boxes=_boxes(number, volume),
        cursor=_cursor(number, volume),
    )
    for layer in side.layers:
        mark_as_comparison(layer)
    return side


def masks_layer(
    name: str,
    masks: np.ndarray,
    volume: Volume,
    colours: tuple[str, ...],
    opacity: float = 1.0,
    contour: int = 0,
) -> Labels:
    """A labels layer of masks.

    Args:
        name: of the layer.
        masks: (z, y, x) uint8; not copied.
        volume: that they lie on; travels along, so that they can be saved on the file's grid.
        colours: of the numbers 1, 2, …
        opacity: of the layer.
        contour: width of the outline in voxels, 0 to fill.
    """
    table: dict[int | None, str] = {None: "transparent", 0: "transparent", **dict(enumerate(colours, start=1))}
    layer = Labels(
        masks,
        name=name,
        opacity=opacity,
        colormap=DirectLabelColormap(color_dict=table),
        metadata={VOLUME_KEY: volume},
        **transform(volume),
    )
    layer.contour = contour
    return layer


def _image(number: int, scene: Scene) -> Image:
    return Image(
        scene.volume.voxels,  # shared by all sides: no copy
        name=f"{number}: image",
        colormap="gray",
        contrast_limits=scene.contrast_limits,
        interpolation2d="linear",
        **transform(scene.volume),
    )


def truth_labels(scene: Scene) -> np.ndarray:
    """(z, y, x) uint8, 1 inside; zeros where there is no ground truth, so that all sides have the same layers."""
    return np.zeros(scene.volume.voxels.shape, np.uint8) if scene.truth is None else scene.truth.astype(np.uint8)


def _truth(number: int, scene: Scene) -> Labels:
    return masks_layer(f"{number}: {TRUTH}", truth_labels(scene), scene.volume, (TRUTH_COLOUR,), contour=1)


def _boxes(number: int, volume: Volume) -> Shapes:
    return Shapes(
        ndim=3,
        name=f"{number}: boxes",
        face_color="transparent",
        edge_width=box_line(volume),
        **transform(volume),
    )


def _cursor(number: int, volume: Volume) -> Points:
    """No point until the mouse is on another side."""
    return Points(
        ndim=3,
        name=f"{number}: cursor",
        symbol="cross",
        size=1,
        face_color="white",
        border_color="black",
        border_width=0.15,
        canvas_size_limits=(_CURSOR_PIXELS, _CURSOR_PIXELS),
        **transform(volume),
    )
