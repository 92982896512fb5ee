"""A cohort's results as files beside the data set: for spreadsheets, for programs, and to read."""

from __future__ import annotations

import json
from pathlib import Path

from pqcomq.atomic_files import replacing, together
from pqcomq.cohort.cohort_result import CohortResult
from pqcomq.cohort.report.page import case_numbers, write_report
from pqcomq.cohort.statistics.cohort_statistics import CohortStatistics, model_rows
from pqcomq.csv_table import write_table

SCORES, SCORES_CSV, CASES_CSV, DIFFERENCES_CSV, SUMMARY = (
    "scores.parquet",
    "scores.csv",
    "cases.csv",
    "differences.csv",
    "summary.json",
)


def write_results(result: CohortResult, statistics: CohortStatistics) -> list[Path]:
    """Write the page to read, all rows (Parquet, CSV), the cases and the differences (CSV), and all numbers (JSON).

    Args:
        result: of the cohort.
        statistics: of it.

    Returns:
        The files.

    Raises:
        InputError: one cannot be written.
    """
    folder = result.store.folder
    with together(folder):
        _write_tables(result, statistics, folder)
        page = write_report(result, statistics)
    return [page, *(folder / name for name in (SCORES, SCORES_CSV, CASES_CSV, DIFFERENCES_CSV, SUMMARY))]


def _write_tables(result: CohortResult, statistics: CohortStatistics, folder: Path) -> None:
    with replacing(folder / SCORES, overwrite=True) as partial:
        result.scores.to_parquet(partial, index=False)
    numbered = result.cases.assign(number=result.cases["case"].map(case_numbers(result)))
    for name, table in ((SCORES_CSV, result.scores), (CASES_CSV, numbered)):
        with replacing(folder / name, overwrite=True) as partial:
            table.to_csv(partial, index=False)
    write_table([each.to_dict() for each in statistics.differences], folder / DIFFERENCES_CSV, overwrite=True)
    content = {
        "settings_sha256": result.settings.fingerprint,
        "cases": result.total,
        "scored": result.scored,
        "models": model_rows(result),
        **statistics.to_dict(),
    }
    with replacing(folder / SUMMARY, overwrite=True) as partial:
        partial.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", encoding="utf-8")
