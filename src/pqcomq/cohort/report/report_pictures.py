"""The plots of a cohort's report, on light and dark ground, and its worst cases as pictures."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from pqcomq.cohort.cohort_result import CohortResult
from pqcomq.cohort.scoring.loaded_models import QUANTIZED
from pqcomq.cohort.statistics.cohort_statistics import CohortStatistics, latencies
from pqcomq.cohort.statistics.paired_statistics import case_means
from pqcomq.cohort.statistics.pairs import moved_box_name, paired
from pqcomq.comparison.measures.metrics import dice
from pqcomq.comparison.model_result import MEGABYTE
from pqcomq.comparison.presentation.comparison_text import RESEARCH_ONLY, short_names
from pqcomq.comparison.presentation.figure import draw_comparison
from pqcomq.plots.cohort import (
    CascadeLine,
    CostPoint,
    Interval,
    draw_bland_altman,
    draw_cascade,
    draw_case_dots,
    draw_costs,
    draw_forest,
)
from pqcomq.plots.svg import as_svg
from pqcomq.plots.theme import DARK, LIGHT, Look

MOST_PICTURES = 6
_PIXELS_PER_INCH = 124
"""Two plots beside each other, or the forest alone, are as wide as the page."""


@dataclass(frozen=True)
class ReportPicture:
    """One picture of the page.

    Attributes:
        light: data URI.
        dark: data URI for a dark page; that for a light one where there is none of its own.
        text: what it shows, for those who do not see it, and as its caption.
        width: in CSS pixels.
    """

    light: str
    dark: str
    text: str
    width: int


def cohort_names(result: CohortResult) -> dict[str, str]:
    """Short names of the models for plots and lists, and of full precision's on moved boxes."""
    found = short_names(each.name for each in result.models)
    moved = moved_box_name(result.scores)
    return found | ({moved: "full, box moved"} if moved else {})


@dataclass(frozen=True)
class CohortPlot:
    """One plot of a cohort, not yet drawn.

    Attributes:
        text: its title.
        draw: draws it over a figure, given ``look=``.
        width: inches on the page.
        height: inches.
    """

    text: str
    draw: Callable[..., None]
    width: float
    height: float


def plots_of(result: CohortResult, statistics: CohortStatistics) -> list[ReportPicture]:
    """All plots, drawn for light and dark ground."""
    return [_drawn(plot) for plot in cohort_plots(result, statistics)]


def cohort_plots(result: CohortResult, statistics: CohortStatistics) -> list[CohortPlot]:
    """All plots."""
    names = cohort_names(result)
    quantized = [each.name for each in result.models if each.role == QUANTIZED]
    protocol, margin = statistics.decided_by, statistics.margin
    rows = [each for each in (*statistics.differences, *statistics.yardstick) if each.protocol == protocol]
    places = {name: place for place, name in enumerate(quantized)}
    intervals = [
        Interval(row.label, places.get(row.model, -1), names[row.model], row.difference, row.low, row.high, row.cases)
        for row in rows
    ]
    labels = len({each.label for each in intervals})
    pairs = {name: paired(result.scores, name, protocol) for name in quantized}
    by_case = [(names[name], case_means(table)["difference"].to_numpy()) for name, table in pairs.items()]
    high = 1.2 + labels * (0.12 * (len(quantized) + 1) + 0.16)
    plots = [
        CohortPlot("Paired differences of Dice", partial(draw_forest, intervals=intervals, margin=margin), 9.0, high),
        CohortPlot("Every case", partial(draw_case_dots, losses=by_case, margin=margin), 4.4, 3.4),
        *_cost_plots(result, statistics, names),
    ]
    if statistics.doubt:
        lines = [
            CascadeLine(
                places[each.model],
                names[each.model],
                [point.sent for point in each.curve],
                [point.dice for point in each.curve],
                [point.losing for point in each.curve],
            )
            for each in statistics.doubt
        ]
        plots.append(CohortPlot("Small first, big when in doubt", partial(draw_cascade, lines=lines), 4.4, 3.4))
    for place, agreement in enumerate(statistics.volumes):
        table = paired(result.scores, agreement.model, "organ")
        draw = partial(
            draw_bland_altman,
            full_ml=table["full_volume_ml"].to_numpy(),
            quantized_ml=table["quantized_volume_ml"].to_numpy(),
            bias_ml=agreement.bias_ml,
            limits_ml=agreement.limits_ml,
            place=place,
        )
        plots.append(
            CohortPlot(f"Volumes of whole organs, {names[agreement.model]} (Bland and Altman)", draw, 4.4, 3.4)
        )
    return plots


