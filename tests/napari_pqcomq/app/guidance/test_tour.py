"""The tour: offered once, by clicks from step to step, never in the way of who knows what to do."""

from __future__ import annotations

import pytest
from napari.layers import Layer
from qtpy.QtCore import Qt

from napari_pqcomq.app.guidance.tour import Tour
from napari_pqcomq.app.panels.steps import Steps
from napari_pqcomq.app.remembered.preferences import Preferences
from napari_pqcomq.layers.volume_layers import image_tuple


@pytest.fixture
def made(panels, viewer, volume, workflow, qtbot):
    steps = Steps(panels)
    qtbot.addWidget(steps)
    qtbot.addWidget(panels.question)
    panels.question.show()
    tour = Tour(panels, steps, lambda: viewer.add_layer(Layer.create(*image_tuple(volume))))
    return tour, steps, panels.question


def press(qtbot, question, title):
    button = next(each for each in question.buttons if each.text() == title)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_five_steps_from_the_sample_to_the_results(made, panels, qtbot):
    tour, steps, question = made
    tour.offer()
    press(qtbot, question, "Show me")
    assert panels.volume.volume is not None, "the sample is open"
    texts = []
    for _step in range(5):
        assert question.isVisible()
        texts.append(question.text.text())
        press(qtbot, question, "Done" if len(texts) == 5 else "Next")
    assert [text[:6] for text in texts] == [f"{number} of 5" for number in range(1, 6)]
    assert not any(step.is_folded for step in (steps.volume, steps.model, steps.objects))
    assert question.isHidden()


def test_it_is_offered_once(made, panels, qtbot):
    tour, _steps, question = made
    tour.offer()
    press(qtbot, question, "No, thanks")
    assert question.isHidden()
    Preferences(panels, tour).keep()
    again = Tour(panels, _steps, lambda: None)
    Preferences(panels, again).restore()
    again.offer()
    assert question.isHidden()


def test_who_opens_a_volume_is_not_kept_from_it(made, panels, viewer, volume):
    tour, _steps, question = made
    tour.offer()
    assert question.isVisible()
    viewer.add_layer(Layer.create(*image_tuple(volume)))
    assert question.isHidden()
    tour.offer()
    assert question.isHidden()


def test_while_a_question_is_asked_the_steps_make_room_for_it(made, panels):
    _tour, steps, question = made
    question.asked.connect(steps.make_room)
    steps.volume.fold(False)
    question.ask("somebody", "Go on?", (("Go on", "", lambda: None),))
    assert [step.is_folded for step in (steps.volume, steps.model, steps.objects)] == [False, True, True]
    steps.model.fold(False)  # by the user
    question.ask("another", "Which?", (("This", "", lambda: None),))
    assert not steps.model.is_folded
    question.buttons[0].click()
    assert steps.objects.is_folded, "the first is still asked"
    question.buttons[0].click()
    assert not any(step.is_folded for step in (steps.volume, steps.model, steps.objects))
