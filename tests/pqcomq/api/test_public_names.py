"""The public names: all there, imported late, typed, and with examples that run."""

from __future__ import annotations

import doctest
import inspect
import re
from importlib.resources import files
from pathlib import Path

import pytest
import SimpleITK as sitk
import torch

import pqcomq
from pqcomq.quantization.quantize_model import quantize_model

PUBLIC = {
    *("read_volume", "load_model", "quantize", "load_weights", "save_weights", "segment", "compare", "evaluate"),
    "evaluate_cohort",
    *("Box3D", "Prompt", "PromptPoint", "Scribble", "QuantizationConfig", "InputError", "Progress", "default_config"),
}
ROOT = Path(__file__).resolve().parents[3]


def test_all_public_names_are_there_and_listed():
    assert set(pqcomq.__all__) == PUBLIC
    assert set(dir(pqcomq)) >= PUBLIC
    for name in PUBLIC:
        assert getattr(pqcomq, name).__doc__, name


def test_a_name_that_is_none_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'quantise'"):
        _ = pqcomq.quantise


@pytest.mark.parametrize("package", ["pqcomq", "napari_pqcomq"])
def test_both_packages_say_that_they_are_typed(package):
    assert (files(package) / "py.typed").is_file()


MODELS_RUN = {"compare", "evaluate", "evaluate_cohort", "quantize", "segment"}


@pytest.fixture(scope="module")
def made():
    return {}


@pytest.fixture
def made_by_an_earlier_example(synthetic, made, monkeypatch):
    """The synthetic CT is drawn once, and what several examples quantize is quantized for the first of them."""

    def quantized(model, calibration, config):
        asked = (config, str(calibration.description))
        if asked not in made:
            made[asked] = yield from quantize_model(model, calibration, config)
        return made[asked]

    monkeypatch.setattr("pqcomq.api.models.quantize_model", quantized)
    monkeypatch.setattr("pqcomq.samples.synthetic_ct.synthetic_ct", lambda: synthetic)


@pytest.mark.usefixtures("made_by_an_earlier_example")
@pytest.mark.parametrize(
    "name", [pytest.param(each, marks=[pytest.mark.slow] * (each in MODELS_RUN)) for each in sorted(PUBLIC)]
)
def test_examples_in_docstrings_give_what_they_say(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    target = getattr(pqcomq, name)
    found = doctest.DocTestFinder(recurse=False).find(target, name, globs={})
    examples = [each for each in found if each.examples]
    if inspect.isfunction(target):
        assert examples, "a public function needs an example"
    for each in examples:
        result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(each)
        assert result.failed == 0


def test_the_examples_on_pages_run_on_the_synthetic_ct(synthetic, quantized, tmp_path, monkeypatch, capsys):
    """What both pages show is run once, with weights made before: other tests wait for them to be made."""
    pytest.importorskip("pandas")

    def made_before(_model, calibration, config):
        assert len(calibration.slices) == 8
        assert config == quantized.settings
        yield pqcomq.Progress(1, 1, "")
        return quantized

    monkeypatch.setattr("pqcomq.api.models.quantize_model", made_before)
    volume = synthetic.volume
    sitk.WriteImage(volume.to_file_grid(volume.voxels), str(tmp_path / "ct.nii.gz"))
    monkeypatch.chdir(tmp_path)
    pages = {page: (ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "docs/python.md")}
    shown = {page: re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL) for page, text in pages.items()}
    assert all(shown.values())
    for block, page in {block: page for page, blocks in shown.items() for block in blocks}.items():
        exec(compile(block, page, "exec"), {})
    assert "dice_between_models" in capsys.readouterr().out
