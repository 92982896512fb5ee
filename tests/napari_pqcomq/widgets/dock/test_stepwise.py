"""Work in steps on the GUI's thread."""

from __future__ import annotations

from napari_pqcomq.widgets.dock.stepwise import Stepwise
from pqcomq.progress import finished


def steps(done, name, count=3):
    for number in range(count):
        done.append(f"{name}{number}")
        yield


def test_the_window_lives_between_the_steps(qtbot):
    work, done = Stepwise(), []
    work.start(steps(done, "a"), lambda: done.append("end"))
    assert done == ["a0"], "the first step at once, the others when the window has had its turn"
    assert work.is_running
    qtbot.waitUntil(lambda: not work.is_running)
    assert done == ["a0", "a1", "a2", "end"]


def test_work_that_is_replaced_or_stopped_does_not_go_on(qtbot):
    work, done = Stepwise(), []
    work.start(steps(done, "a"), lambda: done.append("end of a"))
    work.start(steps(done, "b"), lambda: done.append("end of b"))
    qtbot.waitUntil(lambda: not work.is_running)
    assert done == ["a0", "b0", "b1", "b2", "end of b"]
    work.start(steps(done, "c"), lambda: done.append("end of c"))
    work.stop()
    qtbot.wait(50)
    assert done[5:] == ["c0"]


def test_what_is_left_can_be_done_at_once(qtbot):
    work, done = Stepwise(), []
    work.start(steps(done, "a"), lambda: done.append("end"))
    work.finish()
    assert done == ["a0", "a1", "a2", "end"]
    work.finish()
    qtbot.wait(50)
    assert done[4:] == [], "and once only"


def test_steps_without_a_pause_return_what_they_make():
    def making():
        yield
        return "made"

    assert finished(making()) == "made"
