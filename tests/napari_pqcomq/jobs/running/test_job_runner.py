"""What the bar of the dock says while a job runs."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest
from napari.utils.notifications import notification_manager

from napari_pqcomq.jobs.running import job_runner
from napari_pqcomq.jobs.running.job_runner import JobRunner
from pqcomq.progress import Progress


@pytest.fixture
def jobs(qtbot):
    jobs = JobRunner()
    qtbot.addWidget(jobs)
    return jobs


def test_the_time_left_stands_beside_the_whole_and_what_follows(jobs, qtbot):
    go_on, said, results = threading.Event(), [], []

    def steps():
        yield Progress(250, 1000, "Quantizing to 4 bits, layer 31 of 101", 70.0)
        go_on.wait(60)
        return "done"

    jobs.told.connect(said.append)
    jobs.start(steps, results.append, "Preparing…", "then the models run")
    qtbot.waitUntil(lambda: len(said) > 1)
    assert said[0] == "Preparing…, then the models run"
    assert said[1].startswith("Quantizing to 4 bits, layer 31 of 101 · 1 min 10 s left of 1 min 1")
    assert said[1].endswith(", then the models run")
    assert (jobs.bar.value(), jobs.bar.maximum()) == (250, 1000)
    assert jobs.isVisible() or not jobs.isHidden()
    go_on.set()
    qtbot.waitUntil(lambda: results == ["done"])
    assert jobs.isHidden()


@pytest.fixture
def clock(monkeypatch):
    """Seconds that go by for the bar; a list of one number."""
    now = [100.0]
    monkeypatch.setattr(job_runner, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    return now


def test_jobs_that_follow_each_other_have_one_bar_and_one_time(jobs, qtbot, clock):
    go_on, results = threading.Event(), []

    def steps():
        yield Progress(1, 4, "Working", 30.0)
        go_on.wait(60)

    jobs.start(steps, results.append, "Preparing…", "then the rest", (0.0, 0.6))
    qtbot.waitUntil(lambda: jobs.text.text().startswith("Working"))
    assert jobs.bar.value() == 150
    clock[0] += 20
    go_on.set()
    qtbot.waitUntil(lambda: results == [None])
    go_on.clear()
    jobs.start(steps, results.append, "The rest…", part=(0.6, 1.0))
    qtbot.waitUntil(lambda: jobs.text.text().startswith("Working"))
    assert jobs.text.text() == "Working · 30 s left of 50 s"
    assert jobs.bar.value() == 700
    go_on.set()
    qtbot.waitUntil(lambda: len(results) == 2)
    go_on.clear()
    jobs.start(steps, results.append, "Another…")
    qtbot.waitUntil(lambda: jobs.text.text().startswith("Working"))
    assert jobs.text.text() == "Working · 30 s left of 30 s", "which was asked for by itself"
    go_on.set()
    qtbot.waitUntil(lambda: len(results) == 3)


def test_the_words_go_on_while_a_step_takes_long(jobs, qtbot, clock):
    go_on, said = threading.Event(), []

    def steps():
        yield Progress(1, 4, "Slice 2 of 4", 70.0)
        go_on.wait(60)
        yield Progress(1, 4, "A first slice, not timed")
        go_on.wait(60)

    jobs.start(steps, lambda _result: None, "Preparing…")
    qtbot.waitUntil(lambda: jobs.text.text().startswith("Slice 2"))
    assert jobs.text.text() == "Slice 2 of 4 · 1 min 10 s left of 1 min 10 s"
    clock[0] += 30
    jobs.told.connect(said.append)
    qtbot.waitUntil(lambda: bool(said))  # the bar's own clock, without a word of the job
    assert said[-1] == "Slice 2 of 4 · 40 s left of 1 min 10 s"
    clock[0] += 41  # longer than was thought
    jobs._tell()
    assert jobs.text.text() == "Slice 2 of 4 · 1 min 11 s so far"
    jobs.cancel()
    clock[0] += 1
    jobs._tell()
    assert jobs.text.text() == "Cancelling after this step…"
    go_on.set()
    qtbot.waitUntil(lambda: not jobs.is_running)
    assert not jobs._clock.isActive()


def test_a_step_of_which_nothing_is_known_tells_for_how_long_it_has_been_going_on(jobs, qtbot, clock):
    go_on = threading.Event()

    def steps():
        yield Progress(0, 0, "A first slice, not timed")
        go_on.wait(60)

    jobs.start(steps, lambda _result: None, "Preparing…", "then the masks")
    qtbot.waitUntil(lambda: jobs.text.text() == "A first slice, not timed, then the masks")
    clock[0] += 12
    jobs._tell()
    assert jobs.text.text() == "A first slice, not timed · 12 s so far, then the masks"
    go_on.set()
    qtbot.waitUntil(lambda: not jobs.is_running)


def test_the_window_itself_tells_how_far_it_is_and_leaves_the_bar_to_a_job(jobs, qtbot):
    jobs.show_drawing(Progress(3, 34, "Opening the view, step 3 of 34"))
    assert not jobs.isHidden()
    assert jobs.cancel_button.isHidden(), "there is no job to cancel"
    jobs.show_drawing(Progress(34, 34, "Opening the view, step 34 of 34"))
    assert jobs.isHidden()
    go_on = threading.Event()

    def steps():
        yield Progress(0, 0, "Working")
        go_on.wait(60)

    jobs.start(steps, lambda _result: None, "Working")
    jobs.show_drawing(Progress(3, 34, "Opening the view, step 3 of 34"))
    assert "Working" in jobs.text.text()
    assert not jobs.cancel_button.isHidden()
    go_on.set()
    qtbot.waitUntil(lambda: not jobs.is_running)


def test_who_cancels_by_a_button_of_its_own_sees_no_second_one(qtbot):
    jobs, go_on = JobRunner(with_cancel=False), threading.Event()
    qtbot.addWidget(jobs)

    def steps():
        yield Progress(0, 0, "Working")
        go_on.wait(60)

    jobs.start(steps, lambda _result: None, "Working")
    assert not jobs.isHidden()
    assert jobs.cancel_button.isHidden()
    go_on.set()
    qtbot.waitUntil(lambda: not jobs.is_running)


def test_a_job_that_is_started_as_another_ends_gets_its_own_result_alone(jobs, qtbot):
    first, second = [], []

    def steps(result):
        yield Progress(0, 0, "Working")
        return result

    def go_on(running):
        if not running and not second and not jobs.is_running:
            jobs.running.disconnect(go_on)
            jobs.start(lambda: steps("two"), second.append, "Working")

    jobs.running.connect(go_on)
    jobs.start(lambda: steps("one"), first.append, "Working")
    qtbot.waitUntil(lambda: bool(second) and not jobs.is_running)
    assert (first, second) == (["one"], ["two"])


def test_a_failure_of_torch_is_told_and_the_next_job_can_begin(jobs, qtbot, monkeypatch):
    told, results = [], []
    monkeypatch.setattr("napari_pqcomq.jobs.running.job_runner.show_error", told.append)
    monkeypatch.setattr(notification_manager, "receive_error", lambda _kind, error, _trace: told.append(str(error)))

    def steps(message):
        yield Progress(0, 0, "Working")
        raise RuntimeError(message)

    lacking = "[enforce fail] DefaultCPUAllocator: can't allocate memory"
    others = ["sizes of tensors must match", "unsupported memory format option Preserve"]
    for message in (lacking, "std::bad_alloc", *others):
        jobs.start(lambda message=message: steps(message), results.append, "Working")
        qtbot.waitUntil(lambda: not jobs.is_running, timeout=10_000)
    assert all(each.startswith("There is not enough memory for this.") for each in told[:2])
    assert told[2:] == others
    assert results == []


def test_what_is_stopped_as_its_dock_closes_is_told(jobs, qtbot):
    go_on, results = threading.Event(), []

    def steps():
        yield Progress(1, 4, "Saving: liver drawn")
        go_on.wait(60)
        yield Progress(2, 4, "Saving: spleen drawn")
        return "saved"

    jobs.abandon()  # nothing runs, and nothing is said
    before = len(notification_manager.records)
    jobs.start(steps, results.append, "Saving the session…")
    qtbot.waitUntil(lambda: "liver" in jobs.text.text())
    jobs.abandon()
    told = [notice.message for notice in notification_manager.records[before:]]
    assert told == ["The dock was closed, so this was stopped: Saving: liver drawn"]
    go_on.set()
    qtbot.waitUntil(lambda: not jobs.is_running)
    assert results == []


def test_cancel_stays_where_it_is_when_a_text_takes_a_second_line(jobs):
    jobs.setStyleSheet("QLabel { font-size: 20px }")
    jobs.resize(360, 200)
    jobs.show()
    heights = []
    for text in ("Making FP32 ready", "Quantizing to 4 bits, layer 48 of 101, 1 min left"):
        jobs.text.setText(text)
        heights.append(jobs.layout().totalHeightForWidth(360))
    assert heights[0] == heights[1]
