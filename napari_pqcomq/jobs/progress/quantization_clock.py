"""One progress for a quantization at several bit widths: in plain words, over all widths and all their phases."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from napari_pqcomq.translation import tr
from pqcomq.progress import Progress
from pqcomq.quantization.algorithm.config import QuantizationConfig
from pqcomq.quantization.layer_events import LayerEvent
from pqcomq.quantization.planning.time_estimate import expected_passes

_STEPS = 1000
"""Of the bar, by time and not by layers: layers take very different times."""


def expected(settings: QuantizationConfig, slices: int) -> float:
    """How long a quantization takes, in the time of a pass of the encoder in torch.

    Args:
        settings: of its width.
        slices: calibration slices.
    """
    plans = settings.budget is not None or settings.stored_bits is not None
    return sum(expected_passes(slices, plans=plans, walks=settings.inputs == "quantized").values())


class QuantizationClock:
    """Seconds left, over all widths; those to come are judged by the speed of the one that runs.

    Args:
        settings: of each width, in their order.
        slices: calibration slices.
        clock: seconds.
    """

    def __init__(
        self, settings: Sequence[QuantizationConfig], slices: int, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._settings, self._clock = settings, clock
        self._passes = [expected(each, slices) for each in settings]
        self._began = clock()
        self._shown = 0

    def begun(self, index: int) -> Progress:
        """What the bar says until the first step, which takes as long as any.

        Args:
            index: of the width that begins.
        """
        return Progress(0, 0, tr("Quantizing to {bits} bits: the first steps", bits=self._settings[index].bits))

    def told(self, index: int, event: LayerEvent) -> Progress:
        """What the bar says after a step.

        Args:
            index: of the width that runs.
            event: the step.
        """
        here = event.remaining_seconds or 0.0
        seconds_a_pass = (event.elapsed_seconds + here) / self._passes[index]
        left = here + seconds_a_pass * sum(self._passes[index + 1 :])
        elapsed = self._clock() - self._began
        # An estimate that has grown never sends the bar backwards; the text tells it.
        self._shown = max(self._shown, round(_STEPS * elapsed / (elapsed + left)) if elapsed + left > 0 else 0)
        return Progress(self._shown, _STEPS, plain_words(event, self._settings[index].bits), left)


def plain_words(event: LayerEvent, bits: int) -> str:
    """What is being done, for people who know nothing of calibration passes.

    Args:
        event: the step that was just done.
        bits: width that is quantized to.
    """
    if event.phase == "calibrate":
        text = tr("Quantizing to {bits} bits: looking at slice {step} of {total}")
    elif event.phase == "plan":
        text = tr("Quantizing to {bits} bits: choosing each layer's width, step {step} of {total}")
    else:
        text = tr("Quantizing to {bits} bits, layer {step} of {total}")
    return text.format(bits=bits, step=event.step, total=event.total)
