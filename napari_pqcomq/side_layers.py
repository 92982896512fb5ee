"""The layers of one side of a comparison: image, mask, ground truth outline, box outline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from napari.layers import Image, Labels, Layer, Shapes
from napari.utils.colormaps import DirectLabelColormap

from napari_pqcomq.layers import VOLUME_KEY, transform
from pqcomq.segmentation.box import Box3D
from pqcomq.volumes.volume import Volume

# From the palette of Okabe and Ito, distinguishable with any colour vision and on any grey.
LEFT_COLOUR = "#56B4E9"
RIGHT_COLOUR = "#E69F00"
TRUTH_COLOUR = "#F7F7F7"
BOX_COLOUR = "#F0E442"

_COMPARISON_KEY = "pqcomq_comparison"
"""Marks the layers of a comparison in their metadata, so that they are not taken for the user's."""

_FILL_OPACITY = 0.4
_BOX_LINE_SHARE = 1 / 250
"""Width of the box's line over the picture's: it must not vanish where the whole slice is in sight."""


@dataclass(frozen=True)
class Pane:
    """What one side shows.

    Attributes:
        title: model and precision, the heading of the side's plate.
        lines: the plate's other lines.
        mask: (z, y, x) bool on the volume's grid.
        colour: of mask and heading.
    """

    title: str
    lines: tuple[str, ...]
    mask: np.ndarray
    colour: str


@dataclass(frozen=True)
class Scene:
    """What both sides share.

    Attributes:
        volume: shown behind the masks.
        contrast_limits: the intensities shown black and white.
        box: the prompt.
        truth: (z, y, x) bool, or None where no ground truth was chosen.
    """

    volume: Volume
    contrast_limits: tuple[float, float]
    box: Box3D
    truth: np.ndarray | None = None


def side_layers(side: str, pane: Pane, scene: Scene) -> list[Layer]:
    """The layers of one side, from back to front; as many for either side.

    Args:
        side: "Left" or "Right", the first word of the layers' names.
        pane: what the side shows.
        scene: what both share.
    """
    layers: list[Layer] = [_image(side, scene), _mask(side, pane, scene.volume)]
    if scene.truth is not None:
        layers.append(_truth(side, scene.truth, scene.volume))
    layers.append(_box(side, scene.box, scene.volume))
    for layer in layers:
        layer.metadata[_COMPARISON_KEY] = True
    return layers


def is_of_comparison(layer: Layer) -> bool:
    """Whether a layer was made for the side-by-side view."""
    return bool(layer.metadata.get(_COMPARISON_KEY))


def _image(side: str, scene: Scene) -> Image:
    return Image(
        scene.volume.voxels,  # shared by both sides: no copy
        name=f"{side}: image",
        colormap="gray",
        contrast_limits=scene.contrast_limits,
        interpolation2d="linear",
        **transform(scene.volume),
    )


def _mask(side: str, pane: Pane, volume: Volume) -> Labels:
    return Labels(
        pane.mask.astype(np.uint8),
        name=f"{side}: mask",
        opacity=_FILL_OPACITY,
        colormap=_one_colour(pane.colour),
        metadata={VOLUME_KEY: volume},  # so that it can be saved on the file's grid
        **transform(volume),
    )


def _truth(side: str, truth: np.ndarray, volume: Volume) -> Labels:
    outline = Labels(
        truth.astype(np.uint8),
        name=f"{side}: ground truth",
        opacity=0.9,
        colormap=_one_colour(TRUTH_COLOUR),
        metadata={VOLUME_KEY: volume},
        **transform(volume),
    )
    outline.contour = 1
    return outline


def _box(side: str, box: Box3D, volume: Volume) -> Shapes:
    """A rectangle on each of the box's slices: a flat one would also show on slices outside the box."""
    corners = [[box.y0, box.x0], [box.y0, box.x1], [box.y1, box.x1], [box.y1, box.x0]]
    rectangles = [np.array([[z, y, x] for y, x in corners], dtype=float) for z in box.slices]
    return Shapes(
        rectangles,
        shape_type="rectangle",
        name=f"{side}: box",
        edge_color=BOX_COLOUR,
        edge_width=box_line(volume),
        face_color="transparent",
        **transform(volume),
    )


def box_line(volume: Volume) -> float:
    """Width of a box's outline in voxels."""
    return max(volume.grid.shape_zyx[1:]) * _BOX_LINE_SHARE


def _one_colour(colour: str) -> DirectLabelColormap:
    return DirectLabelColormap(color_dict={None: "transparent", 0: "transparent", 1: colour})
