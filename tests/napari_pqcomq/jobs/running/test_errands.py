"""What is made of the user's work in a moment: in a thread, or at once where nobody could take it later."""

from __future__ import annotations

import threading

import pytest
from napari.utils.notifications import notification_manager
from qtpy.QtCore import QObject

from napari_pqcomq.jobs.running.errands import Errands


@pytest.fixture
def errands(qapp):
    owner = QObject()
    yield Errands(owner)
    owner.deleteLater()


def test_each_is_done_in_a_thread_and_taken_in_the_window_s(errands, qtbot):
    taken, here = [], threading.current_thread()
    for number in range(3):
        errands.start(
            lambda number=number: (number, threading.current_thread()),
            lambda made: taken.append((*made, threading.current_thread())),
        )
    assert errands.is_running
    qtbot.waitUntil(lambda: not errands.is_running)
    assert sorted(number for number, _by, _taken_in in taken) == [0, 1, 2]
    assert all(by is not here and taken_in is here for _number, by, taken_in in taken)


def test_what_is_under_way_when_its_taker_goes_is_taken_once(errands, qtbot):
    go_on, done, taken = threading.Event(), [], []

    def work():
        if threading.current_thread() is not threading.main_thread():
            go_on.wait(60)
        done.append(threading.current_thread())
        return "painted"

    errands.start(work, taken.append)
    errands.finish()
    assert taken == ["painted"] and not errands.is_running
    go_on.set()
    qtbot.waitUntil(lambda: len(done) == 2)
    qtbot.wait(50)
    assert taken == ["painted"]


def test_a_failure_of_any_kind_is_told_and_ends_it(errands, qtbot, monkeypatch):
    told = []
    monkeypatch.setattr(notification_manager, "receive_error", lambda kind, *_more: told.append(kind))

    def work():
        raise RuntimeError("no memory")

    errands.start(work, lambda _made: pytest.fail("there is nothing to take"))
    qtbot.waitUntil(lambda: not errands.is_running)
    assert told == [RuntimeError]
