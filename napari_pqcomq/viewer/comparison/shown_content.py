"""What an open comparison shows may change while it is open: masks, boxes, truth, figures, window."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_pqcomq.prompts.objects.drawn_object import DrawnObject
from napari_pqcomq.viewer.comparison.arrangement import Arrangement
from napari_pqcomq.viewer.modes.base import Stage
from napari_pqcomq.viewer.scene import Mark, MaskPair
from napari_pqcomq.viewer.sides.mask_arrays import copied_masks
from pqcomq.volumes.volume import Volume


class ShownContent(QObject):
    """Reads and changes what is on screen; does nothing while no comparison is open.

    Args:
        parent: Qt parent.

    Attributes:
        redrawn: emitted after masks, boxes or the window have changed.
    """

    redrawn = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._stage: Stage | None = None  # both are set while the layers of all sides are in the viewer
        self._arrangement: Arrangement | None = None

    def set_contrast_limits(self, limits: tuple[float, float]) -> None:
        """Window all sides; the images are linked."""
        if self._stage is not None:
            self._stage.sides[0].image.contrast_limits = limits
            self.redrawn.emit()

    def set_objects(
        self, objects: tuple[DrawnObject, ...], current: int = 0, hidden: frozenset[int] = frozenset()
    ) -> None:
        """Show other boxes.

        Args:
            objects: whose boxes are seen.
            current: number of the object that figures are about, 0 for all of them.
            hidden: numbers of the objects whose masks are out of sight.
        """
        self._change_scene(objects=objects, current=current, hidden=hidden)

    def set_truth(self, truth: np.ndarray | None) -> None:
        """Draw the outline of another ground truth, (z, y, x) bool."""
        self._change_scene(truth=truth)

    @property
    def has_truth(self) -> bool:
        """Whether there is a ground truth to be outlined."""
        return self._stage is not None and self._stage.scene.truth is not None

    def set_masks(self, z: int, masks: Sequence[np.ndarray]) -> None:
        """Replace one slice's masks.

        Args:
            z: slice number.
            masks: object numbers (y, x), one array a side.
        """
        if self._stage is not None:
            for side, mask in zip(self._stage.sides, masks, strict=True):
                side.masks[z] = mask
            self._masks_changed((z,))

    def set_mask_of(self, side: int, z: int, mask: np.ndarray) -> None:
        """Replace one side's mask on a slice.

        Args:
            side: counted from 0.
            z: slice number.
            mask: object numbers (y, x).
        """
        if self._stage is not None:
            self._stage.sides[side].masks[z] = mask
            self._masks_changed((z,))

    @property
    def volume(self) -> Volume | None:
        """The one on screen, None while nothing is open."""
        return self._stage.scene.volume if self._stage else None

    def clear_masks(self, number: int, slices: Collection[int]) -> None:
        """Take object ``number``'s masks away on slices: they belong to a box that is no more."""
        if self._stage is not None and slices:
            for z in slices:
                for side in self._stage.sides:
                    side.masks[z][side.masks[z] == number] = 0
            self._masks_changed(tuple(slices))

    def masks(self, z: int) -> list[np.ndarray]:
        """A copy of each side's object numbers (y, x) on a slice."""
        return [side.masks[z].copy() for side in self._stage.sides] if self._stage else []

    def pair(self) -> MaskPair | None:
        """The masks of the two sides that views of two compare, None while nothing is open."""
        if self._stage is None:
            return None
        first, second = self._stage.pair
        return MaskPair(first.masks, second.masks, self._stage.scene.seen)

    def all_masks(self) -> list[np.ndarray]:
        """A copy of each side's object numbers (z, y, x), of what is not hidden."""
        stage = self._stage
        return [copied_masks(side.masks, stage.scene.seen) for side in stage.sides] if stage else []

    def set_lines(self, lines: Sequence[tuple[str, ...]], marks: Sequence[Mark | None] | None = None) -> None:
        """Write other lines and verdicts on the plates, one of each a side; by default no verdicts."""
        if self._stage is not None and self._arrangement is not None:
            panes, marks = self._stage.panes, marks or [None] * len(lines)
            self._stage.panes = [
                replace(pane, lines=each, mark=mark) for pane, each, mark in zip(panes, lines, marks, strict=True)
            ]
            self._arrangement.show_plates()

    def _change_scene(self, **changes: Any) -> None:  # noqa: ANN401 (fields of Scene)
        if self._stage is not None and self._arrangement is not None:
            self._arrangement.show_scene(replace(self._stage.scene, **changes))
            self.redrawn.emit()

    def _masks_changed(self, slices: Sequence[int] | None) -> None:
        if self._arrangement is not None:
            self._arrangement.masks_changed(slices)
            self.redrawn.emit()
