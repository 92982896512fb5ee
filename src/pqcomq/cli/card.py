"""``pqcomq card``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pqcomq.cli.terminal.idle_options import refuse_idle
from pqcomq.cli.terminal.options import AsJson, LossMargin, Overwrite
from pqcomq.cli.terminal.output import print_json, print_written
from pqcomq.cohort.statistics.loss_margin import DEFAULT_MARGIN


def card(
    context: typer.Context,
    weights: Annotated[Path, typer.Argument(help="Quantized weights.", metavar="WEIGHTS")],
    cohort: Annotated[
        Path | None, typer.Option(help="Folder of a cohort's results that this model was run in.", metavar="FOLDER")
    ] = None,
    margin: LossMargin = DEFAULT_MARGIN,
    overwrite: Overwrite = False,
    json: AsJson = False,
) -> None:
    """Write a quantized model's card beside its file: what it is, from what and how, what was measured."""
    from pqcomq.quantization.files.model_card import write_card
    from pqcomq.quantization.files.weights_file import load_weights, manifest, read_manifest

    if cohort is None:
        refuse_idle(context, "it is of a cohort's verdict, and there is no --cohort", "margin")
    model = load_weights(weights)
    measured: list[str] = []
    if cohort is not None:
        from pqcomq.cohort.cohort_result import CohortResult
        from pqcomq.cohort.report.card_figures import card_figures
        from pqcomq.cohort.statistics.cohort_statistics import CohortStatistics

        result = CohortResult.at(cohort)
        statistics = CohortStatistics.of(result, margin)
        measured = card_figures(result, statistics, model.segmenter.fingerprint)
    # What the file says of itself, but complete: whoever wrote it may have left out what the card tells.
    head = manifest(model)
    head["versions"] |= read_manifest(weights).get("versions", {})
    path = write_card(weights, head, measured, overwrite=overwrite)
    if json:
        print_json({"file": str(path), "measured": measured})
    else:
        print_written([path])
