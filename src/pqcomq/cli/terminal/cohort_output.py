"""A cohort's numbers in the terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from pqcomq.cli.terminal.output import print_json, print_lines, print_note, print_table, print_written
from pqcomq.cohort.cohort_result import CohortResult
from pqcomq.cohort.report.files import write_results
from pqcomq.cohort.statistics.cohort_statistics import CohortStatistics
from pqcomq.cohort.statistics.paired_statistics import PairedDifference
from pqcomq.cohort.statistics.prompt_summary import PromptSummary, Stratum
from pqcomq.comparison.presentation.comparison_text import RESEARCH_ONLY, p_value
from pqcomq.run_lock import WITHOUT_END, only_run
from pqcomq.wording import counted

TABLES_LOCK = ".tables.lock"
TITLES = {"slice": "each slice prompted by its own box", "organ": "whole organs, each model following its own masks"}


def print_cohort(result: CohortResult, margin: float, *, json: bool) -> None:
    """Write the files of a finished cohort and print its numbers; of an unfinished one say how far it is.

    Jobs of an array may end together, each after its own last case has landed. One at a time reads and writes, so that
    what the last of them writes tells of all cases.
    """
    folder = result.store.folder
    with only_run(folder / TABLES_LOCK, folder, wait=WITHOUT_END):
        _write_and_print(CohortResult.at(folder), margin, json=json)


def _write_and_print(result: CohortResult, margin: float, *, json: bool) -> None:
    told: dict[str, object] = {"scored": result.scored, "cases": result.total, "unfinished": result.unfinished}
    left_out = [asdict(each) for each in result.not_scored]
    if result.unfinished:
        print_note(f"not done: {result.unfinished} of {counted(result.total, 'case')}; the same command goes on")
        if not result.scored:
            if json:
                print_json(told | {"not_scored": left_out})
            return
    statistics = CohortStatistics.of(result, margin)
    paths = write_results(result, statistics)
    if json:
        told |= {"calibrated_on": result.calibrated_here, "not_scored": left_out}
        print_json(told | statistics.to_dict())
        return
    _print(result, statistics)
    _print_left_out(result)
    if seen := result.calibrated_here:
        print_note(
            f"a model was calibrated on these cases' images, and is not judged fairly on them: {', '.join(seen)}"
        )
    print_written(paths)


def _print(result: CohortResult, statistics: CohortStatistics) -> None:
    for protocol, title in TITLES.items():
        rows = [each for each in statistics.prompts if each.protocol == protocol]
        if not rows:
            continue
        head = f"{counted(result.scored, 'case')}, {counted(rows[0].prompts, 'prompt')}: {title}"
        print_table(head, *summary_table(rows), f"Dice vs truth unless it says otherwise. {RESEARCH_ONLY}")
        print_table(
            "Where full precision is right, doubtful or wrong",
            *strata_table({each.model: each.strata for each in rows}),
        )
    print_table(
        f"Quantized − full precision, cases as units, margin {statistics.margin:g} Dice",
        *difference_table(statistics.verdicts()),
    )
    print_lines(verdict.sentence for verdict in statistics.verdicts())


def _print_left_out(result: CohortResult) -> None:
    for each in result.not_scored:
        which = f"{each.case}, {each.label}" if each.label else each.case
        print_note(f"not scored: {which}: {each.reason}")


def summary_table(rows: Sequence[PromptSummary]) -> tuple[list[str], list[list[str]]]:
    """Titles and cells: a model a row."""
    columns = ["Model", "mean", "median", "worst tenth", "worst", "lose > .1", "NSD", "Dice vs FP32", "worst vs FP32"]
    cells = [
        [
            each.model,
            *map(number, (each.dice, each.dice_median, each.worst_decile, each.worst_dice)),
            f"{100 * each.losing:.1f} %",
            *map(number, (each.nsd, each.dice_between, each.worst_between)),
        ]
        for each in rows
    ]
    return columns, cells


def strata_table(rows: Mapping[str, Sequence[Stratum]]) -> tuple[list[str], list[list[str]]]:
    """Titles and cells: a model a row, by its name, for each stratum mean, worst and share that loses."""
    columns = ["Model"]
    for stratum in next(iter(rows.values())):
        columns += [f"{stratum.name} ({stratum.prompts})", "worst", "lose > .1"]
    cells = []
    for name, strata in rows.items():
        line = [name]
        for stratum in strata:
            losing = "–" if math.isnan(stratum.losing) else f"{100 * stratum.losing:.0f} %"
            line += [number(stratum.dice), number(stratum.worst_dice), losing]
        cells.append(line)
    return columns, cells


def difference_table(rows: Sequence[PairedDifference]) -> tuple[list[str], list[list[str]]]:
    """Titles and cells: a label of a model a row."""
    columns = ["Model", "label", "cases", "difference", "95 % interval", "worst case"]
    columns += ["worst prompt", "prompts lose > .1", "Wilcoxon p (Holm)", "outcome"]
    cells = [
        [
            each.model,
            each.label,
            str(each.cases),
            f"{each.difference:+.4f}",
            "–" if math.isnan(each.low) else " … ".join(each.ends),
            f"{-each.worst_case:+.4f}",
            f"{-each.most_lost:+.3f}" if each.most_lost else "0",
            f"{100 * each.losing:.1f} %",
            p_value(each.wilcoxon_p),
            each.outcome,
        ]
        for each in rows
    ]
    return columns, cells


def number(value: float) -> str:
    """Three places; a dash for what there is none of."""
    return f"{value:.3f}" if math.isfinite(value) else "–"
