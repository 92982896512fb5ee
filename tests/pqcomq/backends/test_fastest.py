"""``auto``: what is taken, what is passed over, and what is remembered of it."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from contextlib import suppress

import pytest

from pqcomq.backends import fastest, remembered_checks, self_check
from pqcomq.backends.obstacle import available
from pqcomq.backends.openvino_model import on_runtime
from pqcomq.backends.runtime import Arithmetic, Runtime, Taken
from pqcomq.errors import InputError
from pqcomq.models.execution import Execution

WRONG = "runtime openvino-bf16-widened computes wrongly on this machine"


@pytest.fixture
def everything(monkeypatch):
    """A machine that has every runtime, and computes rightly on all but those named."""
    faults: dict[Runtime, str] = {}
    monkeypatch.setattr(fastest, "obstacle", lambda runtime: None)
    monkeypatch.setattr(fastest, "remembered_fault", lambda runtime, find: faults.get(runtime))
    return faults


@pytest.fixture
def checks(tmp_path, monkeypatch):
    """A file of the test's own."""
    path = tmp_path / "cache" / "runtimes.json"
    monkeypatch.setattr(remembered_checks, "checks_file", lambda: path)
    return path


@pytest.mark.parametrize("runtime", [each for each in Runtime.settings() if not each.device])
def test_a_user_s_choice_stands(runtime, everything):
    everything[runtime] = WRONG
    assert fastest.settled(runtime, []) == Taken(runtime)


def test_the_fastest_is_taken_and_full_precision_stays_in_float32(everything):
    taken = fastest.settled(Runtime.auto, [object()])
    assert taken.runtime is Runtime.openvino_bf16_widened
    assert taken.why == "Fastest here: openvino-bf16-widened."
    assert taken.in_full_precision.runtime is Runtime.openvino
    assert "computed in FP32" in taken.in_full_precision.why
    assert Arithmetic.of(taken.in_full_precision.runtime).floats == "f32"
    assert fastest.settled(Runtime.auto, []).runtime is Runtime.openvino


def test_what_computes_wrongly_gives_way_and_is_named(everything):
    everything[Runtime.openvino_bf16_widened] = WRONG
    taken = fastest.settled(Runtime.auto, [object()])
    assert taken.runtime is Runtime.openvino_widened
    assert taken.why.endswith(f"({WRONG}).")
    assert taken.why.count(". ") == 0, "one sentence"


def test_torch_remains_where_nothing_else_computes_rightly(everything):
    everything.update(dict.fromkeys(Runtime, WRONG))
    taken = fastest.settled(Runtime.auto, [object()])
    assert taken == Taken(Runtime.torch, f"Torch, which runs everywhere ({WRONG}).")
    assert taken.in_full_precision.runtime is Runtime.torch


def test_without_openvino_torch_is_taken_and_the_reason_told(lite_medsam, without_openvino, checks):
    without_openvino()
    ran = on_runtime(lite_medsam, Runtime.auto)
    assert ran.image_encoder is lite_medsam.image_encoder
    assert ran.execution.setting == "torch"
    taken = fastest.settled(Runtime.auto, [object()])
    assert taken.why.startswith("Torch, which runs everywhere (runtime openvino needs OpenVINO, which is not installed")
    assert not checks.exists(), "there was nothing to try"


def test_an_openvino_that_does_not_work_gives_way_to_torch(lite_medsam, monkeypatch, checks):
    openvino = pytest.importorskip("openvino")

    def fails():
        raise RuntimeError("Exception from core_impl.cpp:1:\nCannot load library openvino_intel_cpu")

    monkeypatch.setattr(openvino, "Core", fails)
    assert on_runtime(lite_medsam, Runtime.auto).execution.setting == "torch"
    taken = fastest.settled(Runtime.auto, [object()])
    assert "needs OpenVINO, which does not work here (Cannot load library openvino_intel_cpu)" in taken.why
    with pytest.raises(InputError, match=r"does not work here \(Cannot load .*\); choose torch$"):
        on_runtime(lite_medsam, Runtime.openvino)
    assert not checks.exists(), "there was nothing to try"


def test_a_model_says_what_was_taken_and_why(lite_medsam):
    if not available(Runtime.openvino):
        pytest.skip("OpenVINO does not run here")
    execution = on_runtime(lite_medsam, Runtime.auto).execution
    assert (execution.setting, execution.activations) == ("openvino", "FP32")
    assert "computed in FP32" in execution.why
    assert Execution.from_dict(execution.to_dict()).why == execution.why
    without = {key: value for key, value in execution.to_dict().items() if key != "why"}
    assert Execution.from_dict(without) == execution, "older files say nothing of it; it is part of no comparison"


