"""The demo's window: what it quantizes, and with what it goes on."""

from __future__ import annotations

import pytest

from napari_pqcomq import demo
from napari_pqcomq.app.work.workflow import Workflow
from napari_pqcomq.jobs.models import weights_jobs
from pqcomq.cli.demo import DEMO_SLICES
from pqcomq.quantization.planning.presets import default_config, quick_config


@pytest.fixture
def quantizations(monkeypatch, eight_bits):
    """What was quantized, and how; the weights are there at once."""
    asked = []

    def quantize(full, calibration, settings):
        asked.append((len(calibration.slices), settings))
        yield from ()
        return eight_bits

    monkeypatch.setattr(weights_jobs, "quantize_model", quantize)
    return asked


def test_it_quantizes_for_a_first_look_and_compares(qtbot, make_napari_viewer, loaded_once, quantizations, monkeypatch):
    compared = []
    monkeypatch.setattr(Workflow, "compare", lambda workflow: compared.append(workflow.weights.chosen))
    monkeypatch.setattr("napari.Viewer", lambda **options: make_napari_viewer())
    _viewer, dock = demo.open_demo(4)
    qtbot.waitUntil(lambda: bool(compared) and not dock.panels.jobs.is_running)
    assert quantizations == [(DEMO_SLICES, quick_config("lite-medsam", 4))]
    assert quantizations[0][1].budget is None
    assert dock.panels.model.choice.settings == default_config("lite-medsam", 4), "Quantize makes these"
    assert [len(weights) for weights in compared] == [1]
    dock.panels.live.release()
