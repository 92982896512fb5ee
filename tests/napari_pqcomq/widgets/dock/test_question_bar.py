"""Questions in the dock: one at a time, and none is lost to another."""

from __future__ import annotations

import pytest

from napari_pqcomq.widgets.dock.question_bar import QuestionBar


@pytest.fixture
def bar(qtbot):
    bar = QuestionBar()
    qtbot.addWidget(bar)
    return bar


def answers(given, *titles):
    return [(title, "", lambda title=title: given.append(title)) for title in titles]


def test_a_question_that_another_takes_the_place_of_is_seen_again(bar):
    given = []
    bar.ask("tour", "New here?", answers(given, "Show me", "No"))
    bar.ask("autosave", "Go on?", answers(given, "Go on", "Discard"))
    assert bar.text.text() == "Go on?"
    bar.buttons[0].click()
    assert given == ["Go on"]
    assert bar.text.text() == "New here?"
    assert [button.text() for button in bar.buttons] == ["Show me", "No"]
    bar.buttons[1].click()
    assert given == ["Go on", "No"]
    assert bar.isHidden() and not bar.buttons


def test_nobody_withdraws_what_another_has_asked(bar):
    given = []
    bar.ask("autosave", "Go on?", answers(given, "Go on"))
    bar.withdraw("tour")
    assert bar.text.text() == "Go on?" and bar.buttons
    bar.ask("tour", "Step 1", answers(given, "Next"))
    bar.withdraw("autosave")
    assert bar.text.text() == "Step 1"
    bar.withdraw("tour")
    assert bar.isHidden()


def test_an_answer_may_ask_the_next_question(bar):
    given = []
    bar.ask("tour", "Step 1", [("Next", "", lambda: bar.ask("tour", "Step 2", answers(given, "Done")))])
    bar.buttons[0].click()
    assert bar.text.text() == "Step 2"
