"""The card beside a weights file, and its entry in the manifest."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import pqcomq
from pqcomq.cli import main
from pqcomq.errors import InputError
from pqcomq.quantization.algorithm.config import METHOD_TITLES, QuantizationConfig
from pqcomq.quantization.files.model_card import card_of, card_path, markdown, write_card
from pqcomq.quantization.files.weights_file import load_weights, read_manifest
from pqcomq.research_only import RESEARCH_ONLY

LAYER = {"bits": 4, "run": 64, "shape": [8, 8], "error": 0.002}


def head(**changes):
    """A manifest as files have it; those of earlier versions have no card."""
    settings = QuantizationConfig(4, budget=4.6).to_dict()
    source = {
        "key": "lite-medsam",
        "checkpoint_name": "a.pth",
        "checkpoint_sha256": "ab" * 32,
        "checkpoint_bytes": 10**7,
    }
    volume = {"modality": "CT", "size_xyz": [120, 126, 164], "spacing_mm_xyz": [1.5, 1.5, 2.0], "slices": [20, 61]}
    return {
        "model": source,
        "quantization": settings,
        "calibration": {"slice_count": 2, "volumes": [volume]},
        "effective_bits": 4.6,
        "layers": {"neck.0": LAYER, "neck.2": LAYER | {"error": 0.004}},
        "versions": {"pqcomq": "0.1.0"},
    } | changes


@pytest.fixture
def weights(tmp_path):
    (tmp_path / "lite-4bit.safetensors").write_bytes(bytes(6_100_000))
    return tmp_path / "lite-4bit.safetensors"


def test_a_card_says_what_from_what_how_and_its_limits(weights):
    path = write_card(weights, head())
    assert path == card_path(weights)
    text = path.read_text(encoding="utf-8")
    for words in (
        "# LiteMedSAM, weights quantized: 4-bit Permutation-COMQ",
        RESEARCH_ONLY,
        "`lite-4bit.safetensors`, 6.1 MB",
        "| 4.600 |",
        "ab" * 32,
        "Apache-2.0",
        "Nature Communications",
        "CT, 120 × 126 × 164 voxels of 1.5 × 1.5 × 2 mm, slices 20, 61",
        "mean 3.00e-03, largest 4.00e-03 in `neck.2`",
        "Nothing yet: `pqcomq cohort` measures",
        "## Limits",
    ):
        assert words in text, words


def test_the_bits_of_codes_are_told_layer_by_layer_where_they_differ(weights):
    mixed = {"a": LAYER | {"shape": [9, 100]}, "b": LAYER | {"bits": 8, "shape": [1, 100]}}
    assert "| of a code | 4 |" in markdown(weights, head())
    assert "| of a code | 4: 90.0 % of the weights, 8: 10.0 % of the weights |" in markdown(weights, head(layers=mixed))
    coded = {"a": {"coding": "entropy", "shape": [10**4, 100], "error": 0.1}, "b": LAYER | {"bits": 8, "shape": [1, 9]}}
    assert "8: less than 0.1 % of the weights, entropy coded: 100.0 %" in markdown(weights, head(layers=coded))


@pytest.mark.parametrize(
    ("key", "prompts"),
    [("medsam", "box"), ("sam-vit-b", "box, points"), ("lite-medsam-scribble", "scribble")],
)
def test_a_card_names_the_prompts_that_the_model_was_trained_for(weights, key, prompts):
    text = markdown(weights, head(model=head()["model"] | {"key": key}))
    assert f"Prompt: {prompts}. Written by" in text


def test_measured_figures_stand_where_nothing_stood(weights):
    text = markdown(weights, head(), ["| Dice |", "| 0.910 (0.33) |"])
    assert "| 0.910 (0.33) |" in text
    assert "Nothing yet" not in text


def test_a_card_is_replaced_only_when_asked(weights):
    write_card(weights, head())
    with pytest.raises(InputError, match="exists already"):
        write_card(weights, head())
    write_card(weights, head(), ["measured"], overwrite=True)
    assert "measured" in card_path(weights).read_text(encoding="utf-8")


@pytest.mark.parametrize("method", METHOD_TITLES)
def test_every_method_has_its_sentence(method):
    stored = {"stored_bits": 3.0} if method == "ecq" else {}
    settings = pqcomq.default_config("lite-medsam", 4, method, **stored)
    assert card_of(head()["model"], settings.to_dict())["how"]


def test_the_card_is_in_the_manifest_and_files_without_it_are_read(saved, quantized, tmp_path):
    manifest = read_manifest(saved)
    assert manifest["card"]["what"] == "LiteMedSAM, weights quantized: 4-bit Permutation-COMQ"
    assert manifest["card"]["use"] == RESEARCH_ONLY
    with safe_open(saved, framework="pt") as stream:
        told = json.loads(stream.metadata()["pqcomq"])
    del told["card"]
    save_file(load_file(saved), tmp_path / "earlier.safetensors", metadata={"pqcomq": json.dumps(told)})
    assert load_weights(tmp_path / "earlier.safetensors").segmenter.fingerprint == quantized.segmenter.fingerprint
    assert markdown(saved, told).partition("\n")[0] == markdown(saved, manifest).partition("\n")[0]


def test_a_card_names_the_version_that_wrote_the_file(saved, tmp_path):
    path = tmp_path / "earlier.safetensors"
    told = read_manifest(saved)
    told["versions"]["pqcomq"] = "0.1.0"
    save_file(load_file(saved), path, metadata={"pqcomq": json.dumps(told)})
    with pytest.raises(SystemExit) as end:
        main(["card", str(path)])
    assert end.value.code == 0
    assert "Written by pqcomq 0.1.0." in card_path(path).read_text(encoding="utf-8")


def test_the_interface_writes_the_card_too_and_checks_it_beforehand(quantized, tmp_path):
    path = tmp_path / "four.safetensors"
    pqcomq.save_weights(quantized, path)
    assert "4-bit Permutation-COMQ" in card_path(path).read_text(encoding="utf-8")
    path.unlink()
    with pytest.raises(InputError, match=r"exists already .*four\.md"):
        pqcomq.save_weights(quantized, path)
    assert not path.exists()
    pqcomq.save_weights(replace(quantized), path, overwrite=True)
