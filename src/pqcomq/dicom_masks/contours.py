"""A slice of a mask as closed polygons, and polygons as a mask again, without losing a pixel either way.

Outlines run halfway between pixel centres (marching squares at one half), so that every centre inside the mask is
inside its polygon and no centre lies on a line: whoever fills the polygons by asking which centres lie inside gets the
same pixels back. Outlines through the centres of the outermost pixels, as cv2 draws them, lose those pixels in half
of the programs.

A hole is joined to the outline round it by a channel of no width (the keyhole technique). DICOM has had a contour type
for holes of their own only since 2021, and programs that do not know it fill them without a word. Channels run a
quarter of a pixel beside the centres, through the object alone.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from skimage.measure import find_contours

_EDGES_AT_A_TIME = 1000
"""Each may cross a thousand rows, and each crossing takes 100 bytes for the moment."""

_MOST_CROSSINGS = 4
"""A pixel on a slice; the outlines of a mask cross no row more often than twice a pixel."""

_BESIDE = 0.25
"""How far from the centres a channel runs: vertices have whole and half numbers, so it meets none of them."""


def outlines(mask: np.ndarray) -> list[np.ndarray]:
    """The outlines of a slice, one for each connected part, holes joined by keyholes.

    Args:
        mask: (rows, columns) bool; parts that touch at a corner alone are not connected.

    Returns:
        Polygons (n, 2) of row and column numbers, pixel centres being whole numbers; the last point is joined to the
        first and not repeated.
    """
    # A rim of background closes outlines at the edge; taken off again by the shift.
    rings = [ring[:-1] - 1 for ring in find_contours(np.pad(mask, 1).astype(np.float32), 0.5)]
    outer = [ring for ring in rings if _area(ring) > 0]
    holes = sorted((ring for ring in rings if _area(ring) < 0), key=lambda ring: float(ring[:, 0].min()))
    joined = [_without_points_on_lines(ring) for ring in outer]
    for hole in holes:
        _join(joined, _without_points_on_lines(hole))
    return joined


def filled(polygons: Iterable[np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    """The pixels whose centres lie inside an odd number of polygons.

    Args:
        polygons: (n, 2) of row and column numbers, closed or not.
        shape: rows, columns.

    Raises:
        ValueError: they run to and fro more often than the outlines of any mask: a clause.

    Returns:
        (rows, columns) bool. Centres on a line at the left or the top of a polygon are inside, at the right or the
        bottom outside, so that polygons side by side share no pixel.
    """
    rows, columns = shape
    flips = np.zeros((rows, columns + 1), np.int64)
    left = _MOST_CROSSINGS * (rows + 1) * (columns + 1) + sum(map(len, polygons := list(polygons)))
    for polygon in polygons:
        ends = np.roll(polygon, -1, axis=0)
        for begin in range(0, len(polygon), _EDGES_AT_A_TIME):
            edges = slice(begin, begin + _EDGES_AT_A_TIME)
            left -= _cross(flips, polygon[edges], ends[edges], left)
    inside: np.ndarray = np.cumsum(flips, axis=1)[:, :columns] % 2 == 1
    return inside


def _cross(flips: np.ndarray, begins: np.ndarray, ends: np.ndarray, most: int) -> int:
    """Mark where edges cross rows.

    Args:
        flips: (rows, columns + 1), counted up.
        begins: (n, 2) of row and column numbers.
        ends: (n, 2).
        most: crossings that may be left.

    Returns:
        How many there were.

    Raises:
        ValueError: more than ``most``.
    """
    rows, columns = flips.shape[0], flips.shape[1] - 1
    downwards = begins[:, 0] <= ends[:, 0]
    high, low = (np.where(downwards[:, None], *pair) for pair in ((begins, ends), (ends, begins)))
    first = np.clip(np.ceil(high[:, 0]), 0, rows).astype(int)
    beyond = np.clip(np.ceil(low[:, 0]), 0, rows).astype(int)  # an edge crosses the rows first … beyond - 1
    counts = beyond - first
    total = int(counts.sum())
    if total > most:
        raise ValueError("has contours that run to and fro without end")
    edge = np.repeat(np.arange(len(begins)), counts)
    row = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts) + first[edge]
    along = (row - high[edge, 0]) / (low[edge, 0] - high[edge, 0])
    crossing = high[edge, 1] + along * (low[edge, 1] - high[edge, 1])
    np.add.at(flips, (row, np.clip(np.ceil(crossing), 0, columns).astype(int)), 1)
    return total


def _area(ring: np.ndarray) -> float:
    """Signed area: find_contours turns one way round the mask and the other way round its holes."""
    row, column = ring.T
    return float(np.dot(column, np.roll(row, -1)) - np.dot(row, np.roll(column, -1))) / 2


def _without_points_on_lines(ring: np.ndarray) -> np.ndarray:
    """Leave out points on the straight line between their neighbours; all coordinates are halves, so this is exact."""
    before, after = ring - np.roll(ring, 1, axis=0), np.roll(ring, -1, axis=0) - ring
    kept: np.ndarray = ring[before[:, 0] * after[:, 1] != before[:, 1] * after[:, 0]]
    return kept


def _join(polygons: list[np.ndarray], hole: np.ndarray) -> None:
    """Join a hole to the outline above it, in place.

    Holes come from the top down, so whatever lies straight above the top of this one, the outline round it or another
    hole in it, is part of ``polygons`` already; in between lies the object alone.
    """
    across = hole[hole[:, 0].argmin(), 1] + _BESIDE
    rows = _crossings(hole, across)
    edge = int(np.nanargmin(rows))
    start = np.array([[rows[edge], across]])
    round_the_hole = np.concatenate([start, np.roll(hole, -(edge + 1), axis=0), start])
    above = [np.where(found < rows[edge], found, -np.inf) for found in (_crossings(each, across) for each in polygons)]
    number = int(np.argmax([found.max() for found in above]))
    met, polygon = int(above[number].argmax()), polygons[number]
    anchor = np.array([[above[number][met], across]])
    polygons[number] = np.concatenate([polygon[: met + 1], anchor, round_the_hole, anchor, polygon[met + 1 :]])


def _crossings(polygon: np.ndarray, across: float) -> np.ndarray:
    """The row numbers (n,) at which a polygon's edges cross the line of one column number; NaN where they do not."""
    ends = np.roll(polygon, -1, axis=0)
    (row, column), (end_row, end_column) = polygon.T, ends.T
    rows = np.full(len(polygon), np.nan)
    meets = (np.minimum(column, end_column) < across) & (across < np.maximum(column, end_column))
    share = (across - column[meets]) / (end_column - column)[meets]
    rows[meets] = row[meets] + share * (end_row - row)[meets]
    return rows
