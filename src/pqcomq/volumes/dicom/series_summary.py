"""What a user needs to see of a scan to choose: patients' studies, their series, and what lies on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pqcomq.errors import InputError
from pqcomq.volumes.dicom.annotations import Annotation
from pqcomq.volumes.dicom.grouping import Series
from pqcomq.volumes.dicom.identity import StudyHeader
from pqcomq.volumes.dicom.scan import Scan
from pqcomq.volumes.dicom.stacking.slice_stack import stack_planes, without_copies
from pqcomq.volumes.dicom.stacking.subseries import Part, parts_of, plane_name
from pqcomq.volumes.import_issues import RemedyNeeded


@dataclass(frozen=True)
class SeriesInfo:
    """One series, without patient data unless its ``study`` is asked for them.

    Attributes:
        uid: what it is chosen by: its SeriesInstanceUID; followed by ``#1`` and so on where several identities
            share one or it has none; ``"joined-1"`` and so on for what several series make up together.
        number: SeriesNumber, None if the files have none.
        description: SeriesDescription, may be empty.
        modality: as DICOM writes it, e.g. ``"CT"``, ``"MR"``, ``"PT"``.
        slices: number of image planes.
        size_xy: columns, rows of the first plane.
        spacing_xy: millimetres between columns, between rows; None if the files do not say.
        spacing_z: millimetres between slices; None where it is not the same throughout.
        plane: ``"axial"``, ``"oblique coronal"`` …; ``""`` if the files do not say.
        parts: the volumes in it; a single one in most series.
        problem: why it does not open as it is, one sentence; ``""`` if it does.
        study: its study.
        annotations: segmentations and structure sets on it.
        joined: how many series it was put together from; 1 in all others.
    """

    uid: str
    number: int | None
    description: str
    modality: str
    slices: int
    size_xy: tuple[int, int]
    spacing_xy: tuple[float, float] | None
    spacing_z: float | None
    plane: str
    parts: tuple[Part, ...]
    problem: str
    study: StudyHeader = field(repr=False)
    annotations: tuple[Annotation, ...] = ()
    joined: int = 1

    @classmethod
    def of(cls, series: Series, annotations: Sequence[Annotation] = ()) -> SeriesInfo:
        """Sum up one series, and what of ``annotations`` lies on it."""
        planes = series.planes
        first = planes[0]
        spacing = None if first.pixel_spacing is None else (first.pixel_spacing[1], first.pixel_spacing[0])
        parts, difference = parts_of(without_copies(planes)[0])
        spacing_z, problem = _stacked(parts, difference)
        if series.shared > 1:
            problem = " ".join(filter(None, (identity_sentence(series), problem)))
        return cls(
            series.key, first.series.number, first.series.description, first.series.modality, len(planes),
            (first.columns, first.rows), spacing, spacing_z, _planes_named(parts), tuple(parts), problem,
            first.series.study, tuple(a for a in annotations if a.lies_on(first.series)), series.joined,
        )  # fmt: skip

    @property
    def name(self) -> str:
        """Short and free of patient data, e.g. ``"Abdomen 3 mm (series 4)"``."""
        title = self.description or self.modality or "DICOM"
        if self.joined > 1:
            title += f", {self.joined} series joined"
        return title if self.number is None else f"{title} (series {self.number})"

    def __str__(self) -> str:
        number = "no number" if self.number is None else f"number {self.number}"
        title = f" '{self.description}'" if self.description else ""
        if self.joined > 1:
            return f"'{self.uid}':{title} {self.modality or '?'}, {self.slices} slices of {self.joined} series together"
        uid = f"UID …{self.uid[-12:]}" if self.uid[-12:] != self.uid else f"UID {self.uid or 'none'}"
        return f"{number}:{title} {self.modality or '?'}, {self.slices} slices, {uid}"

    def to_dict(self, *, with_patient: bool = False) -> dict[str, Any]:
        """For machines; patient data only where asked for."""
        patient = {"patient_id": self.study.patient_id, "patient_name": self.study.patient_name}
        return (patient if with_patient else {}) | {
            "study_uid": self.study.uid,
            "uid": self.uid,
            "number": self.number,
            "description": self.description,
            "modality": self.modality,
            "slices": self.slices,
            "size_xy": list(self.size_xy),
            "spacing_mm": None if self.spacing_xy is None else [*self.spacing_xy, self.spacing_z],
            "plane": self.plane,
            "parts": [part.label for part in self.parts],
            "problem": self.problem,
            "annotations": [{"kind": a.kind, "file": str(a.file), "names": list(a.names)} for a in self.annotations],
        }


def infos_of(scan: Scan) -> list[SeriesInfo]:
    """All series of a scan, by patient, study and number."""
    return [SeriesInfo.of(series, scan.annotations) for series in scan.series()]


def identity_sentence(series: Series) -> str:
    """What is odd about the identity of a series whose UID others share, or that has none."""
    shared = "have the same series UID" if series.header.uid else "have no series UID"
    return f"{series.shared} series of different {series.contradiction} {shared}."


def _planes_named(parts: Sequence[Part]) -> str:
    return ", ".join(dict.fromkeys(name for part in parts if (name := plane_name(part.planes[0]))))


def _stacked(parts: Sequence[Part], difference: str) -> tuple[float | None, str]:
    """Spacing of the slices, and what stands in the way of opening the series as it is."""
    if len(parts) > 1:
        return None, f"It {difference}; choose a part."
    try:
        stack = stack_planes(parts[0].planes, "It")
    except RemedyNeeded as needed:
        return None, needed.finding.sentence
    except InputError as error:
        return None, str(error)
    return float(np.round(stack.grid.spacing[2], 6)), ""
