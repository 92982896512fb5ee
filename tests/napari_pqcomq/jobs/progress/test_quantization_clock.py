"""One bar over all widths and phases: what it says, that it never goes back, and that it ends when all is done."""

from __future__ import annotations

import pytest

from napari_pqcomq.jobs.progress.quantization_clock import QuantizationClock
from pqcomq.quantization.layer_events import LayerEvent
from pqcomq.quantization.planning.presets import default_config

EIGHT, FOUR = (default_config("lite-medsam", bits) for bits in (8, 4))


def event(phase, step, total, elapsed, left):
    return LayerEvent(
        step, total, "internal words", left, phase=phase, name="image_encoder.layers.0", elapsed_seconds=elapsed
    )


@pytest.fixture
def now():
    return [0.0]


@pytest.fixture
def clock(now):
    return QuantizationClock([EIGHT, FOUR], 8, lambda: now[0])


def test_it_speaks_plainly(clock, now):
    now[0] = 2.0
    said = [
        clock.told(0, event("calibrate", 3, 8, 2, 8)).text,
        clock.told(1, event("plan", 12, 202, 5, 8)).text,
        clock.told(1, event("quantize", 31, 101, 9, 8)).text,
    ]
    assert said == [
        "Quantizing to 8 bits: looking at slice 3 of 8",
        "Quantizing to 4 bits: choosing each layer's width, step 12 of 202",
        "Quantizing to 4 bits, layer 31 of 101",
    ]


def test_the_widths_to_come_are_part_of_the_time_left(clock, now):
    now[0] = 4.0
    first = clock.told(0, event("calibrate", 8, 8, 4, 6))
    assert first.remaining_seconds > 6 + 10, "four bits take longer than eight, which take ten seconds"
    now[0] = 60.0
    last = clock.told(1, event("quantize", 101, 101, 50, 0))
    assert last.remaining_seconds == 0
    assert last.step == last.total


def test_the_bar_never_goes_back_though_an_estimate_grows(clock, now):
    now[0] = 5.0
    before = clock.told(1, event("quantize", 50, 101, 5, 5))
    now[0] = 6.0
    after = clock.told(1, event("quantize", 51, 101, 6, 60))
    assert after.remaining_seconds == 60, "the text is honest"
    assert after.step >= before.step
