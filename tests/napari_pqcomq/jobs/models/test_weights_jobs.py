"""What the bar says while weights are made."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from napari_pqcomq.jobs.models import weights_jobs
from napari_pqcomq.jobs.models.choices import CalibrationChoice, ModelChoice
from napari_pqcomq.jobs.models.weights_jobs import QuantizeJob
from pqcomq.quantization.planning.presets import default_config


@pytest.mark.parametrize("is_kept", [True, False], ids=["kept on disk", "kept nowhere"])
def test_the_bar_says_what_is_done_before_the_first_step_is_over(monkeypatch, is_kept):
    """A first step of a minute is not to pass for a search on the disk that was over at once."""
    began = []

    def quantize_model(*_given):
        began.append(said[-1])
        yield from ()
        return "weights"

    monkeypatch.setattr(weights_jobs, "quantize_model", quantize_model)
    monkeypatch.setattr(QuantizeJob, "prepared", lambda _self: (None, None))
    disk = SimpleNamespace(
        recall=lambda *_given: None, layers=lambda *_given: nullcontext(), keep=lambda *_given: None, notes=[]
    )
    choices = tuple(ModelChoice("lite-medsam", None, default_config("lite-medsam", bits)) for bits in (8, 2))
    models = SimpleNamespace(take=lambda *_given: None, keep=lambda *_given: None)
    job = QuantizeJob(choices, CalibrationChoice(), None, None, models, on_disk=disk if is_kept else None)
    said = []
    for progress in job.steps():
        said.append(progress.text)
    assert began == ["Quantizing to 8 bits: the first steps", "Quantizing to 2 bits: the first steps"]
