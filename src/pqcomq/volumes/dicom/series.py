"""One series of a scan, chosen by the user, as a volume."""

from __future__ import annotations

from collections.abc import Collection, Generator, Sequence
from pathlib import Path, PurePath

import numpy as np

from pqcomq.errors import InputError
from pqcomq.progress import Progress
from pqcomq.volumes.dicom.file_discovery import DicomFile
from pqcomq.volumes.dicom.grouping import Series
from pqcomq.volumes.dicom.headers import PlaneHeader
from pqcomq.volumes.dicom.pixels.pixel_format import fill_of
from pqcomq.volumes.dicom.pixels.pixel_loading import reading_planes, same_pixels
from pqcomq.volumes.dicom.scan import Scan, scan_of
from pqcomq.volumes.dicom.series_summary import SeriesInfo, identity_sentence, infos_of
from pqcomq.volumes.dicom.stacking.repetitions import differing
from pqcomq.volumes.dicom.stacking.resampling import resampled
from pqcomq.volumes.dicom.stacking.slice_stack import Stack, stack_planes, without_copies
from pqcomq.volumes.dicom.stacking.subseries import parts_of
from pqcomq.volumes.geometry_checks import geometry_findings
from pqcomq.volumes.grid import Grid
from pqcomq.volumes.import_issues import ImportIssue, Remedy
from pqcomq.volumes.value_checks import value_findings
from pqcomq.volumes.volume import Modality, SourcePlane, Volume
from pqcomq.volumes.volume_choice import PartChoiceNeeded, checked_part

MOST_NAMED = 6
"""Files named in one message."""
MOST_LISTED = 12
"""Series named in one message."""


class SeriesChoiceNeeded(InputError):  # noqa: N818  # the plugin answers it with a choice
    """More than one series could be meant; ``series`` holds those to choose from."""

    def __init__(self, reason: str, place: object, series: list[SeriesInfo]) -> None:
        super().__init__(reason, place)
        self.series = series


def list_series(path: Path) -> list[SeriesInfo]:
    """All image series in a folder and its subfolders, a DICOMDIR, a zip archive or a file.

    Raises:
        InputError: there is no DICOM image.
    """
    return infos_of(checked_scan(scan_of(path)))


def checked_scan(scan: Scan) -> Scan:
    """The scan, if it found images.

    Raises:
        InputError: it found none; where a single file was looked at, the reason why.
    """
    if scan.planes:
        return scan
    if len(scan.damaged) == 1 and next(iter(scan.damaged)).path == scan.path:
        raise InputError(next(iter(scan.damaged.values())))
    if scan.annotations:
        kinds = " and ".join(sorted({a.kind for a in scan.annotations}))
        raise InputError(f"There are no DICOM images, only {kinds} objects, which lie on images elsewhere.", scan.path)
    if scan.damaged:
        first = next(iter(scan.damaged.values()))
        told = f"There are no DICOM images that can be shown; {len(scan.damaged)} files cannot be used"
        raise InputError(f"{told}, the first of them: {first}", scan.path)
    raise InputError("There are no DICOM images that can be shown.", scan.path)


def reading_series(
    scan: Scan,
    series: str | None = None,
    part: int | None = None,
    modality: Modality | None = None,
    remedies: Collection[Remedy] = (),
) -> Generator[Progress, None, Volume]:
    """Read one series of a scan; stop asking for steps, and it stops.

    Args:
        scan: what a folder, DICOMDIR, archive or file holds.
        series: series UID, an unambiguous end of it, or the series number; may be None if there is only one.
        part: which volume of the series, counted from 1; may be None if there is only one.
        modality: overrides what the files say.
        remedies: what to do should its geometry not be regular.

    Yields:
        How many files were read.

    Returns:
        The volume.

    Raises:
        SeriesChoiceNeeded: ``series`` is None and there are several, or several fit it.
        PartChoiceNeeded: ``part`` is None and there are several.
        RemedyNeeded: its geometry is not regular, and ``remedies`` holds no answer.
        InputError: no series fits, it cannot make up a volume, or a file is damaged.
    """
    chosen = _chosen(checked_scan(scan), series)
    header = chosen.header
    info_name = SeriesInfo.of(chosen).name
    what = str(scan.path)
    if scan.path.is_dir() or len({plane.file for plane in scan.planes}) > 1:
        what += f", series {info_name if header.number is None or chosen.joined > 1 else header.number}"
    single, odd_copies = without_copies(chosen.planes, same_pixels)
    members, taken = _part(single, part, remedies, what)
    stack = stack_planes(members, what, remedies)
    voxels, grid, odd = yield from _voxels(stack)
    stated: Modality = "CT" if header.modality == "CT" else "MR" if header.modality == "MR" else "other"
    findings = (
        *stack.findings, *_left_out(scan, chosen), *_identity(chosen), *odd_copies, *taken, *_mixed(stack),
        *geometry_findings(stack.grid), *odd, *value_findings(voxels, modality or stated),
    )  # fmt: skip
    sources = () if stack.places is not None else tuple(map(_source, stack.planes))
    return Volume(voxels, grid, stack.grid, modality or stated, info_name, scan.path, findings, sources)


