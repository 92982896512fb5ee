"""Swipe: one picture under a curtain, full precision's masks left of it, the quantized model's right of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from napari.layers import Labels, Layer, Shapes

from napari_pqcomq.layers.comparison_tag import mark_as_comparison
from napari_pqcomq.layers.volume_layers import transform
from napari_pqcomq.prompts.box_layers import box_line
from napari_pqcomq.viewer.modes.base import Plate, Stage, side_plate
from napari_pqcomq.viewer.side_layers import (
    ALL_COLOURS,
    FILL_OPACITY,
    MASKS,
    OUTLINES,
    STROKE_COLOURS,
    draw_outlines,
    mask_colours,
    masks_layer,
)
from napari_pqcomq.viewer.strokes import Sight, strokes_layer

CURTAIN = "Swipe: curtain"
"""Name of the curtain's layer."""
_REACH_PIXELS = 10
_STEP = 0.02


class SwipeMode:
    """See :class:`.ViewMode`. The curtain is dragged with the mouse or moved with keys."""

    grid: tuple[int, int] | None = None

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._place = 0.5  # of the picture's width
        self._sight: Sight | None = None
        self._masks = stage.sides[0].masks.copy()
        volume = stage.scene.volume
        self._fill: Labels = masks_layer(f"Swipe: {MASKS}", self._masks, volume, ALL_COLOURS, FILL_OPACITY)
        self._fill.colormap = mask_colours(hidden=stage.scene.hidden)
        self._outline = strokes_layer(f"Swipe: {OUTLINES}", volume, STROKE_COLOURS)
        self._curtain = Shapes(ndim=3, name=CURTAIN, **transform(volume))
        self.own_layers: list[Layer] = [
            mark_as_comparison(layer) for layer in (self._fill, self._outline, self._curtain)
        ]
        stage.viewer.mouse_drag_callbacks.append(self._on_drag)
        stage.viewer.dims.events.order.connect(self._redraw)
        stage.viewer.dims.events.current_step.connect(self._draw_curtain)
        self._redraw()

    def visible(self) -> list[Layer]:
        """The first side's picture with the masks of both."""
        first = self._stage.sides[0]
        return [first.image, self._fill, self._outline, first.boxes, first.truth, self._curtain]

    def plates(self) -> list[Plate]:
        """Each on its side of the curtain."""
        full, quantized = self._stage.panes[0], self._stage.panes[self._stage.candidate]
        return [side_plate(full), side_plate(quantized)]

    def show_masks(self, slices: Sequence[int] | None) -> None:
        """Compose again, some slices or all of them."""
        self._compose([slice(None)] if slices is None else [slice(z, z + 1) for z in slices])

    def show_outlines(self, sight: Sight) -> None:
        """Draw the outlines on the slice in sight; right of the curtain, rims where full precision has otherwise."""
        self._sight = sight
        first, volume = self._stage.sides[0], self._stage.scene.volume
        # Left of the curtain both are full precision's masks, so there is nothing to rim.
        shown, full = (self._stage.scene.seen(sight.slice_of(each)) for each in (self._masks, first.masks))
        draw_outlines(self._outline, shown, full, sight, volume)

    def close(self) -> None:
        """Let go of the viewer."""
        viewer = self._stage.viewer
        viewer.mouse_drag_callbacks.remove(self._on_drag)
        viewer.dims.events.order.disconnect(self._redraw)
        viewer.dims.events.current_step.disconnect(self._draw_curtain)

    def move(self, steps: int) -> None:
        """Move the curtain by steps to the right."""
        self._set_place(self._place + steps * _STEP)

    @property
    def _column(self) -> float:
        """The curtain's place in voxels along the axis across."""
        return self._place * self._masks.shape[self._stage.axis_across] - 0.5

    def _set_place(self, place: float) -> None:
        self._place = min(max(place, 0.0), 1.0)
        self._redraw()

    def _redraw(self, event: object = None) -> None:
        self._compose([slice(None)])
        self._draw_curtain()

    def _compose(self, stacks: Sequence[slice]) -> None:
        """Copy both sides' masks on stacks of slices, each up to the curtain."""
        first, second = self._stage.pair
        axis, cut = self._stage.axis_across, int(np.ceil(self._column))
        for side, part in ((first, slice(0, cut)), (second, slice(cut, None))):
            for stack in stacks:
                rest = tuple(part if i == axis else slice(None) for i in (1, 2))
                where = (part if axis == 0 else stack, *rest)
                self._masks[where] = side.masks[where]
        self._fill.refresh(extent=False, thumbnail=False, highlight=False)
        if self._sight is not None:
            self.show_outlines(self._sight)

    def _draw_curtain(self, event: object = None) -> None:
        """A line from edge to edge on the slice in sight."""
        dims, shape = self._stage.viewer.dims, self._masks.shape
        across, down = self._stage.axis_across, int(dims.order[-2])
        ends = np.array([dims.current_step[:3]] * 2, dtype=float)
        ends[:, across] = self._column
        ends[:, down] = -0.5, shape[down] - 0.5
        width = box_line(self._stage.scene.volume)
        self._curtain.data = []
        self._curtain.add_lines(ends, edge_color="white", edge_width=width)

    def _on_drag(self, viewer: Any, event: Any) -> Iterator[None]:  # noqa: ANN401 (napari's)
        if not self._curtain.visible or event.button != 1 or self._stage.viewer.dims.ndisplay != 2:
            return
        axis, grid = self._stage.axis_across, self._stage.scene.volume.grid
        place = transform(self._stage.scene.volume)

        def column() -> float:
            return float((event.position[axis] - place["translate"][axis]) / place["scale"][axis])

        camera = self._stage.viewer.scene.camera
        if abs(column() - self._column) * grid.spacing_zyx[axis] * camera.zoom > _REACH_PIXELS:
            return
        panned, camera.mouse_pan = camera.mouse_pan, False
        try:
            yield
            while event.type == "mouse_move":
                self._set_place((column() + 0.5) / self._masks.shape[axis])
                yield
        finally:
            camera.mouse_pan = panned
