"""Where a NIfTI file says its voxels lie: by its sform, by its qform, or not at all.

Not left to nibabel: its quaternions refuse one that rounding left a millionth too long, which the standard normalizes,
and it prefers the sform without a word where the two forms are mirror images of each other.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from pqcomq.errors import InputError
from pqcomq.volumes.geometry_checks import NO_DIRECTIONS, NO_SPACING
from pqcomq.volumes.grid import PLAUSIBLE_SPACING, Grid
from pqcomq.volumes.import_issues import ImportIssue, Remedy, remedied
from pqcomq.volumes.nifti.header import MILLIMETRES, NiftiHeader

ANGLE_TOLERANCE = 1e-4
"""Largest cosine between two axes that is still rounding."""
LEAST_VOLUME = 0.5
"""Volume of the cell that three unit axes span, below which they are no axes of a scan that was only skewed."""
ROUNDING = 0.02
"""Voxels: what reaches less beyond a grid needs no further voxel."""
SAME_MILLIMETRES = 0.1
"""How far sform and qform may lie apart at a corner before it is told: float32 and rounding make less."""
SAME_SIDE = float(np.cos(np.radians(45)))
"""Least cosine between an axis by the sform and by the qform that still leads to the same side of the patient."""
SPACES = range(6)
"""Codes of the standard for what a geometry is aligned with; 0 for none."""
_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0])


@dataclass(frozen=True)
class Affine:
    """From index to LPS millimetres: voxel steps as columns (3, 3), and the first voxel's place (3,)."""

    steps: np.ndarray
    origin: np.ndarray

    def is_usable(self) -> bool:
        """Whether all its numbers are finite."""
        return bool(np.isfinite(self.steps).all() and np.isfinite(self.origin).all())


def grid_of(
    header: NiftiHeader, remedies: Collection[Remedy], what: object
) -> tuple[Grid, Affine | None, tuple[ImportIssue, ...]]:
    """The grid of a file's voxels, the affine from which they are to be resampled to it, and what is odd about it.

    The sform is the standard's first choice; without it the qform holds, and without both the axes are taken for left,
    front and top.

    Args:
        header: of the file.
        remedies: ``"sform"`` or ``"qform"`` where the user chose one of two that contradict each other; ``"resample"``
            where axes are not at right angles.
        what: the file, for messages.

    Returns:
        The grid; the affine of axes that are not at right angles, None where the voxels lie on the grid as they are;
        and the findings.

    Raises:
        RemedyNeeded: sform and qform lead to different sides of the patient, or axes are not at right angles.
        InputError: the geometry is damaged.
    """
    unit = MILLIMETRES[header.units]
    _check_spacing(np.array(header.pixdim[1:]) * unit, what)
    sform, qform = _sform(header, unit), _qform(header, unit)
    findings: list[ImportIssue] = []
    if unit != 1.0:
        findings.append(ImportIssue("units", f"The file gives lengths in units of {unit:g} mm; all are shown in mm."))
    findings += _odd_codes(header, qform)
    if sform is None and qform is None:
        findings.append(NO_DIRECTIONS)
        if header.units == 0 and header.pixdim[1:] == (1.0, 1.0, 1.0):  # what writers put there that know none
            findings.append(NO_SPACING)
        steps = np.diag(np.array(header.pixdim[1:]) * unit) * (-1.0, 1.0, 1.0)
        return _grid(header, Affine(_RAS_TO_LPS @ steps, np.zeros(3))), None, tuple(findings)
    chosen, told_of = _chosen(header, sform, qform, remedies, what)
    findings += told_of
    spacing = np.linalg.norm(chosen.steps, axis=0)
    _check_spacing(spacing, what)
    stated = np.array(header.pixdim[1:]) * unit
    if not np.allclose(spacing, stated, rtol=0.01):
        told, used = (" x ".join(f"{s:g}" for s in sizes) for sizes in (stated, spacing))
        sentence = f"The header states two voxel sizes; its affine's, {used} mm, is used, not {told} mm."
        findings.append(ImportIssue("spacing", sentence))
    if any(finding.chosen == "resample" for finding in findings):
        return _round_about(header, chosen), chosen, tuple(findings)
    return _grid(header, chosen), None, tuple(findings)


def _odd_codes(header: NiftiHeader, qform: Affine | None) -> list[ImportIssue]:
    """What the header says of its geometries that cannot be; other programs may then take another one."""
    codes = {"sform_code": header.sform_code, "qform_code": header.qform_code}
    odd = [f"{name} {code}" for name, code in codes.items() if code not in SPACES]
    told = [f"The header's {' and '.join(odd)} names no space that there is; what is above 0 is taken."] if odd else []
    if header.qform_code > 0 and qform is None:
        told.append("The qform has no finite numbers and is left out.")
    return [ImportIssue("code", each) for each in told]


def _chosen(
    header: NiftiHeader, sform: Affine | None, qform: Affine | None, remedies: Collection[Remedy], what: object
) -> tuple[Affine, list[ImportIssue]]:
    """The affine that holds, and what is to be told about it."""
    if sform is None or qform is None:
        affine = sform or qform
        assert affine is not None  # noqa: S101  # the caller has seen to that
        if not _is_box(affine):
            return affine, [remedied(_sheared("The axes are", ("resample",), affine, what), remedies, str(what))]
        return affine, []
    finding = _contradiction(header, sform, qform, what)
    if finding is None:
        return sform, []
    if not finding.remedies:
        return sform, [finding]
    answered = remedied(finding, remedies, str(what))
    return (qform if answered.chosen == "qform" else sform), [answered]


