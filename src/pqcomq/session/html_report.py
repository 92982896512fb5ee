"""A session as one page of HTML that stands by itself: pictures, plots, tables and where everything came from.

Nothing is loaded from anywhere, and the page forbids itself to; it can be mailed, printed and kept.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from typing import Any

import jinja2
from matplotlib.figure import Figure

import pqcomq
from pqcomq.comparison.comparison_result import ObjectComparison
from pqcomq.comparison.gate import overall
from pqcomq.comparison.model_result import Comparison
from pqcomq.comparison.presentation.comparison_text import RESEARCH_ONLY, figure_rows, side_lines, side_title
from pqcomq.comparison.presentation.figure import draw_comparison
from pqcomq.object_colours import object_colour
from pqcomq.plots.bits_vs_dice import MEASURE_TITLES, Measure, draw_trade_off
from pqcomq.plots.box_perturbation_plot import draw_jitter
from pqcomq.plots.dice_per_slice import draw_along_slices
from pqcomq.plots.latencies import draw_latencies
from pqcomq.plots.layer_errors import draw_layer_errors
from pqcomq.plots.svg import as_svg
from pqcomq.plots.theme import LIGHT
from pqcomq.quantization.algorithm.config import QuantizationConfig
from pqcomq.quantization.files.weights_file import manifest
from pqcomq.session.session import Session
from pqcomq.volumes.intensity_window import EightBitSlices
from pqcomq.wording import counted


@dataclass(frozen=True)
class _Picture:
    """One picture of the page.

    Attributes:
        source: data URI.
        text: what it shows, for those who do not see it, and as its caption.
    """

    source: str
    text: str


@dataclass(frozen=True)
class _Part:
    """What the page tells of one object.

    Attributes:
        name: of the object.
        colour: of the object, hexadecimal.
        verdicts: of the gate.
        remarks: sentences: where the models diverge, and the change of the box beside that of the weights.
        pictures: slices side by side.
        plots: of this object.
        columns: titles of the table.
        rows: of the table.
    """

    name: str
    colour: str
    verdicts: list[Any]
    remarks: list[str]
    pictures: list[_Picture]
    plots: list[_Picture]
    columns: list[str]
    rows: list[tuple[str, ...]]


def drawing_page(session: Session) -> Generator[str, None, str]:
    """The session as HTML.

    Yields:
        Each object's name once its pictures and plots are drawn, which is what takes time.

    Returns:
        The page (a generator's return value).
    """
    template = files("pqcomq.session").joinpath("page.html").read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    pixels = EightBitSlices(session.volume, session.result.window)
    parts = []
    for found in session.objects:
        parts.append(_part(session, found, pixels))
        yield found.name
    return environment.from_string(template).render(
        session=session,
        volume=session.volume,
        environment=session.objects[0].comparisons[0].environment,
        executions=_executions(session),
        outcome=overall(session.verdicts),
        parts=parts,
        layers=_layer_plot(session),
        models=[_described(model) for model in map(manifest, session.models)],
        segmenter=session.models[0].segmenter,
        research_only=RESEARCH_ONLY,
        program=f"pqcomq {pqcomq.__version__}",
        counted=counted,
    )


def _executions(session: Session) -> list[str]:
    """What ran each model."""
    ran = [(each.precision, each.execution) for each in session.objects[0].results]
    return [f"{precision}: {execution.title}. {execution.why}".rstrip() for precision, execution in ran]


def _part(session: Session, found: ObjectComparison, pixels: EightBitSlices) -> _Part:
    remarks = [
        f"{each.candidate.precision}: {each.divergence}" for each in found.comparisons if each.divergence is not None
    ]
    if found.jitter is not None:
        remarks.append(found.jitter.sentence(found.comparisons))
    return _Part(
        name=found.name,
        colour=object_colour(found.number),
        verdicts=[each for each in session.verdicts if each.name == found.name],
        remarks=remarks,
        pictures=_pictures(session, found, pixels),
        plots=_plots(session, found),
        columns=[side_title(each) for each in found.results],
        rows=figure_rows(found.comparisons, session.tolerance.stability),
    )


_START = {"box": "the box's middle", "points": "a point's slice", "scribble": "a slice that was drawn on"}
"""Where propagation started, by what the prompt begins with."""


def _pictures(session: Session, found: ObjectComparison, pixels: EightBitSlices) -> list[_Picture]:
    """For each model the slice where it agrees least, and the prompted slice of the last."""
    chosen = [(each, each.worst_slice, "where the two agree least") for each in found.comparisons]
    last = found.comparisons[-1]
    if last.prompt.start != last.worst_slice:
        chosen.append((last, last.prompt.start, _START[last.prompt.kinds[0]]))
    return [_side_by_side(session, found, pixels, *each) for each in chosen]


def _side_by_side(
    session: Session, found: ObjectComparison, pixels: EightBitSlices, comparison: Comparison, z: int, why: str
) -> _Picture:
    stream = io.BytesIO()
    spacing = session.volume.grid.spacing_zyx
    text = f"{found.name}, slice {z}, {why}: full precision left, {comparison.candidate.precision} right"
    draw_comparison(
        stream,
        pixels[z],
        comparison.reference.mask.on_slice(z),
        comparison.candidate.mask.on_slice(z),
        box=comparison.prompt.edges,
        points=comparison.prompt.points_on(z),
        scribble=comparison.prompt.drawn_on(z, session.volume.grid.shape_zyx[1:]),
        box_colour=object_colour(found.number),
        truth=None if found.truth is None else found.truth[z],
        left_lines=[side_title(comparison.reference), *side_lines(comparison, comparison.reference)],
        right_lines=[side_title(comparison.candidate), *side_lines(comparison, comparison.candidate)],
        title=f"{found.name} · slice {z}, {why} · {RESEARCH_ONLY}",
        spacing_yx=(spacing[1], spacing[2]),
    )
    return _Picture("data:image/png;base64," + base64.b64encode(stream.getvalue()).decode(), text)


def _plots(session: Session, found: ObjectComparison) -> list[_Picture]:
    comparisons = found.comparisons
    limit = session.tolerance.dice
    along = partial(draw_along_slices, comparisons=comparisons, look=LIGHT, least_dice=limit)
    plots = [_plot(along, 9.0, 3.6, f"{found.name}: Dice along the slices")]
    measures: list[Measure] = ["agreement"] if found.truth is None else ["agreement", "accuracy"]
    for measure in measures:
        draw = partial(draw_trade_off, comparisons=comparisons, look=LIGHT, measure=measure)
        plots.append(_plot(draw, 4.4, 4.2, f"{found.name}: bits and latency against {MEASURE_TITLES[measure]}"))
    draw = partial(draw_latencies, comparisons=comparisons, look=LIGHT)
    plots.append(_plot(draw, 4.4, 3.2, f"{found.name}: latencies"))
    if found.jitter is not None:
        draw = partial(draw_jitter, jitter=found.jitter, comparisons=comparisons, look=LIGHT)
        plots.append(_plot(draw, 4.4, 2.6, f"{found.name}: moved boxes and quantization"))
    return plots


def _layer_plot(session: Session) -> _Picture:
    slices = [int(each.calibration.get("slice_count", 0)) for each in session.models]
    draw = partial(draw_layer_errors, errors=session.layer_errors, calibration_slices=slices, look=LIGHT)
    return _plot(draw, 9.0, 3.2, "Quantization error of each encoder layer")


def _plot(draw: Callable[[Figure], None], width: float, height: float, text: str) -> _Picture:
    svg = as_svg(draw, width, height)
    return _Picture("data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode(), text)


def _described(head: dict[str, Any]) -> dict[str, Any]:
    """A weights manifest as the page tells it."""
    quantization = head["quantization"]
    return {
        "title": QuantizationConfig.from_dict(quantization).title,
        "settings": ", ".join(f"{name} {value}" for name, value in quantization.items()),
        "effective_bits": head["effective_bits"],
        "calibration": head["calibration"],
        "versions": ", ".join(f"{name} {version}" for name, version in head["versions"].items()),
    }
