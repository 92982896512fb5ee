"""A cohort's results as a Parquet data set: a file for each case and table, each written whole or not at all.

A case is done once its file in ``cases`` is there, which is written last; what an interrupted case left in ``scores``
is written again. Names of files are hashes, so that they tell nothing of a patient.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from pqcomq.atomic_files import made_folder, recover, replacing
from pqcomq.cohort.cases.case import Case, CaseList, NotScored
from pqcomq.cohort.cases.case_files import files_sha256, touched_since
from pqcomq.cohort.cohort_schema import AnyCohort, CohortFile, Heads, Lost
from pqcomq.cohort.scoring.loaded_models import ModelInfo
from pqcomq.cohort.scoring.score_rows import CaseResult, ModelCost
from pqcomq.cohort.settings import CohortSettings
from pqcomq.errors import InputError
from pqcomq.json_schema import Damaged, check_content, checked_json, read_json

if TYPE_CHECKING:
    import pandas as pd

MANIFEST = "cohort.json"
FORMAT = 1
SCORED, NOT_SCORED, FAILED = "scored", "not scored", "failed"
"""What can have become of a case; the next run tries again what was not scored, whose files may be there by then."""
_TABLES = ("scores", "cases", "costs")
_ORDER = ["case", "protocol", "label_number", "slice", "rank"]
_NEEDED = {
    "scores": [*_ORDER[:-1], "model"],
    "cases": ["case", "status", "reason", "labels_not_scored"],
    "costs": ["case", *(each.name for each in fields(ModelCost))],
}
"""Columns without which a table's file is none."""


