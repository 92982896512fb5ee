"""Files that say one thing and hold another are refused by their header, before anything is made room for."""

from __future__ import annotations

import json
import re

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from pqcomq.errors import InputError
from pqcomq.quantization.algorithm.config import QuantizationConfig
from pqcomq.quantization.files import weights_file
from pqcomq.quantization.files.module_file import load_module, save_module
from pqcomq.quantization.files.packed_file import PackedFile
from pqcomq.quantization.files.weights_file import load_weights
from pqcomq.quantization.planning.presets import default_config
from pqcomq.quantization.quantize_module import quantize_module


def network():
    torch.manual_seed(4)
    return nn.Sequential(nn.Linear(70, 50), nn.GELU(), nn.Linear(50, 9)).eval()


def wide_network():
    return nn.Sequential(nn.Linear(90, 80), nn.GELU(), nn.Linear(80, 9)).eval()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A packed and an entropy-coded file of a small network."""
    from pqcomq.progress import finished

    folder = tmp_path_factory.mktemp("files")
    for name, config in {
        "packed": default_config(None, 4).altered(["group_size=32"]),
        "coarse": default_config(None, 4).altered(["scales=coarse", "bits=3", "group_size=30"]),
        "coded": default_config(None, 8, "ecq", stored_bits=3.0),
    }.items():
        wide = wide_network() if name == "coded" else network()
        made = finished(quantize_module(wide, [torch.randn(200, 90 if name == "coded" else 70)], config))
        save_module(made, folder / f"{name}.safetensors")
    return folder


def changed(source, target, change):
    tensors = load_file(source)
    with safe_open(source, framework="pt") as stream:
        manifest = json.loads(stream.metadata()["pqcomq"])
    del manifest["tensors_sha256"]  # as of somebody who makes files of their own
    change(tensors, manifest)
    save_file(tensors, target, metadata={"pqcomq": json.dumps(manifest)})
    return target


@pytest.mark.parametrize("name", ["packed", "coarse", "coded"])
def test_a_bit_that_turned_anywhere_in_the_weights_is_told(files, tmp_path, name):
    whole = (files / f"{name}.safetensors").read_bytes()
    begin, path = 8 + int.from_bytes(whole[:8], "little"), tmp_path / "turned.safetensors"
    for place in (begin, (begin + len(whole)) // 2, len(whole) - 2):
        turned = bytearray(whole)
        turned[place] ^= 1
        path.write_bytes(turned)
        with pytest.raises(InputError, match="not those that were written"):
            load_module(path, wide_network() if name == "coded" else network())


def entry(**values):
    return lambda _tensors, manifest: manifest["layers"]["0"].update(values)


def tensor(name, change):
    return lambda tensors, _manifest: tensors.update({name: change(tensors[name]).contiguous()})


def padded(codes):
    """Something in the upper half of bytes, where 33 columns leave one empty."""
    return codes | 0xF0


PACKED = {
    "bits as text": (entry(bits="4"), "manifest is damaged"),
    "bits as truth": (entry(bits=True), "manifest is damaged"),
    "bits of none": (entry(bits=7), "manifest is damaged"),
    "three bits": (entry(bits=3), "do not fit"),
    "scales unknown": (entry(scales="fine"), "manifest is damaged"),
    "scales of another": (entry(scales="coarse"), "'0.scale_rows' is missing"),
    "another width": (entry(bits=2), "do not fit"),
    "no run": (entry(run=0), "a run of 0 columns"),
    "run beyond": (entry(run=10**9), "a run of 1000000000 columns"),
    "run broken": (entry(run=31.5), "manifest is damaged"),
    "shape missing": (lambda _t, m: m["layers"]["0"].pop("shape"), "manifest is damaged"),
    "shape of text": (entry(shape="50"), "manifest is damaged"),
    "shape of three": (entry(shape=[50, 7, 10]), "no layer of shape"),
    "shape empty": (entry(shape=[0, 70]), "no layer of shape"),
    "shape huge": (entry(shape=[2**20, 2**20]), "no layer of shape"),
    "shape of another": (entry(shape=[70, 50]), "do not fit"),
    "error of text": (entry(error="small"), "manifest is damaged"),
    "error not finite": (entry(error=float("nan")), "manifest is damaged"),
    "range reversed": (entry(input_range=[1.0, -1.0]), "manifest is damaged"),
    "range not finite": (entry(input_range=[0, float("inf")]), "manifest is damaged"),
    "coding unknown": (entry(coding="zip"), "manifest is damaged"),
    "coding of another": (entry(coding="entropy"), "'entropy_stream.words' is missing"),
    "no layers": (lambda _t, m: m.update(layers={}), "manifest is damaged"),
    "layers a list": (lambda _t, m: m.update(layers=[1]), "manifest is damaged"),
    "layer a list": (lambda _t, m: m["layers"].update({"0": []}), "manifest is damaged"),
    "settings a list": (lambda _t, m: m.update(quantization=[]), "manifest is damaged"),
    "codes missing": (lambda t, _m: t.pop("0.codes"), "'0.codes' is missing"),
    "codes of another type": (tensor("0.codes", lambda each: each.to(torch.int8)), "I8 .* instead of U8"),
    "codes too short": (tensor("0.codes", lambda each: each[:, :-1]), "do not fit"),
    "scale of another type": (tensor("0.scale", lambda each: each.float()), "F32 .* instead of F16"),
    "scale complex": (tensor("0.scale", lambda each: each.to(torch.complex64)), "do not fit|not a safetensors"),
    "scale negative": (tensor("0.scale", lambda each: -each), "a scale is not a positive number"),
    "scale zero": (tensor("0.scale", torch.zeros_like), "a scale is not a positive number"),
    "scale not finite": (tensor("0.scale", lambda each: each / 0), "a scale is not a positive number"),
    "zero-point not finite": (tensor("0.zero_point", lambda each: each * float("nan")), "zero-point is not finite"),
    "zero-point no code": (
        tensor("0.zero_point", lambda each: torch.full_like(each, 16, dtype=torch.uint8)),
        "a zero-point does not fit 4 bits",
    ),
    "zero-point of another shape": (tensor("0.zero_point", lambda each: each[:, :1]), "do not fit"),
    "permutation twice": (tensor("0.permutation", torch.zeros_like), "its permutation is none"),
    "permutation beyond": (tensor("0.permutation", lambda each: each + 1), "its permutation is none"),
    "permutation broken": (tensor("0.permutation", lambda each: each.float()), "do not fit"),
    "permutation short": (tensor("0.permutation", lambda each: each[:-1]), "do not fit"),
    "both forms": (lambda t, _m: t.update({"0.weight": torch.ones(50, 70)}), "twice, quantized and not"),
    "odd type": (
        lambda t, _m: t.update({"0.bias": t["0.bias"].to(torch.complex64)}),
        "holds complex numbers, the network's are real",
    ),
    "stowaway": (lambda t, _m: t.update(stowaway=torch.ones(1)), "does not have, for one 'stowaway'"),
    "bias missing": (lambda t, _m: t.pop("2.bias"), "'2.bias' is missing"),
}

COARSE = {
    "free scales": (lambda _t, m: m["layers"]["0"].pop("scales"), "'0.scale' is missing"),
    "another width": (entry(bits=4), "do not fit"),
    "rows missing": (lambda t, _m: t.pop("0.scale_rows"), "'0.scale_rows' is missing"),
    "rows of another type": (tensor("0.scale_rows", lambda each: each.short()), "I16 .* instead of I8"),
    "rows too few": (tensor("0.scale_rows", lambda each: each[:-1]), "do not fit"),
    "rows too large": (tensor("0.scale_rows", lambda each: each * 0 + 127), "a scale is not a positive number"),
    "rows too small": (tensor("0.scale_rows", lambda each: each * 0 - 128), "a scale is not a positive number"),
    "rows too high": (tensor("0.scale_rows", lambda each: each - 20), "not written as they should"),
    "steps too few": (tensor("0.scale_steps", lambda each: each[:-1]), "do not fit"),
    "steps all the same": (tensor("0.scale_steps", lambda each: torch.full_like(each, 255)), "not written as"),
    "zero-points missing": (lambda t, _m: t.pop("0.zero_point_steps"), "'0.zero_point_steps' is missing"),
    "zero-points padded": (tensor("0.zero_point_steps", padded), "not written as they should be"),
    "stowaway": (lambda t, _m: t.update({"0.scale": torch.ones(50, 3)}), "does not have, for one '0.scale'"),
}

CODED = {
    "words missing": (lambda t, _m: t.pop("entropy_stream.words"), "'entropy_stream.words' is missing"),
    "words of another type": (tensor("entropy_stream.words", lambda each: each.short()), "another type"),
    "words square": (tensor("entropy_stream.words", lambda each: each[None]), "another shape"),
    "tables fewer": (tensor("entropy_stream.tables", lambda each: each[:5]), "another shape"),
    "tables beyond": (tensor("entropy_stream.tables", lambda each: each * 2), "checksum is another"),
    "medians fewer": (tensor("entropy_stream.medians", lambda each: each[:0]), "another shape"),
    "checksum missing": (lambda _t, m: m.update(entropy_stream=3), "checksum is another"),
    "shape of another": (entry(shape=[90, 80]), "do not fit the model's"),
}


@pytest.mark.parametrize("trouble", PACKED)
def test_a_packed_file_that_does_not_fit_is_refused(files, tmp_path, trouble):
    change, message = PACKED[trouble]
    path = changed(files / "packed.safetensors", tmp_path / "hostile.safetensors", change)
    with pytest.raises(InputError, match=message) as error:
        load_module(path, network())
    assert "hostile.safetensors" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("trouble", COARSE)
def test_coarse_scales_that_do_not_fit_are_refused(files, tmp_path, trouble):
    change, message = COARSE[trouble]
    path = changed(files / "coarse.safetensors", tmp_path / "hostile.safetensors", change)
    with pytest.raises(InputError, match=message):
        load_module(path, network())


@pytest.mark.parametrize("trouble", CODED)
def test_an_entropy_coded_file_that_does_not_fit_is_refused(files, tmp_path, trouble):
    change, message = CODED[trouble]
    path = changed(files / "coded.safetensors", tmp_path / "hostile.safetensors", change)
    with pytest.raises(InputError, match=message):
        load_module(path, nn.Sequential(nn.Linear(90, 80), nn.GELU(), nn.Linear(80, 9)))


def test_rows_are_padded_with_zeros_and_nothing_else(tmp_path, finish):
    odd = nn.Sequential(nn.Linear(33, 8)).eval()
    config = QuantizationConfig(4, group_size=32)
    save_module(finish(quantize_module(odd, [torch.randn(50, 33)], config)), tmp_path / "odd.safetensors")
    path = changed(tmp_path / "odd.safetensors", tmp_path / "hostile.safetensors", tensor("0.codes", padded))
    with pytest.raises(InputError, match="padded with something else than zeros"):
        load_module(path, odd)


def header(tensors, manifest):
    """A file's bytes with a header as written, whatever it says."""
    text = json.dumps({"__metadata__": {"pqcomq": manifest}} | tensors).encode()
    return len(text).to_bytes(8, "little") + text