def _chosen(scan: Scan, series: str | None) -> Series:
    """The series meant: by its key, else its number, else the end of its UID."""
    found = scan.series()
    if series is None:
        apart = [each for each in found if each.joined == 1]
        fitting, asked = found, f"There are {len(apart)} series; choose one"
    else:
        rules = (
            [s for s in found if s.key == series],
            [s for s in found if series and s.header.uid == series and s.joined == 1],
            [s for s in found if str(s.header.number) == series and s.joined == 1],
            [s for s in found if series and s.header.uid.endswith(series) and s.joined == 1],
        )
        fitting = next((rule for rule in rules if rule), [])
        asked = f"{len(fitting)} series fit '{series}'; choose one by its UID"
    if len(fitting) == 1:
        return fitting[0]
    fitting.sort(key=lambda each: each.joined == 1)  # what would be one volume first, before a long list
    infos = [SeriesInfo.of(s, scan.annotations) for s in fitting or found]
    listed = "; ".join(map(str, infos[:MOST_LISTED]))
    if len(infos) > MOST_LISTED:
        listed += f"; and {len(infos) - MOST_LISTED} more"
    if not fitting:
        raise InputError(f"There is no series '{series}', only: {listed}.", scan.path)
    raise SeriesChoiceNeeded(f"{asked}: {listed}.", scan.path, infos)


def _part(
    planes: Sequence[PlaneHeader], part: int | None, remedies: Collection[Remedy], what: str
) -> tuple[Sequence[PlaneHeader], tuple[ImportIssue, ...]]:
    """The planes of the part meant, and a note of what was left out."""
    parts, difference = parts_of(planes)
    if part is not None:
        index = checked_part(part, len(parts), what)
    elif len(parts) == 1:
        index = 0
    elif "largest" in remedies:
        index = max(range(len(parts)), key=lambda i: (not parts[i].is_union, len(parts[i].planes)))
    else:
        raise PartChoiceNeeded(what, f"The series {difference}", [p.label for p in parts], ("largest",))
    if len(parts) == 1:
        return parts[0].planes, ()
    told = f"The series {difference}; of its {len(parts)} parts this is number {index + 1} ({parts[index].label})."
    return parts[index].planes, (ImportIssue("part", told),)


def _identity(series: Series) -> tuple[ImportIssue, ...]:
    """What is odd about whose images they are."""
    if series.joined > 1:
        told = f"{series.joined} series that fit together were joined to one volume."
        frames = {plane.series.frame_of_reference for plane in series.planes}
        if len(frames) > 1:
            told = told[:-1] + f"; they name {len(frames)} frames of reference."
        return (ImportIssue("joined", told),)
    if series.shared > 1:
        return (ImportIssue("identity", identity_sentence(series)),)
    return ()


def _mixed(stack: Stack) -> tuple[ImportIssue, ...]:
    """What the slices of a stack do not have in common though they should."""
    listed = differing(stack.planes) if stack.planes[0].placed else []
    findings = (ImportIssue("mixed", f"The slices differ in {' and in '.join(listed)}."),) if listed else ()
    count, every = sum(p.scale is None and not p.storage.states_scale for p in stack.planes), len(stack.planes)
    if 0 < count < every:
        told = f"{count} of {every} slices state neither a rescale slope nor an intercept, so that values are in doubt."
        findings = (*findings, ImportIssue("mixed", told))
    return findings


def _voxels(stack: Stack) -> Generator[Progress, None, tuple[np.ndarray, Grid, tuple[ImportIssue, ...]]]:
    """Voxels as shown (z, y, x), their grid, and what was odd about the values."""
    shown = stack.grid.shown()
    if stack.places is None:
        voxels, odd = yield from reading_planes(stack.planes, shown.grid.shape_zyx, shown.as_before)
        return voxels, shown.grid, odd
    first = stack.planes[0]
    shape = (len(stack.planes), first.rows, first.columns)
    planes, odd = yield from reading_planes(stack.planes, shape, lambda array: array)
    fill = fill_of(first.series.modality)
    regular = resampled(planes, stack.places, stack.grid.shape_zyx, fill)
    voxels = np.empty(shown.grid.shape_zyx, regular.dtype)
    shown.as_before(voxels)[...] = regular
    return voxels, shown.grid, odd


def _left_out(scan: Scan, series: Series) -> tuple[ImportIssue, ...]:
    """Files that could not be used and may have been slices of a series: those that lie beside its others."""
    folders = {_folder(plane.file) for plane in series.planes}
    lost = [file for file in scan.damaged if len(scan.series()) == 1 or _folder(file) in folders]
    if not lost:
        return ()
    names = ", ".join(file.name for file in lost[:MOST_NAMED]) + (", …" if len(lost) > MOST_NAMED else "")
    told = f"{len(lost)} files that look like slices are empty, damaged or unreadable, and were left out: {names}."
    if len(lost) == 1:
        told = f"1 file that looks like a slice is empty, damaged or unreadable, and was left out: {names}."
    return (ImportIssue("damaged", told),)


def _folder(file: DicomFile) -> PurePath:
    return PurePath(str(file)).parent


def _source(plane: PlaneHeader) -> SourcePlane:
    return SourcePlane(plane.file.path, plane.frame, plane.file.member)
