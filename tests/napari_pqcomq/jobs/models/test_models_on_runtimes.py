"""What models run on once they are made ready for a runtime."""

from __future__ import annotations

import pytest

from napari_pqcomq.jobs.models.model_cache import ModelCache
from pqcomq.backends.obstacle import available
from pqcomq.backends.runtime import Runtime
from pqcomq.errors import InputError


def test_models_are_compiled_once_and_told_what_runs_them(lite_medsam, eight_bits, finish):
    if not available(Runtime.openvino):
        pytest.skip("OpenVINO does not run here")
    models = ModelCache()
    steps = [step.text for step in models.compared_models(lite_medsam, [eight_bits], Runtime.openvino)]
    assert steps == ["Making FP32 ready", f"Making {eight_bits.settings.title} ready"]
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
