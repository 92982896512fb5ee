"""Difference: one picture, coloured by who segmented what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from napari.layers import Labels, Layer

from napari_pqcomq.layers.comparison_tag import mark_as_comparison
from napari_pqcomq.translation import tr
from napari_pqcomq.viewer.modes.base import Plate, Stage, short_titles, side_plate
from napari_pqcomq.viewer.scene import Pane
from napari_pqcomq.viewer.side_layers import masks_layer
from pqcomq.comparison.measures.difference_map import BOTH, ONLY_A, ONLY_B, difference
from pqcomq.comparison.presentation.palette import BOTH_COLOUR, FULL_COLOUR, QUANTIZED_COLOUR

_OPACITY = 0.6


class DifferenceMode:
    """See :class:`.ViewMode`."""

    grid: tuple[int, int] | None = None

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._parts = np.empty(0)
        self._counts = np.empty((0, 0))  # (slices, parts) voxels
        self._layer: Labels = masks_layer(
            "Difference",
            self._computed(),
            stage.scene.volume,
            (BOTH_COLOUR, FULL_COLOUR, QUANTIZED_COLOUR),
            _OPACITY,
        )
        self.own_layers: list[Layer] = [mark_as_comparison(self._layer)]

    def visible(self) -> list[Layer]:
        """The first side's picture with the difference over it; an outline of the truth would hide its rim."""
        first = self._stage.sides[0]
        return [first.image, self._layer, first.boxes]

    def plates(self) -> list[Plate]:
        """What the colours mean and how much there is of each, of the object that the figures are about."""
        full, quantized = self._stage.panes[0], self._stage.panes[self._stage.candidate]
        counts = self._counts.sum(axis=0)
        only_full, only_quantized, both = (
            f"{counts[part] * self._stage.scene.volume.grid.voxel_millilitres:.1f} mL"
            for part in (ONLY_A, ONLY_B, BOTH)
        )
        names = {each.number: each.name for each in self._stage.scene.objects}
        of_object = tr(" of {name}", name=names[self._counted]) if self._counted and len(names) > 1 else ""
        return [
            _only(full, only_full, of_object),
            Plate(
                tr("Both: {both}{of_object}", both=both, of_object=of_object),
                BOTH_COLOUR,
                short_titles=(tr("Both: {both}", both=both),),
            ),
            _only(quantized, only_quantized, of_object),
        ]

    def show_masks(self, slices: Sequence[int] | None) -> None:
        """Compare again, some slices or all of them."""
        if slices is None:
            self._layer.data = self._computed()
            return
        for z in slices:
            self._parts[z], self._counts[z] = self._compared(z)
        self._layer.refresh(extent=False, thumbnail=False, highlight=False)

    def close(self) -> None:
        """Nothing is held."""

    @property
    def _counted(self) -> int:
        """Number of the object that is counted, 0 for all of them."""
        scene = self._stage.scene
        return 0 if scene.current in scene.hidden else scene.current

    def _computed(self) -> np.ndarray:
        compared = [self._compared(z) for z in range(len(self._stage.sides[0].masks))]
        self._parts = np.stack([parts for parts, _counts in compared])
        self._counts = np.stack([counts for _parts, counts in compared])
        return self._parts

    def _compared(self, z: int) -> tuple[np.ndarray, np.ndarray]:
        """Who segmented what on a slice (y, x), and the voxels of each part, of the counted object alone."""
        first, second = (self._stage.scene.seen(side.masks[z]) for side in self._stage.pair)
        parts, number = difference(first, second), self._counted
        return parts, _count(difference(first == number, second == number) if number else parts)


def _only(pane: Pane, millilitres: str, of_object: str) -> Plate:
    """The plate of a side with what it alone segmented; full precision's figures are not repeated."""
    shorter = tuple(
        tr("Only {title}: {told}", title=title, told=told)
        for told in (millilitres + of_object, millilitres)
        for title in short_titles(pane.title)
    )
    title = tr("Only {title}: {told}", title=pane.title, told=millilitres + of_object)
    plate = replace(side_plate(pane), title=title, short_titles=shorter)
    return plate if pane.mark is not None else replace(plate, lines=())


def _count(parts: np.ndarray) -> np.ndarray:
    """Voxels of each part on a slice."""
    return np.bincount(parts.ravel(), minlength=ONLY_B + 1)
