"""What the chooser of the runtime offers, and what the models then run on."""

from __future__ import annotations

import pytest
from qtpy.QtCore import Qt

from napari_pqcomq.jobs.model_cache import ModelCache
from napari_pqcomq.setup import runtime_combo_box
from napari_pqcomq.setup.calibration_panel import CalibrationPanel
from napari_pqcomq.setup.model_panel import ModelPanel
from napari_pqcomq.setup.runtime_combo_box import RuntimeComboBox
from pqcomq.backends.openvino_model import available
from pqcomq.backends.runtime import Runtime
from pqcomq.errors import InputError
from pqcomq.quantization.presets import default_config

_OBSTACLES = runtime_combo_box._obstacles
REASON = "runtime openvino-bf16 needs a processor with BF16, which this one has not"


@pytest.fixture
def chooser(qtbot, monkeypatch):
    """On a processor without bfloat16."""
    monkeypatch.setattr(runtime_combo_box, "_obstacles", lambda: {Runtime.openvino_bf16: REASON})
    chooser = RuntimeComboBox()
    qtbot.addWidget(chooser)
    index = chooser.findData(Runtime.openvino_bf16)
    qtbot.waitUntil(lambda: not chooser.model().item(index).isEnabled(), timeout=10_000)
    return chooser


def test_the_engine_is_asked_what_this_machine_can_run(monkeypatch):
    monkeypatch.setattr(runtime_combo_box, "obstacle", lambda runtime: REASON if "bf16" in runtime.value else None)
    assert _OBSTACLES.__wrapped__() == dict.fromkeys((Runtime.openvino_bf16, Runtime.openvino_int8_bf16), REASON)


def test_what_this_machine_cannot_run_is_greyed_out_with_the_reason(chooser):
    enabled = {chooser.itemData(i) for i in range(chooser.count()) if chooser.model().item(i).isEnabled()}
    assert enabled == set(Runtime) - {Runtime.openvino_bf16}
    assert chooser.itemData(chooser.findData(Runtime.openvino_bf16), Qt.ItemDataRole.ToolTipRole) == REASON


def test_a_runtime_remembered_from_another_machine_gives_way_to_torch(chooser):
    chooser.choose(Runtime.openvino_bf16)
    chooser.show_obstacles({Runtime.openvino_bf16: REASON})
    assert chooser.runtime is Runtime.torch


def test_without_openvino_torch_is_chosen_and_the_tooltip_says_why(qtbot, monkeypatch):
    monkeypatch.setattr(runtime_combo_box, "find_spec", lambda name: None)
    monkeypatch.setattr(runtime_combo_box, "_obstacles", dict)
    chooser = RuntimeComboBox()
    qtbot.addWidget(chooser)
    assert chooser.runtime is Runtime.torch
    assert "OpenVINO is not installed, so torch runs them" in chooser.toolTip()
    assert 'pip install "napari-pqcomq[openvino]"' in chooser.toolTip()


def test_integer_products_need_weights_of_their_own(qtbot):
    panel = ModelPanel(CalibrationPanel())
    qtbot.addWidget(panel)
    panel.bits.setCurrentText("8 bits")
    assert panel.runtime is Runtime.openvino, "low bits at their real speed, where it is installed"
    assert panel.choice.settings == default_config("lite-medsam", 8, "pcomq")
    panel.choose_runtime(Runtime.openvino_int8)
    assert panel.choice.settings == default_config("lite-medsam", 8, integers=True)
    assert not panel.methods.isEnabled()


def test_models_are_compiled_once_and_told_what_runs_them(lite_medsam, eight_bits, finish):
    if not available(Runtime.openvino):
        pytest.skip("OpenVINO does not run here")
    models = ModelCache()
    steps = [step.text for step in models.compared_models(lite_medsam, [eight_bits], Runtime.openvino)]
    assert steps == ["Making FP32 ready for openvino", f"Making {eight_bits.settings.title} ready for openvino"]
    again = models.compared_models(lite_medsam, [eight_bits], Runtime.openvino)
    full, packed = finish(again)
    assert list(models.compared_models(lite_medsam, [eight_bits], Runtime.openvino)) == [], "nothing is left to be done"
    assert full.segmenter.execution.runtime.startswith("OpenVINO")
    assert not packed.simulated
    full, _simulated = finish(models.compared_models(lite_medsam, [eight_bits], Runtime.torch))
    assert full.segmenter is lite_medsam


def test_weights_without_integers_are_refused_in_a_sentence(lite_medsam, eight_bits, finish):
    if not available(Runtime.openvino_int8):
        pytest.skip("OpenVINO has no integer products here")
    with pytest.raises(InputError, match="--integer"):
        finish(ModelCache().compared_models(lite_medsam, [eight_bits], Runtime.openvino_int8))