def _contradiction(header: NiftiHeader, sform: Affine, qform: Affine, what: object) -> ImportIssue | None:
    if not _is_box(sform):
        if not _is_box(qform):
            return _sheared("The axes are", ("resample",), sform, what)
        return _sheared("The sform's axes are", ("qform", "resample"), sform, what, ", the qform's are")
    if np.linalg.det(sform.steps) * np.linalg.det(qform.steps) < 0:
        told = "The sform and the qform are mirror images of each other, so that left and right are in doubt."
        return ImportIssue("mirrored", told, ("sform", "qform"))
    if (_cosines(sform) * _cosines(qform)).sum(axis=0).min() < SAME_SIDE:
        told = "The sform and the qform turn the volume to different sides, so that these are in doubt."
        return ImportIssue("sides", told, ("sform", "qform"))
    corners = _corners(header)
    between = (corners @ sform.steps.T + sform.origin) - (corners @ qform.steps.T + qform.origin)  # (8, 3)
    apart = float(np.linalg.norm(between, axis=1).max())
    if apart <= SAME_MILLIMETRES:
        return None
    return ImportIssue("disagreement", f"The sform and the qform lie up to {apart:.3g} mm apart; the sform is used.")


def _sheared(begin: str, offered: tuple[Remedy, ...], affine: Affine, what: object, end: str = "") -> ImportIssue:
    """A finding of axes that are not at right angles.

    Raises:
        InputError: they do not even span a volume.
    """
    lengths = np.linalg.norm(affine.steps, axis=0)
    if not lengths.all() or not affine.is_usable() or abs(np.linalg.det(affine.steps / lengths)) < LEAST_VOLUME:
        raise InputError("The file has axes that do not span a volume.", what)
    cosines = np.abs((affine.steps / lengths).T @ (affine.steps / lengths) - np.eye(3))
    degrees = np.degrees(np.arcsin(min(1.0, float(cosines.max()))))
    return ImportIssue("shear", f"{begin} up to {degrees:.2g}° off right angles to one another{end}.", offered)


def _round_about(header: NiftiHeader, affine: Affine) -> Grid:
    """The smallest grid along the nearest right-angled axes that holds all voxels of a sheared one."""
    nearest = _grid(header, affine)
    places = nearest.to_voxels(_corners(header) @ affine.steps.T + affine.origin)
    low, high = np.floor(places.min(axis=0) + ROUNDING), np.ceil(places.max(axis=0) - ROUNDING)
    x, y, z = nearest.to_patient(low).tolist()
    nx, ny, nz = (int(n) for n in high - low + 1)
    return replace(nearest, size=(nx, ny, nz), origin=(x, y, z))


def _sform(header: NiftiHeader, unit: float) -> Affine | None:
    if header.sform_code <= 0:
        return None
    lps = _RAS_TO_LPS @ header.srow * unit
    return Affine(lps[:, :3], lps[:, 3])


def _qform(header: NiftiHeader, unit: float) -> Affine | None:
    """The rotation of a unit quaternion of which three parts are stored (the standard's method 2)."""
    if header.qform_code <= 0 or not np.isfinite(header.quaternion).all():
        return None
    b, c, d = header.quaternion[:3]
    rest = 1.0 - (b * b + c * c + d * d)
    if rest < 1e-7:  # half a turn, or rounding; the standard normalizes
        length = np.sqrt(b * b + c * c + d * d)
        a, b, c, d = 0.0, b / length, c / length, d / length
    else:
        a = np.sqrt(rest)
    rotation = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
    handedness = -1.0 if header.pixdim[0] < 0 else 1.0
    steps = rotation * (np.array(header.pixdim[1:]) * unit) * (1.0, 1.0, handedness)
    return Affine(_RAS_TO_LPS @ steps, _RAS_TO_LPS @ np.array(header.quaternion[3:]) * unit)


def _corners(header: NiftiHeader) -> np.ndarray:
    """Indices of the corner voxels, (8, 3)."""
    return np.array(list(product(*((0.0, n - 1.0) for n in header.sizes[:3]))))


def _cosines(affine: Affine) -> np.ndarray:
    """Unit vectors of the axes as columns (3, 3)."""
    cosines: np.ndarray = affine.steps / np.linalg.norm(affine.steps, axis=0)
    return cosines


def _is_box(affine: Affine) -> bool:
    if not np.linalg.norm(affine.steps, axis=0).all():
        return False
    cosines = _cosines(affine)
    return bool(np.abs(cosines.T @ cosines - np.eye(3)).max() <= ANGLE_TOLERANCE)


def _check_spacing(spacing: np.ndarray, what: object) -> None:
    low, high = PLAUSIBLE_SPACING
    if not all(low <= s <= high for s in spacing):
        raise InputError(f"The file has implausible voxel spacing ({' x '.join(f'{s:g}' for s in spacing)} mm).", what)


def _grid(header: NiftiHeader, affine: Affine) -> Grid:
    spacing = np.linalg.norm(affine.steps, axis=0)
    # The header has float32 cosines; the nearest exact rotation (or reflection) is what they mean.
    left, _, right = np.linalg.svd(affine.steps / spacing)
    nx, ny, nz = header.sizes[:3]
    sx, sy, sz = (float(s) for s in spacing)
    x, y, z = (float(v) for v in affine.origin)
    return Grid((nx, ny, nz), (sx, sy, sz), (x, y, z), tuple(float(v) for v in (left @ right).ravel()))
