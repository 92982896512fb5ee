"""``pqcomq reproduce``."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from pqcomq.cli.terminal.options import AsJson
from pqcomq.cli.terminal.output import print_json, print_lines, print_table
from pqcomq.cohort.statistics.loss_margin import DEFAULT_MARGIN
from pqcomq.wording import counted


def reproduce(
    results: Annotated[Path, typer.Argument(help="Folder of a cohort's results.")],
    json: AsJson = False,
) -> None:
    """Put the published table of Permutation-COMQ beside a cohort's numbers, and say what differs.

    The paper's experiment (arXiv 2604.07674) is a cohort with MedSAM ViT-B's checkpoint on AbdomenCT-1K:
    pqcomq cohort DATASET --model medsam --checkpoint FILE --bits 8 4 2 --method rtn comq pcomq --published
    --out RESULTS
    """
    from pqcomq.cli.terminal.cohort_output import strata_table
    from pqcomq.cohort.cohort_result import CohortResult
    from pqcomq.cohort.statistics.cohort_statistics import CohortStatistics
    from pqcomq.cohort.statistics.prompt_summary import finite
    from pqcomq.cohort.statistics.published_table import differences_to_the_paper, published_rows

    result = CohortResult.at(results)
    statistics = CohortStatistics.of(result, DEFAULT_MARGIN)
    rows, differ = published_rows(result, statistics), differences_to_the_paper(result, statistics)
    if json:
        content = [finite(asdict(row)) for row in rows]
        print_json({"rows": content, "differs": differ})
        return
    columns = ["bits", "method", "paper: DSC %", "paper: NSD %", "here: Dice %", "here: NSD %"]
    columns += ["worst tenth", "worst", "lose > .1"]
    cells = [
        [
            str(row.bits),
            row.method,
            f"{row.paper_dice:.2f}",
            f"{row.paper_nsd:.2f}",
            *(
                "–" if math.isnan(each) else f"{each:.2f}"
                for each in (row.dice, row.nsd, row.worst_decile, row.worst_dice, row.losing)
            ),
        ]
        for row in rows
    ]
    print_table(f"arXiv 2604.07674 and {counted(result.scored, 'case')}, all against ground truth", columns, cells)
    known = {f"{row.bits} bits, {row.method}": row.strata for row in rows if row.strata}
    print_table("Here, where full precision is right, doubtful or wrong", *strata_table(known))
    print_lines(differ)
