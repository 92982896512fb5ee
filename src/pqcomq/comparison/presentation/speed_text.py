"""How fast a model ran, for people: against what, and whether low bits had any part in it."""

from __future__ import annotations

from pqcomq.comparison.model_result import Comparison, ModelResult

_NO_GAIN = 1.05
"""Times faster than full precision on the same library, up to which nothing was gained."""


def speed_lines(comparison: Comparison, side: ModelResult) -> list[str]:
    """One side's latencies, the candidate's with what they are to be held against; medians, short as plates are.

    The first ratio is against full precision in torch, as people run it, the second against full precision on the same
    library.
    """
    encoder, decoder = side.encoder.median_ms, side.decoder.median_ms
    kind = "simulated" if side.simulated else "real"
    lines = [f"Encoder {encoder:.0f} ms · decoder {decoder:.0f} ms ({kind})"]
    if side is not comparison.candidate:
        torch = comparison.torch_encoder
        return lines if torch is None else [*lines, f"Encoder in torch {torch.median_ms:.0f} ms"]
    ratios = [f"{each.times:.1f} × {each.against}" for each in comparison.speedups]
    if ratios:
        lines.append(" · ".join([ratios[0], *(each.replace("FP32 ", "") for each in ratios[1:])]))
    return [*lines, *filter(None, [remark_on_speed(comparison)])]


def speed_rows(comparison: Comparison) -> list[tuple[str, ...]]:
    """The same for a table: what is told, the reference's value, the candidate's."""
    sides = (comparison.reference, comparison.candidate)
    found = {each.against: f"{each.times:.2f}" for each in comparison.speedups}
    times = [(f"Encoder, times {name}", "", found.get(name, "no low-bit speed here")) for name in comparison.rivals]
    if comparison.torch_encoder is not None:
        times.insert(0, ("Encoder in torch, median", f"{comparison.torch_encoder.median_ms:.0f} ms", ""))
    return [*times, ("Speed", *(speed_kind(each) for each in sides))]


def speed_kind(side: ModelResult) -> str:
    """Real or simulated; where weights are not multiplied as they are kept, in what instead."""
    if side.simulated:
        return "simulated: runs as FP32"
    widened = side.execution.weights.removesuffix(" when loaded")
    return f"real, weights {widened}" if widened.startswith("widened") else "real"


def remark_on_speed(comparison: Comparison) -> str:
    """What a ratio near one means, or below it, or why there is none: neither stands alone; empty where time is won."""
    run = comparison.candidate.execution
    if comparison.candidate.simulated and not run.weights.startswith("packed"):
        return f"Low bits save the file's size here, not time: {run.library} runs them widened"
    if comparison.speedups and comparison.speedups[-1].times > _NO_GAIN:
        return ""
    if run.weights.startswith("packed"):
        return "Packed weights save memory here, not time"
    return "Low bits save the file's size here, not time"
