"""What lies below masks that follow their boxes: who is dragged over others hides them, and takes nothing of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np


class CoveredMasks:
    """Of the slices on which a mask that follows its box lies beside others or over them."""

    def __init__(self) -> None:
        self._below: dict[int, list[np.ndarray]] = {}  # slice number → object numbers (y, x), one array a side

    @property
    def slices(self) -> frozenset[int]:
        """Their numbers."""
        return frozenset(self._below)

    def clear(self) -> None:
        """Other masks are shown."""
        self._below = {}

    def forget(self, number: int) -> None:
        """An object's mask is no more."""
        for labels in [each for sides in self._below.values() for each in sides]:
            labels[labels == number] = 0

    def redrawn(
        self,
        z: int,
        shown: Sequence[np.ndarray],
        live: Collection[int],
        redone: Collection[int],
        masks: Sequence[Mapping[int, np.ndarray]],
    ) -> list[np.ndarray]:
        """The masks of a slice with some of those that follow their boxes drawn anew, or gone.

        Args:
            z: slice number.
            shown: object numbers (y, x) as they are now, one array a side.
            live: numbers of the objects whose masks follow, those drawn anew among them.
            redone: numbers of those drawn anew.
            masks: of each side, object number → (y, x) bool; those that are not there are gone.
        """
        under = self._below.get(z) or [np.zeros_like(each) for each in shown]
        drawn = [np.where(_are(labels, live), low, labels) for labels, low in zip(shown, under, strict=True)]
        if any(each.any() for each in drawn):
            self._below[z] = [each.copy() for each in drawn]
        else:
            self._below.pop(z, None)
        for labels, before, found in zip(drawn, shown, masks, strict=True):
            others = _are(before, set(live) - set(redone))
            labels[others] = before[others]
            for number in [each for each in redone if each in found]:
                labels[found[number]] = number
        return drawn


def _are(labels: np.ndarray, numbers: Collection[int]) -> np.ndarray:
    """Where object numbers are some of those given, bool; uint8 in any shape, faster than ``np.isin``."""
    table = np.zeros(256, bool)
    table[list(numbers)] = True
    found: np.ndarray = table[labels]
    return found
