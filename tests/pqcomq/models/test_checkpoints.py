"""Checkpoints of all kinds: the shipped one, ViT-B's, and those that must be refused with one sentence."""

from __future__ import annotations

import os
import pickle
import warnings
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from pqcomq.errors import InputError
from pqcomq.models.checkpoint import load_state, read_state
from pqcomq.models.lite_medsam import architecture, shipped_checkpoint
from pqcomq.models.registry import load_model


class Exploit:
    """Unpickling this would run a command."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


def sentence(error: pytest.ExceptionInfo[InputError], path: Path) -> str:
    text = str(error.value)
    assert path.name in text
    assert "\n" not in text
    return text


def test_the_shipped_weights_load_folded_and_ready(lite_medsam):
    assert lite_medsam.title == "LiteMedSAM"
    assert lite_medsam.checkpoint_bytes == 39_370_479
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in lite_medsam.image_encoder.modules())
    assert not lite_medsam.image_encoder.training


@pytest.mark.slow
def test_folding_changes_no_more_than_rounding(lite_medsam):
    unfolded = architecture()
    unfolded.load_state_dict(read_state(shipped_checkpoint()))
    unfolded.eval()
    image = torch.rand(1, 3, 256, 256, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = unfolded.image_encoder(image)
    assert torch.allclose(lite_medsam.embed(image), expected, atol=2e-4)


def test_code_in_a_pickle_is_never_run(tmp_path):
    path, marker = tmp_path / "evil.pth", tmp_path / "marker"
    torch.save({"model": Exploit(marker)}, path)
    with pytest.raises(InputError) as error:
        load_model("lite-medsam", path)
    assert "commands of the system" in sentence(error, path)
    bare = tmp_path / "bare.pth"
    bare.write_bytes(pickle.dumps(Exploit(marker)))
    with pytest.raises(InputError) as error:
        load_model("lite-medsam", bare)
    sentence(error, bare)
    assert not marker.exists()


@pytest.mark.parametrize("length", [0, 10, 5000, 20_000_000, 39_370_000])
def test_a_truncated_checkpoint_is_refused(tmp_path, length):
    path = tmp_path / "cut.pth"
    path.write_bytes(shipped_checkpoint().read_bytes()[:length])
    with pytest.raises(InputError) as error:
        load_model("lite-medsam", path)
    assert ("cut off" if length else "is empty") in sentence(error, path)


@pytest.mark.parametrize(("place", "length", "value"), [(38, 1, 0x10), (38, 1, 0xFF), (20, 4, 0)])
def test_weights_that_pytorch_would_not_read_are_not_taken_from_what_memory_held(tmp_path, place, length, value):
    """A byte of the archive's table makes a tensor a folder, or one of no bytes: PyTorch reads it without a word."""
    path = tmp_path / "passed_over.pth"
    torch.save({"weight": torch.arange(64.0)}, path)
    content = bytearray(path.read_bytes())
    entry = content.rindex(b"PK\x01\x02", 0, content.rindex(b"/data/0"))
    content[entry + place : entry + place + length] = value.to_bytes(length, "little")
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        read_state(path)
    assert "is damaged" in sentence(error, path)


@pytest.mark.parametrize("content", [{}, {"a": 1}, [torch.ones(2)], torch.ones(3), "text", {"model": {"a": "b"}}])
def test_what_is_no_state_dict_is_refused(tmp_path, content):
    path = tmp_path / "odd.pth"
    torch.save(content, path)
    with pytest.raises(InputError) as error:
        load_model("lite-medsam", path)
    assert "state dict" in sentence(error, path)


def test_foreign_mismatched_and_unfinite_checkpoints_are_refused(tmp_path):
    path = tmp_path / "foreign.pth"
    torch.save({"conv.weight": torch.ones(2)}, path)
    with pytest.raises(InputError) as error:
        load_model("lite-medsam", path)
    assert "is not a LiteMedSAM checkpoint" in sentence(error, path)

    state = read_state(shipped_checkpoint())
    name = "image_encoder.neck.0.weight"
    torch.save(state | {name: state[name][:10]}, path)
    with pytest.raises(InputError, match="has shape"):
        load_model("lite-medsam", path)

    torch.save(state | {name: torch.full_like(state[name], float("nan"))}, path)
    with pytest.raises(InputError, match="not finite"):
        load_model("lite-medsam", path)

    torch.save(state | {name: torch.full_like(state[name], 1e300, dtype=torch.float64)}, path)
    with pytest.raises(InputError, match="not finite"):  # in float32, in which it would run
        load_model("lite-medsam", path)

    torch.save(state, path)
    with pytest.raises(InputError, match="is not a MedSAM ViT-B checkpoint"):
        load_model("medsam", path)


def odd_kinds(tensor):
    """A tensor in the kinds that files can hold and a float32 network has no use for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls some of them experimental
        return {
            "sparse_coo": tensor.to_sparse(),
            "int8": tensor.to(torch.int8),
            "complex64": tensor.to(torch.complex64),
            "float8_e4m3fn": tensor.to(torch.float8_e4m3fn),
            "qint8": torch.quantize_per_tensor(tensor, 0.1, 0, torch.qint8),
        }


def test_tensors_of_other_kinds_are_refused(tmp_path):
    network, path = torch.nn.Linear(3, 2), tmp_path / "odd.pth"
    for kind, odd in odd_kinds(network.weight.data).items():
        state = {"weight": odd, "bias": network.bias.data}
        with pytest.raises(InputError, match=rf"'weight' is of a kind that Line has no weights of \({kind}\)"):
            load_state(network, state, path, "Line")


@pytest.mark.timeout(60)
def test_a_table_that_holds_itself_and_one_that_holds_nothing_are_refused(tmp_path):
    around = {}
    around["model"] = around
    torch.save(around, tmp_path / "around.pth")
    save_file({}, tmp_path / "empty.safetensors")
    for name, words in (("around.pth", "holds no state dict"), ("empty.safetensors", "holds no tensors")):
        with pytest.raises(InputError, match=words):
            read_state(tmp_path / name)


def test_training_checkpoints_and_data_parallel_prefixes_load(tmp_path, lite_medsam):
    path = tmp_path / "trained.pth"
    torch.save({"model": {f"module.{k}": v for k, v in read_state(shipped_checkpoint()).items()}, "epoch": 3}, path)
    loaded = load_model("lite-medsam", path)
    for part, module in lite_medsam.parts().items():
        state = loaded.parts()[part].state_dict()
        assert all(torch.equal(state[name], tensor) for name, tensor in module.state_dict().items()), part
    assert "not known" in loaded.licence


def test_missing_files_and_names_are_told(tmp_path):
    for key in ("lite-medsam", "medsam"):
        with pytest.raises(InputError, match="no such checkpoint"):
            load_model(key, tmp_path / "none.pth")
    with pytest.raises(InputError, match="name its checkpoint file"):
        load_model("medsam")
    with pytest.raises(InputError, match="no known model"):
        load_model("sam-huge")
