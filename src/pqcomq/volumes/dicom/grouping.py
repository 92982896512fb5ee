"""The series that files make up: those of one identity, and those that fit together though their UIDs say otherwise."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from pqcomq.volumes.dicom.headers import PlaneHeader
from pqcomq.volumes.dicom.identity import SeriesHeader
from pqcomq.volumes.dicom.stacking.even_spacing import is_stack
from pqcomq.volumes.dicom.stacking.subseries import parts_of

JOINED = "joined"
"""Begins the key of a series that was put together from several."""


@dataclass(frozen=True, eq=False)
class Series:
    """Planes of one patient, study and series.

    Attributes:
        key: what it is chosen by: its UID; followed by ``#1`` and so on where others share it or there is none;
            ``"joined-1"`` and so on where it is put together.
        planes: as they were found; at least one.
        joined: how many series it was put together from; 1 in all others.
        shared: how many series have its UID.
        contradiction: what tells those apart, e.g. ``"patients"``; empty where there is only one.
    """

    key: str
    planes: tuple[PlaneHeader, ...]
    joined: int = 1
    shared: int = 1
    contradiction: str = ""

    @property
    def header(self) -> SeriesHeader:
        """What its first file says."""
        return self.planes[0].series


def series_of(planes: Sequence[PlaneHeader]) -> list[Series]:
    """Group planes by all that they say of patient, study and series.

    Returns:
        By patient, study and series number; behind them, what several series of few slices would make up together.
    """
    by_identity: dict[Hashable, list[PlaneHeader]] = {}
    for plane in planes:
        by_identity.setdefault(plane.series.identity, []).append(plane)
    groups = [group for members in by_identity.values() for group in _by_number(members)]
    groups.sort(key=lambda group: _order(group[0].series))
    uids = [group[0].series.uid for group in groups]
    series = []
    for index, group in enumerate(groups):
        shared = uids.count(uids[index])
        before = uids[:index].count(uids[index])
        key = uids[index] if shared == 1 and uids[index] else f"{uids[index]}#{before + 1}"
        others = [other[0].series for other, uid in zip(groups, uids, strict=True) if uid == uids[index]]
        series.append(Series(key, tuple(group), 1, shared, _contradiction(others)))
    return series + _joinable(series)


def _contradiction(series: Sequence[SeriesHeader]) -> str:
    """What series with one UID do not have in common, for people."""
    facts: dict[str, set[Hashable]] = {
        "patients": {each.study.patient for each in series},
        "studies": {each.study.uid for each in series},
        "frames of reference": {each.frame_of_reference for each in series},
        "modalities": {each.modality for each in series},
        "series numbers": {each.number for each in series},
    }
    return " and ".join(name for name, values in facts.items() if len(values) > 1)


def _by_number(planes: list[PlaneHeader]) -> list[list[PlaneHeader]]:
    """By series number; a missing one contradicts none, if there is only one other."""
    numbers = {plane.series.number for plane in planes} - {None}
    if len(numbers) <= 1:
        return [planes]
    groups: dict[int | None, list[PlaneHeader]] = {}
    for plane in planes:
        groups.setdefault(plane.series.number, []).append(plane)
    return list(groups.values())


def _order(series: SeriesHeader) -> tuple[object, ...]:
    study = series.study
    return study.patient, study.date, study.uid, series.number is None, series.number or 0, series.identity


def _joinable(series: Sequence[Series]) -> list[Series]:
    """Sets of series of one patient, study, modality and description that make up one even stack.

    Some scanners give each slice a series UID of its own, some anonymizers each file a frame of reference. Whether they
    belong together is for the user to say.
    """
    candidates: dict[Hashable, list[Series]] = {}
    for each in series:
        header = each.header
        same = (header.study.patient, header.study.uid, header.modality, header.description)
        candidates.setdefault((*same, header.number), []).append(each)
        candidates.setdefault((*same, "any number"), []).append(each)
    found: list[Series] = []
    for members in candidates.values():
        planes = tuple(plane for each in members for plane in each.planes)
        if len(members) < 2 or len(planes) < 3 or len(planes) > 2 * len(members):  # few slices each
            continue
        if {plane.instance_uid for plane in planes} in [{p.instance_uid for p in each.planes} for each in found]:
            continue
        (parts, _difference) = parts_of(planes)
        if all(plane.placed for plane in planes) and len(parts) == 1 and is_stack(planes):
            found.append(Series(f"{JOINED}-{len(found) + 1}", planes, len(members)))
    return found
