"""Saved and loaded again: the same bits. Damaged or foreign: one sentence, and nothing runs."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file

from pqcomq.comparison.compared_model import ComparedModel, check_same_source
from pqcomq.errors import InputError
from pqcomq.quantization.algorithm.coarse_scales import COARSE_PARTS
from pqcomq.quantization.algorithm.config import QuantizationConfig
from pqcomq.quantization.algorithm.gram import weight_matrix
from pqcomq.quantization.algorithm.paired_gram import PairedGram
from pqcomq.quantization.algorithm.quantize_layer import quantize_layer
from pqcomq.quantization.files.module_file import load_module
from pqcomq.quantization.files.weights_file import load_weights, read_manifest, save_weights
from pqcomq.quantization.layer_names import layers_to_quantize
from pqcomq.quantization.planning.mixed_precision import LayerPlan
from pqcomq.quantization.planning.presets import default_config
from pqcomq.quantization.quantize_model import quantize_model
from pqcomq.quantization.quantized_model import QuantizedModel


def rewritten(saved, target, change):
    """A copy of the file whose tensors and manifest ``change`` has had its way with."""
    from safetensors import safe_open

    tensors = load_file(saved)
    with safe_open(saved, framework="pt") as stream:
        manifest = json.loads(stream.metadata()["pqcomq"])
    del manifest["tensors_sha256"]  # as of somebody who makes files of their own
    change(tensors, manifest)
    save_file(tensors, target, metadata={"pqcomq": json.dumps(manifest)})
    return target


def assert_same_bits(loaded, model):
    """All parts of two models hold the same tensors.

    Their outputs need not be the same to the last bit: which order a processor sums in may depend on where in memory
    the weights lie.
    """
    for part, module in model.parts().items():
        state = loaded.parts()[part].state_dict()
        assert state.keys() == module.state_dict().keys()
        for name, tensor in module.state_dict().items():
            assert torch.equal(state[name], tensor), f"{part}.{name}"


@pytest.mark.slow
@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize(("bits", "method"), [(2, "pcomq"), (4, "comq"), (8, "rtn")])
def test_the_loaded_model_gives_the_same_bits(bits, method, lite_medsam, calibration, finish, tmp_path):
    settings = default_config("lite-medsam", bits, method)
    settings = replace(settings, sweeps=min(settings.sweeps, 1))
    model = finish(quantize_model(lite_medsam, calibration, settings))
    path = tmp_path / "weights.safetensors"
    save_weights(model, path)
    loaded = load_weights(path)
    assert_same_bits(loaded.segmenter, model.segmenter)
    image = lite_medsam.transforms.image(calibration.slices[0])
    features, boxes = model.segmenter.embed(image), torch.tensor([[[20.0, 30.0, 180.0, 200.0]]])
    logits = model.segmenter.logits(features, boxes)
    again = loaded.segmenter.logits(loaded.segmenter.embed(image), boxes)
    torch.testing.assert_close(again, logits, rtol=1e-3, atol=1e-3)
    assert loaded.effective_bits == model.effective_bits
    assert loaded.settings == model.settings
    assert loaded.segmenter.fingerprint == model.segmenter.fingerprint


@pytest.mark.slow
def test_granularity_layer_survives_the_file(lite_medsam, calibration, finish, tmp_path):
    settings = replace(QuantizationConfig.plain(8), granularity="layer")
    model = finish(quantize_model(lite_medsam, calibration, settings))
    save_weights(model, tmp_path / "layer.safetensors")
    assert_same_bits(load_weights(tmp_path / "layer.safetensors").segmenter, model.segmenter)


def test_saving_twice_gives_the_same_bytes_and_codes_are_really_packed(quantized, saved, tmp_path):
    again = tmp_path / "again.safetensors"
    save_weights(quantized, again)
    assert again.read_bytes() == saved.read_bytes()
    assert ComparedModel.quantized(quantized).file_bytes == saved.stat().st_size
    stored = sum(
        tensor.numel() * tensor.element_size()
        for name, tensor in load_file(saved).items()
        if name.endswith((".codes", ".permutation", *(f".{part}" for part in COARSE_PARTS)))
    )
    weights = sum(weight.rows * weight.columns for weight in quantized.weights.values())
    assert stored * 8 / weights == pytest.approx(quantized.effective_bits)
    assert stored < weights * 4.6 / 8


def test_large_tensors_that_no_width_is_for_are_stored_in_half(saved, quantized, lite_medsam):
    name = "output_upscaling.0.weight"
    assert load_file(saved)[f"mask_decoder.{name}"].dtype == torch.float16
    assert load_file(saved)["image_encoder.neck.1.weight"].dtype == torch.float32
    own, rounded = (model.mask_decoder.state_dict()[name] for model in (lite_medsam, quantized.segmenter))
    assert torch.equal(rounded, own.half().float())
    assert not torch.equal(rounded, own)
    loaded = load_weights(saved).segmenter.mask_decoder.state_dict()[name]
    assert loaded.dtype == torch.float32
    assert torch.equal(loaded, rounded)


def test_the_manifest_says_what_the_file_is(saved, quantized):
    manifest = read_manifest(saved)
    assert manifest["format"] == 4, "of coarse scales"
    assert manifest["model"]["key"] == "lite-medsam"
    assert manifest["model"]["checkpoint_sha256"] == quantized.segmenter.checkpoint_sha256
    assert manifest["quantization"] == quantized.settings.to_dict()
    assert manifest["calibration"]["slice_count"] == 1
    assert {"pqcomq", "torch"} <= manifest["versions"].keys()
    assert len(manifest["layers"]) == 54 + 47  # image encoder and mask decoder


def test_names_endings_and_existing_files_are_respected(quantized, saved, tmp_path):
    with pytest.raises(InputError, match=r"ends in \.safetensors"):
        save_weights(quantized, tmp_path / "weights.pth")
    before = saved.read_bytes()
    with pytest.raises(InputError, match="exists already"):
        save_weights(quantized, saved)
    assert saved.read_bytes() == before
    with pytest.raises(InputError, match="there is no folder"):
        save_weights(quantized, tmp_path / "none" / "w.safetensors")
    (tmp_path / "older.safetensors").write_bytes(b"older")
    save_weights(quantized, tmp_path / "older.safetensors", overwrite=True)
    assert (tmp_path / "older.safetensors").read_bytes() == before


def test_a_full_disk_leaves_nothing(quantized, tmp_path, monkeypatch):
    import resource
    import signal

    monkeypatch.setattr(signal, "SIGXFSZ", signal.signal(signal.SIGXFSZ, signal.SIG_IGN))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))
    try:
        with pytest.raises(InputError, match="could not be written"):
            save_weights(quantized, tmp_path / "w.safetensors")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("length", [0, 4, 100, 200_000, -1])
def test_truncated_files_are_refused(saved, tmp_path, length):
    path = tmp_path / "cut.safetensors"
    path.write_bytes(saved.read_bytes()[:length])
    with pytest.raises(InputError, match=r"is truncated, damaged or not a safetensors file .*cut\.safetensors"):
        load_weights(path)


def test_a_checkpoint_is_no_quantized_weights_and_what_to_do_with_it_is_told(tmp_path):
    path = tmp_path / "some.pth"
    torch.save({"weight": torch.zeros(3)}, path)
    with pytest.raises(InputError, match=r"no file of quantized weights.* --model MODEL .*'pqcomq models import MODEL"):
        load_weights(path)


def test_foreign_files_are_refused(saved, tmp_path):
    with pytest.raises(InputError, match="no such weights file"):
        load_weights(tmp_path / "none.safetensors")
    foreign = tmp_path / "foreign.safetensors"
    save_file({"a": torch.ones(2)}, foreign)
    with pytest.raises(InputError, match="not one of quantized weights"):
        load_weights(foreign)
    save_file({"a": torch.ones(2)}, foreign, metadata={"pqcomq": "{"})
    with pytest.raises(InputError, match="manifest is damaged"):
        load_weights(foreign)
    save_file({"a": torch.ones(2)}, foreign, metadata={"pqcomq": '{"format": 99}'})
    with pytest.raises(InputError, match="does not know"):
        load_weights(foreign)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"format": 2, "layers": ' + "[" * 100_000,
        '{"format": 2, "layers": ' + "[" * 500 + "]" * 500 + "}",
        '{"format": 2, "model": 1e999}',
        "null",
        "7",
    ],
    ids=lambda text: text[:30],
)
def test_manifests_of_any_nesting_are_refused(tmp_path, text):
    path = tmp_path / "deep.safetensors"
    save_file({"a": torch.ones(2)}, path, metadata={"pqcomq": text})
    for read in (load_weights, read_manifest, lambda path: load_module(path, torch.nn.Linear(2, 2))):
        with pytest.raises(InputError):
            read(path)


TOKEN = "mask_decoder.iou_token.weight"
LAYER = "image_encoder.layers.1.blocks.0.attn.qkv"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t, m: m["model"].update(key="sam3"), "does not know"),
        (lambda t, m: m["model"].update(key="medsam"), "other layers than MedSAM ViT-B has"),
        (lambda t, m: m.pop("quantization"), "manifest is damaged"),
        (lambda t, m: m["model"].update(key=["lite-medsam"]), "manifest is damaged"),
        (lambda t, m: m["model"].update(checkpoint_name="../../secret"), "manifest is damaged"),
        (lambda t, m: m["model"].update(checkpoint_bytes="many"), "manifest is damaged"),
        (lambda t, m: m.update(calibration={}), "manifest is damaged"),
        (lambda t, m: m["calibration"]["volumes"][0].update(size_xyz="large"), "manifest is damaged"),
        (lambda t, m: m["quantization"].update(bits=7), "manifest is damaged"),
        (lambda t, m: m["quantization"].update(sweeps=[1]), "manifest is damaged"),
        (lambda t, m: m["quantization"].update(decoder="yes"), "manifest is damaged"),
        (lambda t, m: m["calibration"].pop("slice_count"), "manifest is damaged"),
        (lambda t, m: m["model"].update(checkpoint_bytes=-1), "manifest is damaged"),
        (lambda t, m: m["layers"]["neck.0"].update(error="1"), "manifest is damaged"),
        (lambda t, m: m["layers"]["neck.0"].update(bits=2), "do not fit"),
        (lambda t, m: m["layers"]["neck.0"].update(run=0), "a run of 0 columns"),
        (lambda t, m: m.update(layers=[]), "manifest is damaged"),
        (lambda t, m: t.pop(f"{LAYER}.scale_rows"), "is missing"),
        (lambda t, m: t.update({f"{LAYER}.scale_steps": t[f"{LAYER}.scale_steps"][:5]}), "do not fit"),
        (lambda t, m: t[f"{LAYER}.scale_rows"].fill_(127), "do not fit"),
        (lambda t, m: t[f"{LAYER}.permutation"].zero_(), "do not fit"),
        (lambda t, m: t.pop("mask_decoder.iou_token.weight"), "is missing or has another shape"),
        (lambda t, m: t["mask_decoder.iou_token.weight"].fill_(float("inf")), "not finite"),
        (lambda t, m: t.update({TOKEN: t[TOKEN].to(torch.complex64)}), "holds complex numbers, the network's are real"),
        (lambda t, m: t.update({TOKEN: t[TOKEN].int()}), "holds whole numbers, the network's are real"),
        (lambda t, m: t.update(stowaway=torch.ones(1)), "does not have, for one 'stowaway'"),
    ],
)
def test_damaged_content_is_refused(saved, tmp_path, change, message):
    path = rewritten(saved, tmp_path / "damaged.safetensors", change)
    with pytest.raises(InputError, match=message) as error:
        load_weights(path)
    assert path.name in str(error.value)
    assert "\n" not in str(error.value)


def test_weights_of_another_model_or_checkpoint_are_not_compared(quantized, lite_medsam):
    check_same_source(lite_medsam, quantized)
    with pytest.raises(InputError, match="another checkpoint"):
        check_same_source(replace(lite_medsam, checkpoint_sha256="0" * 64), quantized)
    with pytest.raises(InputError, match="is for LiteMedSAM, not for MedSAM"):
        check_same_source(replace(lite_medsam, key="medsam", title="MedSAM ViT-B"), quantized)


@pytest.fixture(scope="module")
def entropy_coded(lite_medsam):
    """LiteMedSAM at 3 stored bits, as if all inputs counted alike."""
    settings = default_config("lite-medsam", 8, "ecq", stored_bits=3.0)
    layers = layers_to_quantize(lite_medsam, decoder=True)
    results = {}
    for name, layer in layers.items():
        grams = PairedGram.empty(weight_matrix(layer).shape[1])
        way = LayerPlan(8, 64, 3.0 if layer.weight.numel() > 5000 else None).settings(settings)
        results[name] = quantize_layer(layer, grams, way)
    return QuantizedModel.of(lite_medsam, results, settings, {"slice_count": 0, "volumes": []})


@pytest.mark.slow
def test_an_entropy_coded_model_comes_back_as_it_was_in_the_bits_that_it_tells(entropy_coded, tmp_path):
    path = tmp_path / "coded.safetensors"
    save_weights(entropy_coded, path)
    loaded = load_weights(path)
    assert_same_bits(loaded.segmenter, entropy_coded.segmenter)
    assert loaded.segmenter.fingerprint == entropy_coded.segmenter.fingerprint
    assert loaded.segmenter.precision == "3 bits stored, entropy coded"
    save_weights(loaded, tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()
    assert read_manifest(path)["format"] == 3
    assert entropy_coded.effective_bits == pytest.approx(3.0, abs=0.1)
    compared = ComparedModel.quantized(entropy_coded)
    assert 2.8 < compared.code_bits < compared.effective_bits
    beside_codes = path.stat().st_size - entropy_coded.effective_bits * 9_617_920 / 8
    assert beside_codes < 0.7e6  # biases, norms, relative positions and what no width is for


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t, m: t.pop("entropy_stream.medians"), "'entropy_stream.medians' is missing"),
        (lambda t, m: t.update({"entropy_stream.words": t["entropy_stream.words"][1:]}), "their checksum is another"),
        (lambda t, m: t["entropy_stream.frequencies"].add_(1), "their checksum is another"),
        (lambda t, m: m.pop("entropy_stream"), "their checksum is another"),
        (lambda t, m: m["layers"]["neck.0"].update(coding="packed"), "manifest is damaged"),
    ],
)
def test_damaged_entropy_coded_content_is_refused(entropy_coded, tmp_path, change, message):
    save_weights(entropy_coded, tmp_path / "coded.safetensors")
    changed = rewritten(tmp_path / "coded.safetensors", tmp_path / "damaged.safetensors", change)
    with pytest.raises(InputError, match=message):
        load_weights(changed)
