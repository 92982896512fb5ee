"""Difference: one picture, coloured by who segmented what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from napari_pqcomq.translation import tr
from napari_pqcomq.viewer.modes.base import (
    Plate,
    SideLines,
    Stage,
    ViewMode,
    masks_in_sight,
    short_titles,
    side_plate,
)
from napari_pqcomq.viewer.scene import Pane
from napari_pqcomq.viewer.sides.side_layers import FILLS, FIRST_PART
from napari_pqcomq.viewer.sides.strokes import Lines, Sight, region_areas
from pqcomq.comparison.measures.difference_map import BOTH, ONLY_A, ONLY_B, difference
from pqcomq.comparison.presentation.palette import BOTH_COLOUR

_PARTS = (BOTH, ONLY_A, ONLY_B)
"""In the order of their colours."""


class DifferenceMode(ViewMode):
    """See :class:`.ViewMode`."""

    shows_truth = False  # its outline would hide the rim of the difference

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._counts = np.zeros((len(stage.sides[0].masks), ONLY_B + 1), np.int64)  # (slices, parts) voxels
        self._uncounted: set[int] = set(range(len(self._counts)))

    def lines(self, sight: Sight) -> list[SideLines]:
        """Areas in the colours of those who segmented them."""
        parts = difference(*(masks_in_sight(side, self._stage, sight) for side in self._stage.pair))
        areas = [Lines(region_areas(parts == part), FIRST_PART + index, 0) for index, part in enumerate(_PARTS)]
        return [{FILLS: areas}]

    def plates(self) -> list[Plate]:
        """What the colours mean and how much there is of each, of the object that the figures are about."""
        full, quantized = self._stage.panes[0], self._stage.panes[self._stage.candidate]
        self._count()
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

    def masks_changed(self, slices: Sequence[int] | None) -> None:
        """Count again when it is asked for."""
        self._uncounted |= set(range(len(self._counts)) if slices is None else slices)

    @property
    def _counted(self) -> int:
        """Number of the object that is counted, 0 for all of them."""
        scene = self._stage.scene
        return 0 if scene.current in scene.hidden else scene.current

    def _count(self) -> None:
        """Count the voxels of each part, of the counted object alone, where masks have changed."""
        seen, number = self._stage.scene.seen, self._counted
        for z in self._uncounted:
            first, second = (seen(side.masks[z]) for side in self._stage.pair)
            if not (first.any() or second.any()):  # as on most slices
                self._counts[z] = 0
                continue
            parts = difference(first == number, second == number) if number else difference(first, second)
            self._counts[z] = np.bincount(parts.ravel(), minlength=ONLY_B + 1)
        self._uncounted = set()


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
