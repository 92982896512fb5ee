"""How much of a quantization is done, and how long the rest will take."""

from __future__ import annotations

import time
from typing import Literal, get_args

from pqcomq.quantization.planning.layer_times import WALK_PASSES

Phase = Literal["calibrate", "plan", "quantize"]
"""In the order in which they run; what is not needed is left out."""

_PLAN_PASSES = 15.0
"""Choosing bit widths, in calibration passes' time, as measured (LiteMedSAM, 4 bits, two cores of an Intel Xeon)."""

_STANDING_PASSES = 0.35
"""The sweeps alone, for each slice."""


def expected_passes(slices: int, *, plans: bool, walks: bool) -> dict[Phase, float]:
    """How long each phase takes, in encoder passes' time.

    Args:
        slices: calibration slices.
        plans: whether bit widths are chosen.
        walks: whether layers are fitted to the quantized model's inputs.

    Examples:
        >>> expected_passes(8, plans=False, walks=False)["calibrate"]
        8.0
    """
    return {
        "calibrate": float(slices),
        "plan": _PLAN_PASSES if plans else 0.0,
        "quantize": slices * (WALK_PASSES if walks else _STANDING_PASSES),
    }


class TimeEstimate:
    """Seconds elapsed and left, over phases of unlike work.

    The phases to come are judged by the speed of a calibration pass. So is the phase that runs at its beginning, and
    the more by its own speed the further it is: its first layers may take ten times as long as its last, or a tenth.

    Args:
        slices: calibration slices.
        plans: whether bit widths are chosen.
        walks: whether layers are fitted to the quantized model's inputs.
    """

    def __init__(self, slices: int, *, plans: bool, walks: bool) -> None:
        self._began = self._phase_began = self._last = time.perf_counter()
        self._phase: Phase | None = None
        self._passes = expected_passes(slices, plans=plans, walks=walks)
        self._seconds_a_pass = 0.0

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self._began

    def expect(self, phase: Phase, passes: float, seconds_a_pass: float) -> None:
        """Take better knowledge of a phase that now begins, where no calibration came before it."""
        self._passes[phase], self._seconds_a_pass = passes, seconds_a_pass
        self._phase_began = self._last = time.perf_counter()

    def left(self, phase: Phase, share: float) -> float:
        """Seconds left once ``share`` (0 < share ≤ 1) of a phase is done. The next phase begins where one ended."""
        if self._phase not in (None, phase):
            self._phase_began = self._last
        self._phase = phase
        self._last = time.perf_counter()
        in_phase = self._last - self._phase_began
        by_own_speed = in_phase / share
        if phase == "calibrate" or not self._seconds_a_pass:
            self._seconds_a_pass = by_own_speed / self._passes[phase]
        expected = self._passes[phase] * self._seconds_a_pass
        order = get_args(Phase)
        later = sum(self._passes[each] for each in order[order.index(phase) + 1 :]) * self._seconds_a_pass
        return (1.0 - share) * ((1.0 - share) * expected + share * by_own_speed) + later
