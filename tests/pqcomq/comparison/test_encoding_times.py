"""Latencies are of one run, so that like is held against like."""

from __future__ import annotations

from pqcomq.comparison.measures.encoding_times import EncodingTimes, TorchBaseline


class Runner:
    """Encodes in a given time, the first pass in twice that."""

    def __init__(self, milliseconds, cached=()):
        self.milliseconds, self.passes, self.here = milliseconds, 0, set()
        self.encoder_ms = dict.fromkeys(cached, 9999.0)

    def encoded_here(self, z):
        return z in self.here

    def encode(self, z, *, again=False):
        if again or z not in self.encoder_ms:
            self.passes += 1
            self.here.add(z)
            self.encoder_ms[z] = self.milliseconds * (2 if self.passes == 1 else 1)
        return self.encoder_ms[z]


def test_every_pass_of_the_run_counts():
    runner, times = Runner(100.0), EncodingTimes()
    for z in range(5):
        runner.encode(z)
        times.note(runner, z)
    assert times.on(range(5)).each_ms == (200.0, 100.0, 100.0, 100.0, 100.0)
    assert times.on([3, 4]).passes == 2


def test_times_of_an_earlier_run_do_not_count_and_some_slices_are_encoded_again():
    runner, times = Runner(100.0, cached=range(10)), EncodingTimes()
    for z in range(10):
        runner.encode(z)
        times.note(runner, z)
    assert runner.passes == 3
    assert times.on(range(10)).each_ms == (200.0, 100.0, 100.0)


def test_a_slow_model_is_not_encoded_again_more_than_it_takes_to_tell():
    runner, times = Runner(3000.0, cached=range(10)), EncodingTimes()
    for z in range(10):
        runner.encode(z)
        times.note(runner, z)
    assert runner.passes == 1


def test_an_object_on_slices_of_another_one_has_the_passes_of_the_run():
    first, times = Runner(100.0), EncodingTimes()
    for z in (1, 2):
        first.encode(z)
        times.note(first, z)
    second = Runner(100.0, cached=(1, 2))
    for z in (1, 2):
        times.note(second, z)
    assert second.passes == 0
    assert times.on([1, 2]).passes == 2
    assert times.on([7]).passes == 2


def test_torch_is_timed_on_three_slices_after_a_pass_that_is_not_counted():
    runner = Runner(600.0)
    baseline = TorchBaseline(runner)
    assert baseline.latency is None
    for z in range(10):
        baseline.take_turn(z)
    assert baseline.latency.each_ms == (600.0,) * 3
    assert runner.passes == 4


def test_a_model_that_takes_long_in_torch_is_timed_once():
    runner = Runner(6000.0)
    baseline = TorchBaseline(runner)
    for z in range(10):
        baseline.take_turn(z)
    assert (runner.passes, baseline.latency.passes) == (1, 1)


def test_nothing_is_timed_where_torch_runs_the_comparison():
    baseline = TorchBaseline(None)
    baseline.take_turn(0)
    assert baseline.latency is None
