"""One type tells how far a long piece of work is."""

from __future__ import annotations

import pytest

from pqcomq.cli.terminal.progress_bar import followed
from pqcomq.progress import Progress, Stopwatch, finished, prefixed, translated
from pqcomq.quantization.layer_events import LayerEvent


def three_steps(closed=None):
    watch = Stopwatch(3)
    try:
        for name in "abc":
            yield watch.step(name)
    finally:
        if closed is not None:
            closed.append(True)
    return "result"


def test_a_stopwatch_counts_and_ends_with_nothing_left():
    told = list(three_steps())
    assert [(each.step, each.total, each.text) for each in told] == [(1, 3, "a"), (2, 3, "b"), (3, 3, "c")]
    assert told[0].remaining_seconds > 0
    assert told[-1].remaining_seconds == 0


def test_a_stopwatch_without_a_total_estimates_nothing_until_it_is_given_one():
    watch = Stopwatch()
    assert watch.step("a") == Progress(1, 0, "a", None)
    watch.total = 4
    second = watch.step("b")
    assert (second.step, second.total) == (2, 4)
    assert second.remaining_seconds > 0


@pytest.mark.parametrize("first", [1.0, 10.0])
def test_what_the_first_steps_took_is_forgotten_by_a_fifth_of_the_way(monkeypatch, first):
    """A run of 40 steps of a second each, whose first three may take longer: the rest is told within a tenth."""
    ends = iter([0.0, *(first * min(step, 3) + max(step - 3, 0) for step in range(1, 41))])
    monkeypatch.setattr("pqcomq.progress.time.perf_counter", lambda: next(ends))
    watch = Stopwatch(40)
    left = [watch.step("").remaining_seconds for _ in range(40)]
    assert all(abs(each - (40 - step)) <= 0.1 * (40 - step) for step, each in enumerate(left, start=1) if step >= 8)


def test_within_a_step_the_time_left_goes_on_down_to_that_of_the_steps_after_it(monkeypatch):
    now = iter([0.0, 10.0, 14.0, 25.0])
    monkeypatch.setattr("pqcomq.progress.time.perf_counter", lambda: next(now))
    watch = Stopwatch(4)
    assert watch.meanwhile("a") == Progress(0, 4, "a", None)
    assert watch.step("a").remaining_seconds == 30
    assert watch.meanwhile("b") == Progress(1, 4, "b", 26)
    assert watch.meanwhile("b").remaining_seconds == 20  # it takes longer than the first


def test_what_is_done_once_says_nothing_of_the_steps_to_come(monkeypatch):
    now = iter([0.0, 60.0, 62.0, 70.0, 70.0, 72.0])
    monkeypatch.setattr("pqcomq.progress.time.perf_counter", lambda: next(now))
    watch = Stopwatch(4)
    watch.leave_out()  # warming up, a minute
    assert watch.step("a").remaining_seconds == 6
    watch.leave_out()
    assert watch.meanwhile("timing torch").remaining_seconds == 6
    assert watch.step("b").remaining_seconds == 4


def test_the_result_comes_through_prefixed_and_translated_work():
    assert finished(prefixed(three_steps(), "CT: ")) == "result"
    assert [each.text for each in prefixed(three_steps(), "CT: ")] == ["CT: a", "CT: b", "CT: c"]
    assert list(translated(three_steps(), lambda progress: progress.step)) == [1, 2, 3]


def test_closing_prefixed_work_closes_what_it_wraps():
    closed = []
    work = prefixed(three_steps(closed), "CT: ")
    next(work)
    work.close()
    assert closed == [True]


def test_a_layer_event_stays_one_when_it_is_prefixed():
    event = LayerEvent(1, 2, "Calibrating: slice 1", 3.0, phase="calibrate", name="slice 1", elapsed_seconds=1.0)

    def work():
        yield event

    assert isinstance(event, Progress)
    (told,) = prefixed(work(), "4 bits: ")
    assert isinstance(told, LayerEvent)
    assert told.text == "4 bits: Calibrating: slice 1"
    assert told.remaining_seconds == 3.0


def test_the_terminal_follows_work_of_unknown_length(capsys):
    def work():
        yield Progress(0, 0, "looking")
        return 7

    assert followed(work(), "Scanning") == 7
    assert capsys.readouterr().out == ""


def test_progress_cannot_be_changed():
    with pytest.raises(AttributeError):
        Progress(0, 0, "looking").step = 1