class TestSelfCheck:
    @pytest.mark.parametrize(
        "runtime",
        [
            pytest.param(each, marks=[pytest.mark.slow] * (each is not Runtime.openvino))
            for each in Runtime.settings()
            if each.on_openvino
        ],
    )
    def test_every_runtime_that_can_run_here_computes_what_torch_does(self, runtime):
        if not available(runtime):
            pytest.skip(f"{runtime.value} does not run here")
        with suppress(remembered_checks.NotTriedError):  # instructions may be lacking, not sums wrong
            assert self_check.fault(runtime) is None

    def test_wrong_products_are_found(self, monkeypatch):
        if not available(Runtime.openvino):
            pytest.skip("OpenVINO does not run here")
        from pqcomq.backends import graph_ops

        right = graph_ops.packed

        def off_by_a_scale(weight):
            from openvino import opset13 as op

            return op.multiply(right(weight), graph_ops.float_constant(1.02))

        monkeypatch.setattr(graph_ops, "packed", off_by_a_scale)
        problem = self_check.fault(Runtime.openvino)
        assert problem is not None
        assert "runtime openvino computes wrongly on this machine" in problem
        assert "\n" not in problem

    def test_what_cannot_be_compiled_is_told_in_one_line(self, monkeypatch):
        if not available(Runtime.openvino):
            pytest.skip("OpenVINO does not run here")
        import openvino

        class Core:
            def compile_model(self, *_):
                raise RuntimeError("Exception from src:\ncould not create a primitive")

        monkeypatch.setattr(openvino, "Core", Core)
        with pytest.raises(remembered_checks.NotTriedError) as raised:
            self_check.fault(Runtime.openvino)
        problem = str(raised.value)
        assert "could not create a primitive" in problem
        assert "\n" not in problem


class TestRemembered:
    def test_each_runtime_is_tried_once(self, checks):
        asked = []

        def find(runtime):
            asked.append(runtime)
            return WRONG if runtime is Runtime.openvino_bf16_widened else None

        for _ in range(2):
            assert remembered_checks.remembered_fault(Runtime.openvino, find) is None
            assert remembered_checks.remembered_fault(Runtime.openvino_bf16_widened, find) == WRONG
        assert asked == [Runtime.openvino, Runtime.openvino_bf16_widened]
        content = json.loads(checks.read_text())
        assert content["faults"] == {"openvino": None, "openvino-bf16-widened": WRONG}
        assert content["machine"]["versions"].keys() >= {"pqcomq", "torch", "openvino"}

    @pytest.mark.parametrize(
        "text",
        ["", "{", "[]", '{"format": 0}', '{"format": 1, "machine": {}, "faults": {"openvino": "of another machine"}}'],
    )
    def test_damaged_and_foreign_files_are_made_anew(self, checks, text):
        checks.parent.mkdir()
        checks.write_text(text)
        assert remembered_checks.remembered_fault(Runtime.openvino, lambda runtime: None) is None
        assert json.loads(checks.read_text())["faults"] == {"openvino": None}

    @pytest.mark.parametrize("faults", [[], {"openvino": 3}, None])
    def test_a_damaged_entry_is_no_answer(self, checks, faults):
        remembered_checks.remembered_fault(Runtime.openvino, lambda runtime: None)
        content = json.loads(checks.read_text()) | {"faults": faults}
        checks.write_text(json.dumps(content))
        assert remembered_checks.remembered_fault(Runtime.openvino, lambda runtime: WRONG) == WRONG

    def test_a_failure_is_told_and_tried_again_another_time(self, checks):
        def out_of_memory(runtime):
            raise remembered_checks.NotTriedError("runtime openvino failed on a small network: bad allocation")

        told = remembered_checks.remembered_fault(Runtime.openvino, out_of_memory)
        assert told == "runtime openvino failed on a small network: bad allocation"
        assert not checks.exists()
        assert remembered_checks.remembered_fault(Runtime.openvino, lambda runtime: None) is None

    def test_another_processor_is_asked_again(self, checks, monkeypatch):
        remembered_checks.remembered_fault(Runtime.openvino, lambda runtime: WRONG)
        monkeypatch.setattr(remembered_checks, "cpu_name", lambda: "Another processor")
        assert remembered_checks.remembered_fault(Runtime.openvino, lambda runtime: None) is None

    def test_a_folder_that_cannot_be_made_costs_nothing_but_time(self, checks):
        checks.parent.write_text("a file where the folder should be")
        assert remembered_checks.remembered_fault(Runtime.openvino, lambda runtime: WRONG) == WRONG


@pytest.mark.slow
@pytest.mark.skipif(platform.machine().lower() not in ("x86_64", "amd64"), reason="not an x86 processor")
def test_a_processor_with_less_is_given_what_it_has():
    """Newer processors are asked to do without what they have; the library still promises bfloat16 then."""
    if not available(Runtime.openvino):
        pytest.skip("OpenVINO does not run here")
    code = (
        "from pathlib import Path; from pqcomq.backends import fastest, remembered_checks as kept;"
        "kept.checks_file = lambda: Path('nowhere') / 'runtimes.json'; kept._write = lambda faults: None;"
        "print(fastest.settled(fastest.Runtime.auto, [1]).runtime.value)"
    )
    limited = os.environ | {"ONEDNN_MAX_CPU_ISA": "AVX2"}
    ran = subprocess.run([sys.executable, "-c", code], env=limited, capture_output=True, text=True, check=True)
    assert ran.stdout.split()[-1] == "openvino-widened"
