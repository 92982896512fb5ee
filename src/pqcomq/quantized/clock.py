"""How much of a quantization is done, and how long the rest will take."""

from __future__ import annotations

import time

_PLAN_PASSES = 20.0
"""Choosing bit widths, in encoder passes' time, as first measured; corrected as soon as that phase runs."""

_WALK_PASSES = 5.0
"""Fitting layers to a slice's inputs in the quantized model, in encoder passes' time, sweeps included."""


class Clock:
    """Seconds elapsed and left, over phases of unlike work.

    The phase that runs is judged by its own speed, the ones to come by that of an encoder pass.

    Args:
        slices: calibration slices.
        plans: whether bit widths are chosen.
        walks: whether layers are fitted to the quantized model's inputs.
    """

    def __init__(self, slices: int, *, plans: bool, walks: bool) -> None:
        self._began = self._phase_began = time.perf_counter()
        self._to_come = [float(slices), _PLAN_PASSES if plans else 0.0, slices * (_WALK_PASSES if walks else 0.35)]
        self._seconds_a_pass: float | None = None

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self._began

    def left(self, phase: int, share: float) -> float:
        """Seconds left once ``share`` (0 < share ≤ 1) of a phase is done; 0 calibrates, 1 plans, 2 quantizes."""
        now = time.perf_counter()
        in_phase = now - self._phase_began
        if phase == 0:
            self._seconds_a_pass = in_phase / (share * self._to_come[0])
        later = sum(self._to_come[phase + 1 :]) * (self._seconds_a_pass or 0.0)
        return in_phase * (1.0 - share) / share + later

    def next_phase(self) -> None:
        """From now on the next phase runs."""
        self._phase_began = time.perf_counter()
