"""From slice positions to one regular grid, or a sentence why there is none.

A volume is only shown where every voxel's place is true. Slices that are missing, doubled, unevenly spaced or shifted
sideways would all be drawn and measured at the wrong millimetres, so they are refused and never bridged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pqcomq.errors import InputError
from pqcomq.volumes.dicom_headers import SliceHeader
from pqcomq.volumes.grid import Grid
from pqcomq.volumes.nifti import PLAUSIBLE_SPACING

EVENNESS = 0.1
"""How far a slice may lie from its place on the regular grid, as a part of the spacing."""
ROUNDING = 0.1
"""The same in millimetres for thin slices, whose positions some scanners write with one decimal."""
MOST_UNEVENNESS = 0.25
"""Bound of both, as a part of the spacing: one missing slice moves another by at least a third."""
SAME_PLACE = 1e-3
"""Millimetres: slices closer than this are at the same position."""
COSINE_TOLERANCE = 1e-3
"""Largest difference between the slices' direction cosines that is still rounding."""
MOST_DRIFT = 0.5
"""Sideways drift over the whole stack, in pixels, that is still rounding and not a tilted gantry."""


@dataclass(frozen=True)
class Stack:
    """Slices in geometric order, with their grid."""

    slices: tuple[SliceHeader, ...]
    grid: Grid
    notes: tuple[str, ...]


def stack_slices(slices: Sequence[SliceHeader], what: str) -> Stack:
    """Order slices along their normal and lay a regular grid through them.

    Args:
        slices: all planes of one series, in any order.
        what: names the file or series at the beginning of a message.

    Returns:
        The stack; ``grid`` has index axes column, row, slice.

    Raises:
        InputError: the slices do not make up one regular volume.
    """
    if refusal := next((s.refusal for s in slices if s.refusal), None):
        raise InputError(f"{what} {refusal}.")
    # Frames that say where they lie come with a scale each, from the same part of the header.
    if any(s.frames > 1 and s.scale is None for s in slices):
        raise InputError(f"{what} is a multi-frame image that does not say where each frame lies, so it is no volume.")
    slices, notes = _without_copies(slices)
    if len(slices) == 1:
        return _single(slices[0], what, notes)
    _check_alike(slices, what)
    axes = _axes(slices[0], what)
    positions = np.array([s.position for s in slices], dtype=np.float64)  # (n, 3)
    along = positions @ axes[:, 2]
    order = np.argsort(along, kind="stable")
    positions, along = positions[order], along[order]
    _check_even(along, what)
    row_spacing, column_spacing = _plausible(slices[0].pixel_spacing, what)
    sideways = positions - positions[0] - np.outer(along - along[0], axes[:, 2])
    if np.linalg.norm(sideways, axis=1).max() > MOST_DRIFT * min(row_spacing, column_spacing):
        raise InputError(f"{what} has slices that are shifted sideways (a tilted gantry) and is not a box of voxels.")
    spacing = (along[-1] - along[0]) / (len(slices) - 1)
    grid = _grid(slices[0], (column_spacing, row_spacing, float(spacing)), positions[0], axes, len(slices))
    return Stack(tuple(slices[i] for i in order), grid, notes)


def _without_copies(slices: Sequence[SliceHeader]) -> tuple[list[SliceHeader], tuple[str, ...]]:
    """Leave out repeated copies of the same image (same SOP instance UID)."""
    first: dict[str, SliceHeader] = {}
    for header in slices:
        first.setdefault(header.instance_uid or f"{header.path}#{header.frame}", header)
    copies = len(slices) - len(first)
    return list(first.values()), (f"{copies} repeated copies of slices were left out.",) if copies else ()


def _check_alike(slices: Sequence[SliceHeader], what: str) -> None:
    """All slices have a place, and the same size, spacing and orientation."""
    if any(s.position is None or s.orientation is None or s.pixel_spacing is None for s in slices):
        raise InputError(f"{what} has images that do not say where they lie in the patient, so they make up no volume.")
    sizes = {(s.columns, s.rows) for s in slices}
    if len(sizes) > 1:
        listed = ", ".join(f"{c} x {r}" for c, r in sorted(sizes)[:4])
        raise InputError(f"{what} mixes images of different sizes ({listed}) and is not one volume.")
    orientations = np.array([s.orientation for s in slices], dtype=np.float64)
    if np.abs(orientations - orientations[0]).max() > COSINE_TOLERANCE:
        raise InputError(f"{what} mixes images of different orientations and is not one volume.")
    spacings = np.array([s.pixel_spacing for s in slices], dtype=np.float64)
    if not np.allclose(spacings, spacings[0], rtol=1e-3):
        raise InputError(f"{what} mixes images of different pixel spacing and is not one volume.")


