"""Difference: one picture, coloured by who segmented what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from napari.layers import Labels, Layer

from napari_pqcomq.layers.comparison_tag import mark_as_comparison
from napari_pqcomq.viewer.modes.base import Plate, Stage, short_titles, side_plate
from napari_pqcomq.viewer.scene import Pane
from napari_pqcomq.viewer.side_layers import masks_layer
from pqcomq.comparison.difference_map import BOTH, ONLY_A, ONLY_B, difference
from pqcomq.comparison.palette import BOTH_COLOUR, FULL_COLOUR, QUANTIZED_COLOUR

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
        """What the colours mean and how much there is of each."""
        full, quantized = self._stage.panes[0], self._stage.panes[self._stage.candidate]
        counts = self._counts.sum(axis=0)
        only_full, only_quantized, both = (
            f"{counts[part] * self._stage.scene.volume.grid.voxel_millilitres:.1f} mL"
            for part in (ONLY_A, ONLY_B, BOTH)
        )
        return [
            _only(full, only_full),
            Plate(f"Both: {both}", BOTH_COLOUR),
            _only(quantized, only_quantized),
        ]

    def show_masks(self, slices: Sequence[int] | None) -> None:
        """Compare again, some slices or all of them."""
        if slices is None:
            self._layer.data = self._computed()
            return
        first, second = self._stage.pair
        for z in slices:
            self._parts[z] = difference(first.masks[z], second.masks[z])
            self._counts[z] = _count(self._parts[z])
        self._layer.refresh(extent=False, thumbnail=False, highlight=False)

    def close(self) -> None:
        """Nothing is held."""

    def _computed(self) -> np.ndarray:
        first, second = self._stage.pair
        self._parts = difference(first.masks, second.masks)
        self._counts = np.stack([_count(self._parts[z]) for z in range(len(self._parts))])
        return self._parts


def _only(pane: Pane, millilitres: str) -> Plate:
    """The plate of a side with what it alone segmented; full precision's figures are not repeated."""
    shorter = tuple(f"Only {title}: {millilitres}" for title in short_titles(pane.title))
    plate = replace(side_plate(pane), title=f"Only {pane.title}: {millilitres}", short_titles=shorter)
    return plate if pane.mark is not None else replace(plate, lines=())


def _count(parts: np.ndarray) -> np.ndarray:
    """Voxels of each part on a slice."""
    return np.bincount(parts.ravel(), minlength=ONLY_B + 1)
