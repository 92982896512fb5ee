"""Segmentations and structure sets that lie beside images, and the series to which they belong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pydicom.dataset import Dataset

from pqcomq.volumes.dicom.elements import text
from pqcomq.volumes.dicom.file_discovery import DicomFile
from pqcomq.volumes.dicom.identity import SeriesHeader, series_header

AnnotationKind = Literal["SEG", "RTSTRUCT"]


@dataclass(frozen=True)
class Annotation:
    """A DICOM segmentation or RT structure set, by its header.

    Attributes:
        kind: which of the two.
        file: where it is.
        series: its own series, whose frame of reference says in which coordinates it is.
        names: labels of its segments, or names of its structures.
        referenced_series: UIDs of the image series that it was made on.
        frames_of_reference: UIDs of all coordinate systems that it names.
    """

    kind: AnnotationKind
    file: DicomFile
    series: SeriesHeader
    names: tuple[str, ...]
    referenced_series: frozenset[str]
    frames_of_reference: frozenset[str]

    def lies_on(self, series: SeriesHeader) -> bool:
        """Whether it belongs to an image series: made on it, or without such a reference in its coordinates."""
        if self.referenced_series:
            return series.uid in self.referenced_series
        return bool(series.frame_of_reference) and series.frame_of_reference in self.frames_of_reference


def annotation_of(file: DicomFile, dataset: Dataset) -> Annotation | None:
    """The annotation that a header describes; None for everything else."""
    modality = text(dataset, "Modality")
    if modality == "SEG":
        kind: AnnotationKind = "SEG"
        names = [text(item, "SegmentLabel") for item in dataset.get("SegmentSequence") or []]
    elif modality == "RTSTRUCT":
        kind = "RTSTRUCT"
        names = [text(item, "ROIName") for item in dataset.get("StructureSetROISequence") or []]
    else:
        return None
    series = series_header(dataset)
    frames = {series.frame_of_reference}
    frames |= {text(item, "FrameOfReferenceUID") for item in dataset.get("ReferencedFrameOfReferenceSequence") or []}
    referenced = frozenset(uid for uid in _referenced_series(dataset) if uid)
    return Annotation(kind, file, series, tuple(names), referenced, frozenset(frames - {""}))


def _referenced_series(dataset: Dataset) -> Iterator[str]:
    for item in dataset.get("ReferencedSeriesSequence") or []:
        yield text(item, "SeriesInstanceUID")
    for frame in dataset.get("ReferencedFrameOfReferenceSequence") or []:
        for study in frame.get("RTReferencedStudySequence") or []:
            for item in study.get("RTReferencedSeriesSequence") or []:
                yield text(item, "SeriesInstanceUID")
