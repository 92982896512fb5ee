"""Of which patient, study and series a file is, by everything that it says of them.

One UID is no identity: anonymizers remove it, scanners and archives give one to two series, or another to each slice.
Files belong together where all of them say the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pydicom.dataset import Dataset

from pqcomq.volumes.dicom.elements import number_if_any, text

IDENTITY_TAGS = (
    "PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate", "StudyDescription",
    "SeriesInstanceUID", "SeriesNumber", "SeriesDescription", "Modality", "FrameOfReferenceUID",
)  # fmt: skip


@dataclass(frozen=True)
class StudyHeader:
    """A patient's study.

    Attributes:
        uid, date, description: what the files say, ``""`` if nothing.
        patient_id, patient_name, birth_date, sex: for the user's own screen alone; never logged, stored or printed
            unless asked for.
    """

    uid: str
    date: str
    description: str
    patient_id: str = field(repr=False)
    patient_name: str = field(repr=False)
    birth_date: str = field(default="", repr=False)
    sex: str = field(default="", repr=False)

    @property
    def patient(self) -> tuple[str, ...]:
        """What tells patients apart; names are spelled in several ways even within one study."""
        name = " ".join(self.patient_name.replace("^", " ").casefold().split())
        return self.patient_id, name, self.birth_date, self.sex


@dataclass(frozen=True)
class SeriesHeader:
    """What a file says of its series.

    Attributes:
        uid, description, modality: ``""`` if it says nothing.
        number: SeriesNumber, None if it has none.
        frame_of_reference: UID of the coordinate system, ``""`` if it says nothing.
        study: its study.
    """

    uid: str
    number: int | None
    description: str
    modality: str
    frame_of_reference: str
    study: StudyHeader

    @property
    def identity(self) -> tuple[str | tuple[str, ...], ...]:
        """What all files of one series have in common, its number aside, which is often left out."""
        return self.uid, self.study.patient, self.study.uid, self.frame_of_reference, self.modality


def series_header(dataset: Dataset) -> SeriesHeader:
    """What a header says of its series, its study and its patient."""
    number = number_if_any(dataset, "SeriesNumber")
    study = StudyHeader(
        text(dataset, "StudyInstanceUID"), text(dataset, "StudyDate"), text(dataset, "StudyDescription"),
        text(dataset, "PatientID"), text(dataset, "PatientName"), text(dataset, "PatientBirthDate"),
        text(dataset, "PatientSex"),
    )  # fmt: skip
    return SeriesHeader(
        text(dataset, "SeriesInstanceUID"), None if number is None else int(number),
        text(dataset, "SeriesDescription"), text(dataset, "Modality"), text(dataset, "FrameOfReferenceUID"), study,
    )  # fmt: skip