class CohortStore:
    """The folder of a cohort's results.

    Attributes:
        folder: with ``cohort.json``, and the folders ``scores``, ``cases``, ``costs`` and ``pictures``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    @staticmethod
    def is_at(folder: Path) -> bool:
        """Whether a folder holds a cohort's results."""
        return (Path(folder) / MANIFEST).is_file()

    def begin(self, settings: CohortSettings, found: CaseList, models: Sequence[ModelInfo]) -> None:
        """Make the folder, or go on in it.

        Raises:
            InputError: it holds a cohort with other settings or cases, or cannot be written.
        """
        self.check(settings, found.cases)
        for name in (*_TABLES, "pictures"):
            recover(made_folder(self.folder / name))
        content = {
            "format": FORMAT,
            "settings": settings.to_dict(),
            "layout": found.layout,
            "cases": [each.to_dict() for each in found.cases],
            "not_scored": [asdict(each) for each in found.not_scored],
            "models": [asdict(each) for each in models],
        }
        with replacing(self.folder / MANIFEST, overwrite=True) as partial:
            partial.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")

    def check(self, settings: CohortSettings, cases: Sequence[Case]) -> None:
        """See whether a run may go on in the folder.

        Args:
            settings: of the run.
            cases: that it is to score.

        Raises:
            InputError: it holds a cohort with other settings, or results of a case that is to be scored otherwise.
        """
        if not self.is_at(self.folder):
            return
        difference = settings.difference(self.settings())
        if difference is not None:
            raise InputError(
                f"The folder holds a cohort that was run with {difference}; choose another folder for --out.",
                self.folder,
            )
        earlier = {each.name: each for each in self.found().cases}
        if settings.calibrates_on_other_patients and earlier.keys() != {case.name for case in cases}:
            raise InputError(
                "The folder holds models that were calibrated on the other patients of a cohort of other cases; choose "
                "another folder for --out.",
                self.folder,
            )
        for case in cases:
            before = earlier.get(case.name)
            if before is None:
                continue
            # Scored or not: models that are there may have been calibrated on what they are to be kept from.
            if settings.calibrates_on_other_patients and case.unit != before.unit:
                raise InputError(
                    f"The folder holds models that were calibrated when the case '{case.name}' was another patient's; "
                    "choose another folder for --out.",
                    self.folder,
                )
            if not self.is_done(case):
                continue
            changed = case.difference(before)
            if changed is None and (case.image, case.labels) != (before.image, before.labels):
                changed = "other files" if self._files_are_others(case) else None  # they may only have been moved
            if changed is not None:
                raise InputError(
                    f"The folder holds results of the case '{case.name}' with {changed}; choose another folder for "
                    "--out.",
                    self.folder,
                )

    def _manifest(self) -> dict[str, Any]:
        path = self.folder / MANIFEST
        try:
            content = read_json(path, AnyCohort)
            if content["format"] != FORMAT:
                raise InputError("The file was written by another version of this program.", path)
            check_content(content, CohortFile)
        except FileNotFoundError as problem:
            raise InputError("The folder holds no cohort's results.", self.folder) from problem
        except Damaged as problem:
            raise InputError(
                f"The file is damaged and cannot be read as a cohort's plan: {problem}.", path
            ) from problem
        return content

    def settings(self) -> CohortSettings:
        """With which the cohort was begun."""
        return CohortSettings.from_dict(self._manifest()["settings"])

    def found(self) -> CaseList:
        """The cases of the cohort."""
        content = self._manifest()
        cases = tuple(Case.from_dict(each) for each in content["cases"])
        return CaseList(cases, tuple(NotScored(**each) for each in content["not_scored"]), content["layout"])

    def models(self) -> list[ModelInfo]:
        """Full precision first."""
        return [ModelInfo.from_dict(each) for each in self._manifest()["models"]]

    def is_done(self, case: Case) -> bool:
        """Whether a case was scored."""
        return self._row_path(case).is_file() and self._row(case)["status"] == SCORED

    def is_outdated(self, case: Case) -> bool:
        """Whether the image or label file of a scored case was changed since it was read.

        Only files that were touched since are read; folders of DICOM, and files that are not there, raise no doubt.
        """
        took = self._row(case).get("seconds") or 0.0
        try:
            return touched_since(case, self._row_path(case).stat().st_mtime - took) and self._files_are_others(case)
        except OSError:
            return False

    def _files_are_others(self, case: Case) -> bool:
        """Whether a scored case's files hold something else than what it was scored from, as far as is known."""
        kept = self._row(case).get("files_sha256")
        try:
            return bool(kept) and files_sha256(case) != kept
        except OSError:
            return False

    def _row_path(self, case: Case) -> Path:
        return self.folder / "cases" / f"{case.key}.parquet"

    def _row(self, case: Case) -> dict[str, Any]:
        row: dict[str, Any] = self._read(self._row_path(case), "cases").to_pylist()[0]
        return row

    def write(self, result: CaseResult) -> None:
        """Land a scored case.

        Raises:
            InputError: it cannot be written, for want of space for example.
        """
        key = result.case.key
        self._write("scores", key, list(result.rows))
        self._write("costs", key, [{"case": result.case.name, **asdict(each)} for each in result.costs])
        self._write_pictures(result)
        row = {
            "case": result.case.name,
            "patient": result.case.unit,
            "site": result.case.site,
            "modality": result.modality,
            "status": SCORED,
            "reason": "",
            "labels_not_scored": json.dumps([[each.label, each.reason] for each in result.not_scored]),
            "voxels_sha256": result.voxels_sha256,
            "files_sha256": result.files_sha256,
            "notes": " ".join(result.notes),
            "reading_seconds": result.reading_seconds,
            "seconds": result.seconds,
            "peak_memory_bytes": result.peak_memory_bytes,
        }
        self._write("cases", key, [row])

    def write_fault(self, case: Case, status: str, reason: str) -> None:
        """Keep that a case could not be scored, and why."""
        row = {
            "case": case.name,
            "patient": case.unit,
            "site": case.site,
            "modality": "",
            "status": status,
            "reason": reason,
            "labels_not_scored": "[]",
            "voxels_sha256": "",
            "files_sha256": "",
            "notes": "",
            "reading_seconds": float("nan"),
            "seconds": float("nan"),
            "peak_memory_bytes": 0,
        }
        self._write("cases", case.key, [row])

    def scores(self) -> pd.DataFrame:
        """All rows of scored cases, in an order that does not depend on who computed what when."""
        import pandas as pd

        ranks = {each.name: rank for rank, each in enumerate(self.models())}
        done = {each.key for each in self.found().cases if self.is_done(each)}
        table = self._table("scores", done)
        if table.empty:
            return table
        table = self._of_whom(table)
        table["rank"] = table["model"].map(lambda name: ranks.get(name, 0.5))  # a moved box follows full precision
        ordered = table.sort_values(_ORDER, kind="stable").drop(columns="rank").reset_index(drop=True)
        return pd.DataFrame(ordered)

    def cases(self) -> pd.DataFrame:
        """What became of each case, by name."""
        table = self._table("cases", {each.key for each in self.found().cases})
        return table if table.empty else self._of_whom(table).sort_values("case", kind="stable").reset_index(drop=True)

    def costs(self) -> pd.DataFrame:
        """Time of each model on each case."""
        done = {each.key for each in self.found().cases if self.is_done(each)}
        table = self._table("costs", done)
        return table if table.empty else table.sort_values("case", kind="stable").reset_index(drop=True)

    def not_scored(self) -> list[NotScored]:
        """All that was left out, with the reasons: by headers, when the case was read, and single labels."""
        left_out = list(self.found().not_scored)
        for row in self.cases().to_dict("records"):
            if row["status"] != SCORED:
                left_out.append(NotScored(row["case"], "", row["reason"]))
            left_out += [NotScored(row["case"], *each) for each in self._lost(row)]
        return left_out

    def pictures(self, case: str) -> dict[str, dict[str, Any]]:
        """The worst prompt of each quantized model on a case, by model."""
        path = self.folder / "pictures" / f"{Case(case, None, None).key}.npz"
        if not path.is_file():
            return {}
        try:
            with np.load(path, allow_pickle=False) as kept:
                heads = checked_json(f'{{"heads": {kept["heads"]}}}', Heads)["heads"]
                return {
                    head["model"]: {**head, **{name: kept[f"{name}_{place}"] for name in _ARRAYS}}
                    for place, head in enumerate(heads)
                }
        except (OSError, ValueError, KeyError, BadZipFile) as problem:
            raise InputError(
                f"The file is damaged ({problem}); remove it, and the report goes without.", path
            ) from problem

    def _lost(self, row: Mapping[str, Any]) -> list[list[str]]:
        """The labels of a case that were not scored, each with its reason."""
        try:
            lost: list[list[str]] = checked_json(f'{{"labels": {row["labels_not_scored"]}}}', Lost)["labels"]
        except Damaged as problem:
            key = Case(row["case"], None, None).key
            raise InputError(
                f"The file is damaged ({problem}); remove it.", f"{self.folder / 'cases' / key}.parquet"
            ) from problem
        return lost

    def _of_whom(self, table: pd.DataFrame) -> pd.DataFrame:
        """A table with patients and sites as the newest run says: rows of earlier ones may call them otherwise."""
        cases = {each.name: each for each in self.found().cases}
        told = {"patient": {name: each.unit for name, each in cases.items()}}
        told["site"] = {name: each.site for name, each in cases.items()}
        return table.assign(**{what: table["case"].map(names) for what, names in told.items()})

    def _table(self, name: str, keys: set[str]) -> pd.DataFrame:
        import pandas as pd

        paths = [path for path in sorted((self.folder / name).glob("*.parquet")) if path.stem in keys]
        return (
            pd.concat([self._read(path, name).to_pandas() for path in paths], ignore_index=True)
            if paths
            else pd.DataFrame()
        )

    @staticmethod
    def _read(path: Path, name: str) -> Any:  # noqa: ANN401 (pyarrow has no types)
        import pyarrow as pa
        from pyarrow import parquet

        try:
            table = parquet.read_table(path, partitioning=None)
            whole = set(_NEEDED[name]) <= set(table.column_names) and (name != "cases" or table.num_rows == 1)
        except (OSError, ValueError, pa.ArrowException) as problem:
            raise InputError(
                "The file cannot be read; remove it, and the next run scores its case again.", path
            ) from problem
        if not whole:
            raise InputError("The file lacks rows or columns; remove it, and the next run scores its case again.", path)
        return table

    def _write(self, table: str, key: str, rows: list[dict[str, Any]]) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        with replacing(self.folder / table / f"{key}.parquet", overwrite=True) as partial:
            parquet.write_table(pa.Table.from_pylist(rows), partial)

    def _write_pictures(self, result: CaseResult) -> None:
        heads: list[dict[str, Any]] = []
        arrays: dict[str, Any] = {}
        for place, each in enumerate(result.pictures):
            heads.append(
                {"model": each.model, "label": each.label, "z": each.z, "loss": each.loss}
                | {"box": each.box, "spacing_yx": each.spacing_yx}
            )
            arrays |= {f"{name}_{place}": getattr(each, name) for name in _ARRAYS}
        with replacing(self.folder / "pictures" / f"{result.case.key}.npz", overwrite=True) as partial:
            np.savez_compressed(partial, heads=np.array(json.dumps(heads)), **arrays)


_ARRAYS = ("pixels", "truth", "full", "quantized")