def _cost_plots(result: CohortResult, statistics: CohortStatistics, names: dict[str, str]) -> list[CohortPlot]:
    """Dice over size, and over time where that is measured."""
    times = latencies(result)
    dice_of = {each.model: each for each in statistics.prompts if each.protocol == statistics.decided_by}
    sizes, speeds = [], []
    for place, model in enumerate(result.models):
        told = dice_of[model.name]
        values = (place - 1, names[model.name], told.dice, told.worst_decile)
        sizes.append(CostPoint(*values, model.file_bytes / MEGABYTE))
        if not model.simulated:
            time = times.loc[model.name]
            speeds.append(CostPoint(*values, float(time["encoder_ms"] + time["decoder_ms"])))
    plots = [CohortPlot("Dice against size", partial(draw_costs, points=sizes, title="file, MB"), 4.4, 3.4)]
    if len(speeds) > 1:
        draw = partial(draw_costs, points=speeds, title="measured: encoder and one box, ms")
        plots.append(CohortPlot("Dice against measured latency", draw, 4.4, 3.4))
    return plots


def worst_pictures(result: CohortResult, numbers: dict[str, int]) -> list[ReportPicture]:
    """The prompts that lose most, the worst of each case and model, at most :data:`MOST_PICTURES`.

    Args:
        result: of the cohort.
        numbers: of the cases: the page names no case.
    """
    kept = [
        (head, case) for case in result.scores["case"].unique() for head in result.store.pictures(str(case)).values()
    ]
    kept.sort(key=lambda pair: (-pair[0]["loss"], str(pair[1]), pair[0]["model"]))
    names = cohort_names(result)
    return [_worst(head, numbers[str(case)], names) for head, case in kept[:MOST_PICTURES]]


def _worst(head: dict[str, Any], number: int, names: dict[str, str]) -> ReportPicture:
    truth, full, quantized = (head[name] for name in ("truth", "full", "quantized"))
    model, loss = str(head["model"]), float(head["loss"])
    lost = f"loses {loss:.3f}" if round(loss, 3) > 0 else "loses nothing"
    text = f"case {number}, {head['label']}, slice {head['z']}: full precision left, {names[model]} right"
    stream = io.BytesIO()
    draw_comparison(
        stream,
        head["pixels"],
        full,
        quantized,
        box=tuple(head["box"]),
        truth=truth,
        left_lines=["Full precision", f"Dice vs ground truth {dice(truth, full):.3f}"],
        right_lines=[
            model,
            f"Dice vs ground truth {dice(truth, quantized):.3f}",
            f"Dice vs full precision {dice(full, quantized):.3f}",
        ],
        title=f"case {number} · {head['label']} · slice {head['z']} · {lost} · {RESEARCH_ONLY}",
        spacing_yx=tuple(head["spacing_yx"]),
    )
    source = "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()
    return ReportPicture(source, source, text, 1280)


def _drawn(plot: CohortPlot) -> ReportPicture:
    def drawn(look: Look) -> str:
        svg = as_svg(lambda figure: plot.draw(figure, look=look), plot.width, plot.height)
        return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()

    return ReportPicture(drawn(LIGHT), drawn(DARK), plot.text, round(plot.width * _PIXELS_PER_INCH))
