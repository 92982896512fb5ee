"""What the chooser of the runtime offers."""

from __future__ import annotations

from threading import Event

import pytest

from napari_pqcomq.forms import runtime_edit
from napari_pqcomq.forms.runtime_edit import RuntimeEdit
from napari_pqcomq.jobs.models.choices import ModelSettings
from pqcomq.backends.runtime import Runtime

_OBSTACLES = runtime_edit._obstacles
REASON = "runtime openvino-bf16 needs a processor with BF16, which this one has not"


@pytest.fixture
def chooser(qtbot, monkeypatch):
    """On a processor without bfloat16."""
    monkeypatch.setattr(runtime_edit, "_obstacles", lambda: {Runtime.openvino_bf16: REASON})
    chooser = RuntimeEdit(value=Runtime.torch)
    qtbot.addWidget(chooser.native)
    qtbot.waitUntil(lambda: not chooser.is_offered(Runtime.openvino_bf16), timeout=10_000)
    return chooser


def test_the_engine_is_asked_what_this_machine_can_run(monkeypatch):
    monkeypatch.setattr(runtime_edit, "obstacle", lambda runtime: REASON if "bf16" in runtime.value else None)
    assert _OBSTACLES.__wrapped__() == dict.fromkeys((each for each in Runtime if "bf16" in each.value), REASON)


def test_what_this_machine_cannot_run_is_greyed_out_with_the_reason(chooser):
    assert {each for each in Runtime if chooser.is_offered(each)} == set(Runtime) - {Runtime.openvino_bf16}
    assert chooser.reason(Runtime.openvino_bf16) == REASON
    assert "Real low-bit speed" in chooser.reason(Runtime.openvino)


def test_a_runtime_remembered_from_another_machine_gives_way_to_the_fastest_here(chooser):
    chooser.value = Runtime.openvino_bf16
    chooser.show_obstacles({Runtime.openvino_bf16: REASON})
    assert chooser.value is Runtime.auto


def test_an_answer_that_comes_when_the_combo_box_is_gone_is_dropped(qtbot, monkeypatch):
    asked, answer = Event(), Event()

    def slow():
        asked.set()
        answer.wait(10)
        return {Runtime.openvino: REASON}

    monkeypatch.setattr(runtime_edit, "_obstacles", slow)
    told = []
    monkeypatch.setattr(RuntimeEdit, "show_obstacles", lambda self, obstacles: told.append(obstacles))
    chooser = RuntimeEdit(value=Runtime.torch)
    assert asked.wait(10)
    worker = chooser._search._worker
    chooser.native.deleteLater()
    del chooser
    qtbot.wait(50)
    with qtbot.waitSignal(worker.finished):
        answer.set()
    qtbot.wait(50)
    assert told == []


def test_without_openvino_the_tooltip_says_that_torch_is_what_is_left(qtbot, monkeypatch):
    assert ModelSettings().runtime is Runtime.auto
    monkeypatch.setattr(runtime_edit, "find_spec", lambda name: None)
    chooser = RuntimeEdit(value=Runtime.auto)
    qtbot.addWidget(chooser.native)
    assert "OpenVINO is not installed, so torch runs them" in chooser.tooltip
    assert 'pip install "napari-pqcomq[openvino]"' in chooser.tooltip


def test_why_a_choice_is_grey_is_read_in_the_list_itself(chooser):
    """The keyboard passes grey entries over, and with them their tooltips."""
    listed = {chooser.native.itemData(place): chooser.native.itemText(place) for place in range(chooser.native.count())}
    titles, reason = runtime_edit.TITLES, "needs a processor with BF16, which this one has not"
    grey = listed.pop(str(Runtime.openvino_bf16))
    assert grey == f"{titles[Runtime.openvino_bf16]} · {reason}"
    assert all(text == titles[Runtime(runtime)] for runtime, text in listed.items())
    chooser.value = Runtime.openvino
    assert chooser.value is Runtime.openvino
