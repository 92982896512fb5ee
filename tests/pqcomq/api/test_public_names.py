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
from pqcomq.samples.synthetic_ct import synthetic_ct

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


@pytest.mark.slow
@pytest.mark.parametrize("page", ["README.md", "docs/python.md"])
def test_the_examples_on_pages_run_on_the_synthetic_ct(page, tmp_path, monkeypatch, capsys):
    pytest.importorskip("pandas")
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    assert blocks
    volume = synthetic_ct().volume
    sitk.WriteImage(volume.to_file_grid(volume.voxels), str(tmp_path / "ct.nii.gz"))
    monkeypatch.chdir(tmp_path)
    for block in blocks:
        exec(compile(block, page, "exec"), {})
    assert "dice_between_models" in capsys.readouterr().out
