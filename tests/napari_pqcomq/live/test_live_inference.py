"""Live masks in their thread: the latest question wins, and slices are encoded ahead only while nothing is asked."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QObject

from napari_pqcomq.live import live_inference
from napari_pqcomq.live.live_inference import Answer, LiveInference, Question
from napari_pqcomq.live.live_session import LiveModels, LiveSession
from napari_pqcomq.prompts.objects.prompt_list import PromptList
from pqcomq.errors import InputError
from pqcomq.models.slice_prompt import SlicePrompt
from pqcomq.segmentation.box import Box3D
from pqcomq.segmentation.embedding_cache import EmbeddingCache

BOX = {1: SlicePrompt.of(np.array([1.0, 1.0, 5.0, 5.0]))}
PATIENCE_MS = 10_000


class Runner:
    """Stands for a model: keeps account of what was encoded, and can be held up in an encoding."""

    def __init__(self) -> None:
        self.encoded: list[int] = []
        self.may_encode = threading.Event()
        self.may_encode.set()

    def is_cached(self, z):
        return z in self.encoded

    def encode_ahead(self, z, reach=3):
        for near in sorted(range(z - reach, z + reach + 1), key=lambda near: abs(near - z)):
            if near not in self.encoded:
                assert self.may_encode.wait(PATIENCE_MS / 1e3)
                self.encoded.append(near)
                yield near

    def segment(self, z, box):
        assert z in self.encoded
        return np.full((8, 8), z % 2 == 0)


@pytest.fixture
def runners():
    return [Runner(), Runner()]


@pytest.fixture
def masks(runners, qtbot, monkeypatch):
    monkeypatch.setattr(live_inference, "_IDLE_SECONDS", 0.05)
    masks = LiveInference(lambda: list(runners))
    masks.begin()
    yield masks
    masks.end(patience_seconds=PATIENCE_MS / 1e3)
    assert not masks._thread.is_alive()
    assert not masks._ahead.is_alive(), "a thread that computes at the interpreter's end takes the process with it"


def test_what_it_ran_on_is_let_go_once_it_has_ended(qtbot):
    class Models:
        """Stands for the volume and the models that make the runners."""

        def runners(self):
            return [Runner()]

    models = Models()
    held = weakref.ref(models)
    dock = QObject()
    ended = LiveInference(models.runners, dock)
    del models
    ended.begin()
    with qtbot.waitSignal(ended.destroyed, timeout=PATIENCE_MS):
        ended.end(patience_seconds=PATIENCE_MS / 1e3)
    assert not ended._thread.is_alive()
    assert not dock.children()
    gc.collect()
    assert held() is None


def test_slices_round_the_one_in_sight_are_encoded_with_all_models_the_nearest_first(masks, runners, qtbot):
    masks.look(20)
    qtbot.waitUntil(lambda: all(len(runner.encoded) == 7 for runner in runners), timeout=PATIENCE_MS)
    for runner in runners:
        assert runner.encoded[0] == 20
        assert sorted(runner.encoded) == list(range(17, 24))
        assert [abs(z - 20) for z in runner.encoded] == [0, 1, 1, 2, 2, 3, 3]


def test_a_question_on_an_encoded_slice_does_not_wait_for_what_is_encoded_ahead(masks, runners, qtbot):
    masks.look(20)
    qtbot.waitUntil(lambda: all(20 in runner.encoded for runner in runners), timeout=PATIENCE_MS)
    for runner in runners:
        runner.may_encode.clear()
    with qtbot.waitSignal(masks.answered, timeout=PATIENCE_MS) as answered:
        masks.ask(20, BOX)
    answer = answered.args[0]
    assert not answer.encoded
    assert [found[1].all() for found in answer.masks] == [True, True]
    for runner in runners:
        runner.may_encode.set()


def test_a_slice_is_encoded_once_however_often_it_is_asked_for(masks, runners, qtbot):
    masks.look(20)
    for z in (20, 21, 20):
        with qtbot.waitSignal(masks.answered, timeout=PATIENCE_MS) as answered:
            masks.ask(z, BOX)
        assert answered.args[0].question.z == z
    for runner in runners:
        assert len(runner.encoded) == len(set(runner.encoded))


def test_nothing_is_encoded_ahead_at_rest(masks, runners, qtbot):
    masks.rest()
    qtbot.wait(150)
    assert runners[0].encoded == []
    masks.look(5)
    masks.rest()
    masks.look(9)
    qtbot.waitUntil(lambda: len(runners[1].encoded) == 7, timeout=PATIENCE_MS)
    assert sorted(runners[1].encoded) == list(range(6, 13))


def test_a_failure_is_told(masks, runners, qtbot, monkeypatch):
    def fail(z, box):
        raise ValueError("no memory")

    monkeypatch.setattr(runners[1], "segment", fail)
    with qtbot.waitSignal(masks.failed, timeout=PATIENCE_MS) as failed:
        masks.ask(1, BOX)
    assert "no memory" in failed.args[0]


def test_torch_encodes_nothing_ahead_and_another_runtime_is_asked_anew(lite_medsam, volume):
    on_openvino = replace(lite_medsam, execution=replace(lite_medsam.execution, setting="openvino"))
    torch_side, fast_side = (LiveModels(volume, None, (each,), EmbeddingCache()) for each in (lite_medsam, on_openvino))
    assert not torch_side.looks_ahead
    assert fast_side.looks_ahead
    assert torch_side.is_as(torch_side)
    assert not torch_side.is_as(fast_side)
    other_model = replace(torch_side, segmenters=(replace(lite_medsam, key="lite-medsam-scribble"),))
    assert not torch_side.is_as(other_model)


class FailingModels:
    """Stands for models that cannot be asked."""

    looks_ahead = False

    def __init__(self):
        self.tried = 0

    def is_as(self, other):
        return other is self

    def runners(self):
        self.tried += 1
        raise InputError("There is no memory left.")


def test_after_a_failure_masks_follow_again_as_soon_as_they_are_asked_for(qtbot):
    models, session = FailingModels(), LiveSession(ViewerModel(), SimpleNamespace(is_open=False), PromptList())
    for _time in range(2):
        with qtbot.waitSignal(session.failed) as told:
            session.start(models, {})
        assert told.args == ["There is no memory left."]
        assert not session.is_running
    assert models.tried == 2
    session.release()


def test_after_a_failure_boxes_are_still_shown_and_masks_of_earlier_ones_go(qtbot):
    shown, cleared, objects = [], [], PromptList()
    view = SimpleNamespace(
        is_open=True,
        volume=None,
        sides=2,
        set_objects=lambda objects, *_more: shown.append(objects),
        clear_masks=lambda number, slices: cleared.append((number, slices)),
    )
    session = LiveSession(ViewerModel(), view, objects)
    with qtbot.waitSignal(session.failed):
        session.start(FailingModels(), {})
    objects.add(Box3D(1, 1, 0, 5, 5, 3))
    assert shown[-1] == objects.objects
    session._drawn[1] = {0, 2}
    objects.remove(0)
    assert shown[-1] == ()
    assert cleared[-1] == (1, {0, 2})
    session.release()


def test_what_failed_before_does_not_stop_those_who_follow_now(qtbot):
    session = LiveSession(ViewerModel(), SimpleNamespace(is_open=False), PromptList())
    with qtbot.waitSignal(session.failed):
        session.start(FailingModels(), {})
    before, told = session._masks, []
    session.failed.connect(told.append)
    session._models, session._masks = object(), None  # others follow by now
    before.failed.emit("late")
    assert session.is_running and told == []
    session.release()


class Stand:
    """Stands for an open view of two sides of twelve slices."""

    is_open, sides = True, 2

    def __init__(self):
        grid = SimpleNamespace(shape_zyx=(12, 8, 8), spacing_zyx=(1.0, 1.0, 1.0), origin=(0.0, 0.0, 0.0))
        self.volume = SimpleNamespace(grid=grid)
        self.shown = np.zeros((2, 12, 8, 8), np.uint8)

    def masks(self, z):
        return list(self.shown[:, z].copy())

    def set_masks(self, z, masks):
        self.shown[:, z] = masks

    def clear_masks(self, number, slices):
        for z in slices:
            self.shown[:, z][self.shown[:, z] == number] = 0

    def set_objects(self, *_more):
        pass


class Silent:
    """Models whose answers come when a test gives them."""

    looks_ahead, segmenters, window = False, (), None

    def __init__(self, volume):
        self.volume = volume

    def is_as(self, other):
        return other is self

    def runners(self):
        return []


@pytest.fixture
def asked(qtbot, monkeypatch):
    """A session on slice 4 with a box that was just drawn, and what gives an answer to the question of then."""
    monkeypatch.setattr(LiveInference, "begin", lambda _self: None)
    questions = []
    monkeypatch.setattr(
        LiveInference,
        "ask",
        lambda own, z, prompts: questions.append((own, Question(z, tuple(prompts.items()), time.perf_counter()))),
    )
    monkeypatch.setattr(LiveInference, "end", lambda _self, **_more: None)
    viewer, view, objects = ViewerModel(), Stand(), PromptList()
    viewer.add_image(np.zeros((12, 8, 8), np.uint8))
    viewer.dims.set_current_step(0, 4)
    session = LiveSession(viewer, view, objects)
    session.start(Silent(view.volume), {})
    objects.add(Box3D(1, 1, 2, 5, 5, 6))
    objects.settle()

    def answer(columns=slice(None)):
        inference, question = questions[-1]
        mask = np.zeros((8, 8), bool)
        mask[:, columns] = True
        told = Answer(question, ({number: mask for number, _prompt in question.prompts},) * 2, 5.0, False)
        return lambda: inference.answered.emit(told)

    yield SimpleNamespace(viewer=viewer, view=view, objects=objects, session=session, answer=answer)
    session.release()


def test_an_answer_is_shown_and_so_is_one_that_a_drag_has_overtaken(asked):
    answer = asked.answer()
    asked.objects.set_box(0, Box3D(2, 1, 2, 6, 5, 6))
    answer()
    assert asked.view.shown[:, 4].all(), "the mask follows the box"


def test_an_answer_that_comes_when_its_slice_is_no_longer_the_object_s_is_not_shown(asked):
    answer = asked.answer()
    asked.objects.set_span(0, 5, 6)
    answer()
    assert not asked.view.shown.any()


def test_an_answer_about_an_object_that_is_gone_is_not_given_to_another_of_its_number(asked):
    answer = asked.answer()
    asked.objects.remove(0)
    asked.viewer.dims.set_current_step(0, 5)
    asked.objects.add(Box3D(1, 1, 4, 3, 3, 6))
    asked.objects.settle()
    assert asked.objects.current_prompt.number == 1
    answer()
    assert not asked.view.shown.any()


def test_an_answer_of_models_that_are_asked_no_more_is_not_shown(asked):
    answer = asked.answer()
    asked.session.start(Silent(asked.view.volume), {})
    answer()
    assert not asked.view.shown.any()


def test_a_mask_that_follows_its_box_over_another_s_takes_nothing_of_it(asked):
    asked.view.shown[:, 4, :, 4:] = 2  # of a comparison
    asked.answer(slice(0, 6))()
    assert (asked.view.shown[:, 4, :, :6] == 1).all() and (asked.view.shown[:, 4, :, 6:] == 2).all()
    asked.view.shown[0, 4, 0, 7] = 0  # corrected meanwhile with the eraser
    asked.objects.set_box(0, Box3D(0, 1, 2, 4, 5, 6))
    asked.answer(slice(0, 3))()
    expected = np.zeros((2, 8, 8), np.uint8)
    expected[..., :3], expected[..., 4:] = 1, 2
    expected[0, 0, 7] = 0
    np.testing.assert_array_equal(asked.view.shown[:, 4], expected)
    asked.answer(slice(0, 6))()
    asked.objects.remove(0)
    expected[..., :3] = 0
    np.testing.assert_array_equal(asked.view.shown[:, 4], expected)
