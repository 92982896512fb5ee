"""Square windows over an image of tokens; attention is computed within each window."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import openvino as ov
from openvino import opset13 as op


@dataclass(frozen=True, eq=False)
class Windows:
    """The windows of one size, as constants of a graph.

    Attributes:
        count: how many.
        tokens: in each.
        places: (count · tokens,) where they lie among side² tokens, side² standing for padding.
        back: (side²,) the position of each token in the flattened windows.
    """

    count: int
    tokens: int
    places: ov.Node
    back: ov.Node


@dataclass(frozen=True, eq=False)
class WindowsOfGraph:
    """Makes the windows of a graph, each kind once: all its blocks share the constants."""

    _made: dict[tuple[int, int], Windows] = field(default_factory=dict)

    def of(self, side: int, window: int) -> Windows:
        """Windows of ``window`` rows and columns over an image of ``side`` rows and columns."""
        if (side, window) not in self._made:
            places, back = windows_of(side, window)
            constants = (op.constant(each.reshape(-1).astype(np.int32)) for each in (places, back))
            self._made[side, window] = Windows(len(places), window * window, *constants)
        return self._made[side, window]


def windows_of(side: int, window: int) -> tuple[np.ndarray, np.ndarray]:
    """The indices that gather tokens into windows, and those that scatter them back.

    Args:
        side: rows and columns of the image of tokens.
        window: rows and columns of a window.

    Returns:
        (windows, window²) indices into side² tokens, side² standing for padding; and (side²,) indices into the
        flattened windows.
    """
    count = -(-side // window)
    places = np.full((count * window, count * window), side * side)
    places[:side, :side] = np.arange(side * side).reshape(side, side)
    cut = places.reshape(count, window, count, window).transpose(0, 2, 1, 3).reshape(count * count, window * window)
    flat = cut.reshape(-1)
    inside = np.flatnonzero(flat < side * side)
    back = np.empty(side * side, dtype=np.int64)
    back[flat[inside]] = inside
    return cut, back
