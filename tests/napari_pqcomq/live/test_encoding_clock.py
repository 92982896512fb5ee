"""What is said while a slice is encoded."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from napari_pqcomq.live import encoding_clock
from napari_pqcomq.live.encoding_clock import EncodingClock


@pytest.fixture
def seconds(monkeypatch):
    """Those that go by; a list of one number."""
    now = [10.0]
    monkeypatch.setattr(encoding_clock, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    return now


def test_the_seconds_go_on_and_the_last_one_tells_how_long_it_may_take(qtbot, seconds):
    clock, said = EncodingClock(), []
    clock.told.connect(said.append)
    clock.start(7)
    assert said == ["Encoding slice 7…"]
    seconds[0] += 12
    qtbot.waitUntil(lambda: len(said) > 1)
    assert said[-1] == "Encoding slice 7… 12 s"
    seconds[0] += 18
    clock.stop(encoded=True)
    clock.start(8)
    assert said[-1] == "Encoding slice 8… (the last one took 30 s)"
    seconds[0] += 40
    clock._tell()
    assert said[-1] == "Encoding slice 8… 40 s", "no time is promised that is over"


def test_nothing_is_said_of_a_slice_that_was_left(qtbot, seconds):
    clock, said = EncodingClock(), []
    clock.told.connect(said.append)
    clock.start(7)
    clock.look(7)
    assert clock._timer.isActive()
    clock.look(8)
    assert not clock._timer.isActive()
    seconds[0] += 50
    clock.stop(encoded=True)
    clock.start(8)
    assert said[-1] == "Encoding slice 8…", "a slice that was left says nothing of the next one"