@pytest.mark.parametrize(
    "content",
    [
        (2**63).to_bytes(8, "little"),
        (2**62).to_bytes(8, "little") + b"{}",
        header({"a": {"dtype": "U8", "shape": [2**40], "data_offsets": [0, 2**40]}}, "{}"),
        header({"a": {"dtype": "F32", "shape": [2**33, 2**33], "data_offsets": [0, 4]}}, "{}") + bytes(4),
        header({"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}, "{}") + bytes(4),
        header({"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}}, "{}") + bytes(4),
        header({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, "{}") + bytes(400),
    ],
    ids=["length", "beyond", "more than there is", "overflow", "negative", "backwards", "rest"],
)
def test_a_header_that_lies_about_sizes_is_refused(tmp_path, content):
    path = tmp_path / "hostile.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError, match="is truncated, damaged or not a safetensors file"):
        load_weights(path)


def test_a_manifest_nested_beyond_measure_is_refused(tmp_path):
    save_file({"a": torch.ones(1)}, tmp_path / "deep.safetensors", metadata={"pqcomq": "[" * 200_000})
    with pytest.raises(InputError, match="manifest is damaged"):
        PackedFile.open(tmp_path / "deep.safetensors")


def test_a_few_bytes_do_not_make_room_for_a_large_model(tmp_path, monkeypatch):
    """A file that names SAM ViT-H and holds one layer of it."""
    monkeypatch.setattr(weights_file, "empty_model", lambda *_: pytest.fail("2.5 GB were made room for"))
    layer = {"bits": 8, "run": 64, "shape": [64, 64], "error": 0.0}
    manifest = {
        "format": 2,
        "model": {"key": "sam-vit-h", "checkpoint_name": "x", "checkpoint_sha256": "0" * 64, "checkpoint_bytes": 1},
        "quantization": QuantizationConfig(8).to_dict(),
        "calibration": {"slice_count": 0, "volumes": []},
        "layers": {"blocks.0.attn.qkv": layer},
    }
    name = "image_encoder.blocks.0.attn.qkv"
    tensors = {
        f"{name}.codes": torch.zeros(64, 64, dtype=torch.uint8),
        f"{name}.scale": torch.ones(64, 1, dtype=torch.float16),
        f"{name}.zero_point": torch.zeros(64, 1, dtype=torch.float16),
    }
    save_file(tensors, tmp_path / "huge.safetensors", metadata={"pqcomq": json.dumps(manifest)})
    with pytest.raises(InputError, match=re.escape("names other layers than SAM ViT-H has")):
        load_weights(tmp_path / "huge.safetensors")
