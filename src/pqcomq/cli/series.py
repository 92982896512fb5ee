"""``pqcomq series``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pqcomq.cli.terminal.options import AsJson
from pqcomq.cli.terminal.output import print_json, print_lines, print_table
from pqcomq.cli.terminal.progress_bar import followed
from pqcomq.volumes.path_checks import is_folder

if TYPE_CHECKING:
    from pqcomq.volumes.dicom.scan import Scan
    from pqcomq.volumes.dicom.series_summary import SeriesInfo


def series(
    path: Annotated[Path, typer.Argument(help="DICOM folder, DICOMDIR, zip archive or file.")],
    with_patient: Annotated[
        bool, typer.Option("--with-patient", help="Also print patients' names and numbers, and studies' dates.")
    ] = False,
    json: AsJson = False,
) -> None:
    """List the DICOM series in a place, with what stands in the way of opening each."""
    from pqcomq.volumes.dicom.scan import scanning
    from pqcomq.volumes.dicom.series import checked_scan
    from pqcomq.volumes.dicom.series_summary import infos_of

    is_folder(path)  # a path that cannot be read is told before anything else
    scan = checked_scan(followed(scanning(path), "looking into files"))
    infos = infos_of(scan)
    if json:
        print_json({"series": [info.to_dict(with_patient=with_patient) for info in infos], "damaged": _damaged(scan)})
        return
    patients = list(dict.fromkeys(info.study.patient for info in infos))
    for number, patient in enumerate(patients, start=1):
        members = [info for info in infos if info.study.patient == patient]
        study = members[0].study
        title = f"patient {number}" + (f": {study.patient_name} ({study.patient_id})" if with_patient else "")
        studies = list(dict.fromkeys(info.study for info in members))
        dates = {each: each.date if with_patient else str(place) for place, each in enumerate(studies, start=1)}
        print_table(title, COLUMNS, [_row(info, dates[info.study]) for info in members])
    print_lines(_remarks(infos, scan))


COLUMNS = (
    "number",
    "modality",
    "description",
    "study",
    "slices",
    "size",
    "spacing mm",
    "plane",
    "parts",
    "UID …",
)


def _row(info: SeriesInfo, study: str) -> list[str]:
    columns, rows = info.size_xy
    steps = [*(info.spacing_xy or ()), *([info.spacing_z] if info.spacing_z is not None else [])]
    return [
        "" if info.number is None else str(info.number),
        info.modality,
        info.description,
        study,
        str(info.slices),
        f"{columns} x {rows}",
        " x ".join(f"{step:.4g}" for step in steps),
        info.plane,
        str(len(info.parts)),
        info.uid[-12:],
    ]


def _remarks(infos: list[SeriesInfo], scan: Scan) -> list[str]:
    """What stands in the way, the parts to choose from, and what lies on the series."""
    lines = []
    for info in infos:
        if info.problem:
            lines.append(f"{info.name}: {info.problem}")
        if len(info.parts) > 1:
            lines += [f"    --part {number}: {part.label}" for number, part in enumerate(info.parts, start=1)]
        for annotation in info.annotations:
            lines.append(f"{info.name}: {annotation.kind} {annotation.file} ({', '.join(annotation.names)})")
    return lines + [f"left out: {sentence}" for sentence in _damaged(scan)]


def _damaged(scan: Scan) -> list[str]:
    return list(scan.damaged.values())
