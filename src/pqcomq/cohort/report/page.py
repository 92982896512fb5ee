"""A cohort as one page of HTML that stands by itself: nothing is loaded from anywhere, and it forbids itself to.

Cases are numbers there, by their place in ``cases.csv``: their names may be patients', and no path is told.
"""

from __future__ import annotations

import base64
import hashlib
import math
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2

import pqcomq
from pqcomq.atomic_files import replacing
from pqcomq.cohort.cohort_result import CohortResult
from pqcomq.cohort.report.methods_text import methods_paragraph, software
from pqcomq.cohort.report.report_pictures import cohort_names, plots_of, worst_pictures
from pqcomq.cohort.statistics.cohort_statistics import CohortStatistics, latencies
from pqcomq.cohort.statistics.pairs import paired
from pqcomq.cohort.statistics.prompt_summary import STRATA, stratum_of
from pqcomq.comparison.model_result import MEGABYTE
from pqcomq.comparison.presentation.comparison_text import RESEARCH_ONLY, p_value
from pqcomq.wording import counted

PAGE = "report.html"
MOST_ROWS = 2000
"""Prompts listed on the page, those that lose most; all are in ``scores.csv``."""


def write_report(result: CohortResult, statistics: CohortStatistics) -> Path:
    """Write the page beside the results.

    Raises:
        InputError: it cannot be written.
    """
    path = result.store.folder / PAGE
    with replacing(path, overwrite=True) as partial:
        partial.write_text(page(result, statistics), encoding="utf-8")
    return path


def page(result: CohortResult, statistics: CohortStatistics) -> str:
    """The page."""
    package = files("pqcomq.cohort.report")
    template, script = (package.joinpath(name).read_text(encoding="utf-8") for name in ("page.html", "page.js"))
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.filters |= {"places": _places, "percent": _percent, "p_value": p_value, "counted": counted}
    numbers = case_numbers(result)
    verdicts = {each.name: statistics.verdicts(each.name) for each in result.models[1:]}
    return environment.from_string(template).render(
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        result=result,
        statistics=statistics,
        outcomes={name: statistics.outcome(name) for name in verdicts},
        verdicts=verdicts,
        patients=result.scores["patient"].nunique(),
        strata=STRATA,
        models=_models(result),
        names=cohort_names(result),
        plots=plots_of(result, statistics),
        worst=worst_pictures(result, numbers),
        prompts=_prompts(result, statistics, numbers),
        cases=_cases(result, numbers),
        not_scored=[(numbers.get(each.case), each.label, each.reason) for each in result.not_scored],
        methods=methods_paragraph(result, statistics),
        software=software(),
        research_only=RESEARCH_ONLY,
        program=f"pqcomq {pqcomq.__version__}",
    )


def case_numbers(result: CohortResult) -> dict[str, int]:
    """A number for each case, from 1, in the order of their names."""
    found = result.store.found()
    names = sorted({*(case.name for case in found.cases), *(each.case for each in found.not_scored)})
    return {name: number for number, name in enumerate(names, start=1)}


def _models(result: CohortResult) -> list[dict[str, Any]]:
    """Bits of a code, bits stored and bytes apart; measured and simulated speed apart."""
    times = latencies(result)
    rows = []
    for model in result.models:
        encoder = float(times.loc[model.name, "encoder_ms"])
        rows.append(
            {
                "name": model.name,
                "code_bits": model.code_bits,
                "effective_bits": model.effective_bits,
                "megabytes": model.file_bytes / MEGABYTE,
                "measured_ms": math.nan if model.simulated else encoder,
                "simulated_ms": encoder if model.simulated else math.nan,
                "execution": model.execution,
            }
        )
    return rows


def _prompts(result: CohortResult, statistics: CohortStatistics, numbers: dict[str, int]) -> list[dict[str, Any]]:
    """The prompts of all quantized models that lose most."""
    rows: list[dict[str, Any]] = []
    for model in result.models[1:]:
        table = paired(result.scores, model.name, statistics.decided_by)
        table["stratum"] = stratum_of(table["full_dice"])
        rows += [
            {
                "case": numbers[row["case"]],
                "label": row["label"],
                "slice": row["slice"],
                "modality": row["modality"],
                "model": model.name,
                "full": row["full_dice"],
                "quantized": row["quantized_dice"],
                "difference": row["difference"],
                "between": row["dice_between_models"],
                "stability": row["doubt_stability"],
                "stratum": row["stratum"],
            }
            for row in table.to_dict("records")
        ]
    return sorted(rows, key=lambda row: float(row["difference"]))[:MOST_ROWS]


def _cases(result: CohortResult, numbers: dict[str, int]) -> list[dict[str, Any]]:
    rows = []
    for row in result.cases.to_dict("records"):
        if row["status"] == "scored":
            rows.append({**row, "number": numbers[row["case"]], "megabytes": row["peak_memory_bytes"] / MEGABYTE})
    return rows


def _places(value: float, count: int = 3, sign: str = "") -> str:
    """A number, or a dash for none; what is beyond all numbers is no missing one."""
    if math.isinf(value):
        return "∞"
    return f"{value:{sign}.{count}f}" if math.isfinite(value) else "–"


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %" if math.isfinite(value) else "–"
