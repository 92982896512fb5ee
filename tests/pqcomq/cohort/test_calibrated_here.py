"""A model that is judged on the image it was calibrated on is told."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pqcomq.backends.runtime import Runtime
from pqcomq.cli.terminal.cohort_output import print_cohort
from pqcomq.cohort.cases.read_case import opened
from pqcomq.cohort.cohort_result import CohortResult
from pqcomq.cohort.report.methods_text import methods_paragraph
from pqcomq.cohort.running.prepare import settings_of
from pqcomq.cohort.running.run import Workers, running
from pqcomq.cohort.scoring.calibrated_here import calibrated_here
from pqcomq.cohort.settings import CohortProtocol
from pqcomq.cohort.statistics.cohort_statistics import CohortStatistics
from pqcomq.progress import finished
from pqcomq.quantization.calibration.slices import calibrate_on
from pqcomq.quantization.files.weights_file import save_weights
from pqcomq.quantization.planning.presets import default_config
from pqcomq.quantization.quantize_model import quantize_model

ONE = Workers(1)


@pytest.fixture(scope="module")
def on_bert(lite_medsam, cases, quick, made_once):
    """Weights that were calibrated on one of the cases."""
    bert = next(each for each in cases.cases if each.name == "bert")

    def make(path):
        _case, volume, _labels = opened(bert, quick)
        work = quantize_model(lite_medsam, calibrate_on([volume], 1), default_config("lite-medsam", 8, "rtn"))
        save_weights(finished(work), path)

    return made_once("on-bert.safetensors", make)


def test_a_case_that_a_model_was_calibrated_on_is_told(cases, on_bert, tmp_path, capsys):
    protocol = CohortProtocol(most_slices=1, protocols=("slice",))
    settings = settings_of([on_bert], runtime=Runtime.torch, protocol=protocol)
    finished(running(cases, settings, tmp_path / "out", ONE))
    result = CohortResult.at(tmp_path / "out")
    assert result.calibrated_here == ["bert"]
    note = result.cases.set_index("case").loc["bert", "notes"]
    assert "Models calibrated on this very image, on which they are then judged: 8-bit Round to nearest" in note
    told = methods_paragraph(result, CohortStatistics.of(result, 0.01))
    assert "A model was calibrated on the images of 1 of these cases." in told and "bert" not in told
    print_cohort(result, 0.01, json=False)
    assert "not judged fairly on them: bert" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("precision", "seen"),
    [("8-bit COMQ", "another"), ("8-bit COMQ, own volume", "this"), ("FP32", None)],
    ids=["on another volume", "on each case's own, as asked for", "full precision"],
)
def test_where_no_model_saw_a_case_unasked_nothing_is_told(precision, seen):
    weights = None if seen is None else SimpleNamespace(calibration={"volumes": [{"voxels_sha256": seen}]})
    model = SimpleNamespace(segmenter=SimpleNamespace(precision=precision), weights=weights)
    assert calibrated_here(SimpleNamespace(sha256="this"), [model]) == ()
