"""What a quantization tells after every step."""

from __future__ import annotations

from dataclasses import dataclass

from pqcomq.progress import Progress
from pqcomq.quantization.planning.time_estimate import Phase


@dataclass(frozen=True, kw_only=True)
class LayerEvent(Progress):
    """One step of a quantization done.

    Attributes:
        phase: ``calibrate`` (an input went through the model), ``plan`` (a layer's errors and their damage were
            measured, only where bit widths are mixed) or ``quantize`` (a layer is finished).
        name: of the layer, or of the calibration input.
        step: steps done in this phase.
        total: steps of this phase.
        text: phase, name and errors in words.
        error_before: share of the layer's output energy that rounding to nearest would lose; None but for ``quantize``.
        error_after: the same for the chosen method; None but for ``quantize``. Where layers are fitted to the quantized
            model's inputs, the losses of the layers before are part of both.
        elapsed_seconds: since the start.
        remaining_seconds: estimate, all phases together.
    """

    phase: Phase
    name: str
    elapsed_seconds: float
    error_before: float | None = None
    error_after: float | None = None


def event_text(phase: Phase, name: str, before: float | None, after: float | None) -> str:
    """One line for people."""
    if phase == "plan":
        return f"Choosing bit widths: {name}"
    if before is None or after is None:
        return f"Calibrating: {name}"
    return f"Quantized {name}: error {before:.2%} → {after:.2%}"
