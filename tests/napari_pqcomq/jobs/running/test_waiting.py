"""Work that somebody waits for, in a thread: the window stays awake, and Cancel gives it up."""

from __future__ import annotations

import threading

import pytest
from qtpy.QtCore import Qt, QThreadPool, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QMainWindow

from napari_pqcomq.jobs.running.job_runner import JobRunner
from napari_pqcomq.jobs.running.waiting import WaitingDialog, awaited
from pqcomq.errors import InputError
from pqcomq.progress import Progress


def when_waiting(act):
    """Act on the dialog as soon as it is seen."""

    def look():
        dialog = QApplication.activeModalWidget()
        if isinstance(dialog, WaitingDialog):
            act(dialog)
        else:
            QTimer.singleShot(20, look)

    QTimer.singleShot(0, look)


def test_the_window_is_awake_and_told_how_far_it_is_while_it_waits(qtbot):
    go_on, seen = threading.Event(), []

    def work():
        assert threading.current_thread() is not threading.main_thread()
        yield Progress(1, 4, "reading")
        go_on.wait(60)
        return "read"

    def act(dialog):
        qtbot.waitUntil(lambda: dialog.progress.text.text() == "reading")
        seen.append((dialog.progress.bar.value(), dialog.progress.bar.maximum()))
        go_on.set()

    when_waiting(act)
    assert awaited(work, "begin") == "read"
    assert seen == [(250, 1000)], "only a window that is awake lets the work go on"


def test_what_is_done_in_a_moment_shows_nothing(qtbot, monkeypatch):
    monkeypatch.setattr("napari_pqcomq.jobs.running.waiting._GRACE_MS", 60_000)
    monkeypatch.setattr(WaitingDialog, "exec", lambda self: pytest.fail("the dialog was shown"))

    def work():
        yield Progress(0, 0, "reading")
        return 7

    assert awaited(work, "begin") == 7


def test_cancel_gives_up_at_once_though_the_work_is_in_the_middle_of_a_step(qtbot):
    go_on, given_up, ended = threading.Event(), [], threading.Event()

    def work():
        try:
            yield Progress(0, 0, "reading")
            go_on.wait(60)
            yield Progress(0, 0, "never seen")
            pytest.fail("the work went on")
        finally:
            ended.set()

    def act(dialog):
        QTest.mouseClick(dialog.progress.cancel_button, Qt.MouseButton.LeftButton)

    when_waiting(act)
    assert awaited(work, "begin", lambda: given_up.append(True)) is None
    assert given_up == [True]
    assert not ended.is_set()
    go_on.set()
    qtbot.waitUntil(ended.is_set)


def test_who_waits_does_not_wait_for_the_jobs_that_run_on_every_core(qtbot):
    pool, go_on = QThreadPool.globalInstance(), threading.Event()
    runner, cores = JobRunner(), pool.maxThreadCount()
    qtbot.addWidget(runner)

    def job():
        yield Progress(0, 0, "quantizing")
        go_on.wait(60)

    def work():
        yield Progress(0, 0, "reading")
        return "read"

    pool.setMaxThreadCount(1)
    runner.start(job, lambda _made: None, "begin")
    try:
        assert awaited(work, "begin") == "read"
        assert runner.is_running
    finally:
        go_on.set()
        qtbot.waitUntil(lambda: not runner.is_running)
        pool.setMaxThreadCount(cores)


def test_what_is_wrong_is_raised_where_it_is_awaited(qtbot):
    def work():
        yield Progress(0, 0, "reading")
        raise InputError("The file was cut off.", "a.nii")

    with pytest.raises(InputError, match="cut off"):
        awaited(work, "begin")


def test_in_a_thread_of_somebody_else_it_is_simply_done(qtbot):
    found = []

    def work():
        yield Progress(0, 0, "reading")
        return threading.current_thread()

    thread = threading.Thread(target=lambda: found.append(awaited(work, "begin")))
    thread.start()
    thread.join()
    assert found == [thread]


def test_the_dialog_belongs_to_the_window_also_while_another_program_is_active(qtbot, monkeypatch):
    window = QMainWindow()
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    monkeypatch.setattr(QApplication, "activeWindow", lambda: None)
    monkeypatch.setattr("napari_pqcomq.jobs.running.waiting._GRACE_MS", 0)
    go_on, seen = threading.Event(), []

    def work():
        yield Progress(0, 0, "reading")
        go_on.wait(60)

    def act(dialog):
        seen.append(dialog.parentWidget())
        go_on.set()

    when_waiting(act)
    awaited(work, "begin")
    assert seen == [window], "it has the window's colours and stands in its middle"