def _check_even(along: np.ndarray, what: str) -> None:
    """Sorted positions along the normal, mm (n,), are those of a regular grid."""
    gaps = np.diff(along)
    doubled = int(np.count_nonzero(gaps < SAME_PLACE))
    if doubled:
        reason = "several time points or echoes"
        raise InputError(f"{what} has {doubled} slices at the place of another ({reason}) and is not one volume.")
    spacing = (along[-1] - along[0]) / len(gaps)
    regular = along[0] + spacing * np.arange(len(along))
    if np.abs(along - regular).max() <= max(EVENNESS * spacing, min(ROUNDING, MOST_UNEVENNESS * spacing)):
        return
    # The lower median: with a hole in three slices the smaller gap is the true one.
    usual = float(np.sort(gaps)[(len(gaps) - 1) // 2])
    steps = np.rint(gaps / usual)
    missing = int((steps - 1).sum())
    if missing > 0 and np.abs(gaps - steps * usual).max() <= EVENNESS * usual:
        gap = f"a gap of {gaps.max():.4g} mm where slices are {usual:.4g} mm apart"
        raise InputError(f"{what} has {missing} missing {'slice' if missing == 1 else 'slices'} ({gap}).")
    raise InputError(f"{what} has unevenly spaced slices ({gaps.min():.4g} to {gaps.max():.4g} mm apart).")


def _axes(header: SliceHeader, what: str) -> np.ndarray:
    """Right-handed unit axes as columns (3, 3): along a row, down a column, along the normal."""
    orientation = np.array(header.orientation, dtype=np.float64)
    row, column = orientation[:3], orientation[3:]
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if abs(row @ column) > COSINE_TOLERANCE or max(abs(n - 1) for n in lengths) > 10 * COSINE_TOLERANCE:
        raise InputError(f"{what} has a damaged orientation ({', '.join(f'{v:g}' for v in orientation)}).")
    row = row / lengths[0]
    column = column - (column @ row) * row
    column = column / np.linalg.norm(column)
    return np.stack([row, column, np.cross(row, column)], axis=1)


def _plausible(spacing: tuple[float, ...] | None, what: str) -> tuple[float, float]:
    low, high = PLAUSIBLE_SPACING
    rows, columns = spacing or (1.0, 1.0)
    if not (low <= rows <= high and low <= columns <= high):
        raise InputError(f"{what} has implausible pixel spacing ({rows:g} x {columns:g} mm).")
    return rows, columns


def _single(header: SliceHeader, what: str, notes: tuple[str, ...]) -> Stack:
    """One plane on its own: what it does not say about its place is assumed and told."""
    told = list(notes)
    if header.pixel_spacing is None:
        told.append("The image does not state its pixel spacing; 1 mm is assumed.")
    if header.position is None or header.orientation is None:
        told.append("The image does not say where it lies in the patient; an axial slice at the origin is assumed.")
        header_axes, origin = np.eye(3), np.zeros(3)
    else:
        header_axes, origin = _axes(header, what), np.array(header.position, dtype=np.float64)
    low, high = PLAUSIBLE_SPACING
    if header.thickness is not None and low <= header.thickness <= high:
        thickness, source = header.thickness, "as it states"
    else:
        thickness, source = 1.0, "which is assumed"
    told.append(f"A single slice: its thickness is {thickness:g} mm, {source}.")
    row_spacing, column_spacing = _plausible(header.pixel_spacing, what)
    grid = _grid(header, (column_spacing, row_spacing, thickness), origin, header_axes, 1)
    return Stack((header,), grid, tuple(told))


def _grid(
    header: SliceHeader, spacing: tuple[float, float, float], origin: np.ndarray, axes: np.ndarray, count: int
) -> Grid:
    x, y, z = (float(v) for v in origin)
    direction = tuple(float(v) for v in axes.ravel())
    return Grid((header.columns, header.rows, count), spacing, (x, y, z), direction)
