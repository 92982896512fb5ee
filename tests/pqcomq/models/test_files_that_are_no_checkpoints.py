"""Every file that people mistake for a checkpoint is told for what it is; training checkpoints give their weights."""

from __future__ import annotations

import argparse
import gzip
import pathlib
import pickle
import subprocess
import tarfile
import zipfile
from collections import UserDict

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from pqcomq.errors import InputError
from pqcomq.models import medsam, mobile_sam
from pqcomq.models.checkpoint import read_state
from pqcomq.models.lite_medsam import shipped_checkpoint
from pqcomq.models.look_alikes import looks_like
from pqcomq.models.registry import load_model

PAGE = b"<!DOCTYPE html><html><head><title>Google Drive - Virus scan warning</title></head></html>"
POINTER = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 375042383\n"
)
STATE = {"layer.weight": torch.arange(6.0).view(2, 3), "layer.bias": torch.ones(2)}


def zip_of(path, **members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_", "."), content)


def cut(path):
    torch.save({"a": torch.rand(1000)}, path)
    path.write_bytes(path.read_bytes()[:2000])


def cut_in_the_old_format(path):
    torch.save({"a": torch.rand(1000)}, path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes()[:1000])


def cut_safetensors(path):
    save_file({"a": torch.rand(1000)}, path)
    path.write_bytes(path.read_bytes()[:1000])


def turned_bit(path):
    torch.save({"a": torch.ones(1000)}, path)
    content = bytearray(path.read_bytes())
    content[content.index(b"\0\0\x80\x3f" * 4) + 1] ^= 1
    path.write_bytes(content)


def tar(path):
    with tarfile.open(path, "w") as archive:
        archive.add(__file__, "medsam.pth")


def array(path):
    with path.open("wb") as file:
        np.save(file, np.ones(3))


def program(path):
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("model/data.pkl", "model/constants.pkl", "model/code/__torch__.py"):
            archive.writestr(name, b"")


MAKERS = {
    "is empty": lambda path: path.write_bytes(b""),
    "is a web page": lambda path: path.write_bytes(PAGE),
    "is a web page (HTML)": lambda path: path.write_bytes(b"\n <!-- saved -->\n<HTML lang='en'>"),
    "Git LFS pointer to a file of 375.0 MB": lambda path: path.write_bytes(POINTER),
    "Git LFS pointer": lambda path: path.write_bytes(POINTER.replace(b"\n", b"\r\n")),
    "is cut off or damaged: its end": cut,
    "is cut off, damaged or not": cut_in_the_old_format,
    "is cut off, damaged": cut_safetensors,
    "is damaged: what is in it is not what was written": turned_bit,
    "is a zip archive, not a checkpoint; unpack it and give the checkpoint in it (medsam.pth)": lambda path: zip_of(
        path, medsam_pth=b"x", readme_txt=b"y"
    ),
    "is a gzip archive": lambda path: path.write_bytes(gzip.compress(b"weights")),
    "is a tar archive": tar,
    "is a TorchScript program": program,
    "is a text file": lambda path: path.write_text("404: Not Found"),
    "is a NumPy array": array,
    "is a PDF document": lambda path: path.write_bytes(b"%PDF-1.7 ..."),
    "not a PyTorch checkpoint": lambda path: path.write_bytes(bytes(range(256)) * 40),
}


@pytest.mark.parametrize("what", MAKERS)
def test_it_is_told_what_the_file_is_and_nothing_of_code(tmp_path, what):
    path = tmp_path / "medsam_vit_b.pth"
    MAKERS[what](path)
    with pytest.raises(InputError) as error:
        load_model("medsam", path)
    text = str(error.value)
    assert what in text
    assert path.name in text
    assert "\n" not in text
    assert "code" not in text


def test_an_archive_that_was_written_without_checksums_is_read(tmp_path):
    with_checksums = torch.serialization.get_crc32_options()
    torch.serialization.set_crc32_options(compute_crc32=False)
    try:
        torch.save(STATE, tmp_path / "fast.pth")
    finally:
        torch.serialization.set_crc32_options(with_checksums)
    with zipfile.ZipFile(tmp_path / "fast.pth") as archive:
        assert {each.CRC for each in archive.infolist()} == {0}
    assert torch.equal(read_state(tmp_path / "fast.pth")["layer.weight"], STATE["layer.weight"])


def packed_anew(path, state):
    """A checkpoint that somebody has unpacked and zipped again, which compresses."""
    torch.save(state, path)
    with zipfile.ZipFile(path) as archive:
        members = {each.filename: archive.read(each) for each in archive.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def test_a_compressed_archive_is_read_and_one_of_its_bits_that_is_turned_is_noticed(tmp_path):
    path, weight = tmp_path / "again.pth", torch.randn(300, 300, generator=torch.Generator().manual_seed(0))
    packed_anew(path, {"weight": weight})
    assert torch.equal(read_state(path)["weight"], weight)
    whole = path.read_bytes()
    for place in range(5000, len(whole) - 5000, len(whole) // 12):  # in the midst of the weights
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        with pytest.raises(InputError, match="damaged"):
            read_state(path)


def test_a_member_without_a_name_is_no_fault_of_the_program(tmp_path):
    path = tmp_path / "nameless.pth"
    packed_anew(path, STATE)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(zipfile.ZipInfo(""), b"of nobody")
    with pytest.raises(InputError, match="cut off, damaged or not a PyTorch checkpoint"):
        read_state(path)


def test_an_archive_that_would_take_all_memory_is_refused_unread(tmp_path):
    path = tmp_path / "bomb.pth"
    packed_anew(path, {"weight": torch.zeros(5_000, 5_000)})
    assert path.stat().st_size < 200_000
    with pytest.raises(InputError, match="unpacks to far more than it holds"):
        read_state(path)
    packed_anew(path, {"weight": torch.zeros(64 * 64, 768)})  # positions that nobody has trained
    assert not read_state(path)["weight"].any()


class Arguments:
    """What a training script keeps beside its weights: a class that is not there where the file is read."""

    def __init__(self):
        self.rate = 1e-4


def training(path):
    """As training scripts save them: arguments, an optimizer, paths and numbers of NumPy beside the weights."""
    torch.save(
        {
            "epoch": np.float64(3),
            "arguments": argparse.Namespace(rate=1e-4, out=pathlib.PurePosixPath("work")),
            "config": Arguments(),
            "optimizer": {"state": {0: {"exp_avg": torch.zeros(3)}}, "param_groups": [{"lr": 1e-4}]},
            "history": {"loss": [np.float32(0.5)]},
            "model": {f"module.{name}": tensor for name, tensor in STATE.items()},
        },
        path,
    )


def test_a_training_checkpoint_gives_its_weights(tmp_path):
    path = tmp_path / "model_latest.pth"
    training(path)
    with pytest.raises(pickle.UnpicklingError):
        torch.load(path, weights_only=True)
    state = read_state(path)
    assert state.keys() == STATE.keys()
    assert all(torch.equal(state[name], tensor) for name, tensor in STATE.items())


@pytest.mark.parametrize(
    "wrapped", [{"state_dict": {"model": STATE}}, {"network_weights": STATE}, STATE | {"epoch": 3}]
)
def test_weights_are_found_in_their_wrappers(tmp_path, wrapped):
    torch.save(wrapped, tmp_path / "wrapped.pth")
    assert read_state(tmp_path / "wrapped.pth").keys() == STATE.keys()


class Call:
    """Unpickling this calls a function."""

    def __init__(self, function, *arguments):
        self.called = function, arguments

    def __reduce__(self):
        return self.called


def touched(path):
    """What must never happen."""
    pathlib.Path(path).touch()


@pytest.mark.parametrize("place", ["beside", "as the weights"])
@pytest.mark.parametrize("function", [subprocess.check_call, eval, touched])
def test_no_function_in_a_file_is_ever_called(tmp_path, function, place):
    marker = tmp_path / "marker"
    argument = {subprocess.check_call: ["touch", str(marker)], eval: f"open({str(marker)!r}, 'w')"}.get(
        function, marker
    )
    call = Call(function, argument)
    torch.save({"model": STATE, "x": call} if place == "beside" else {"model": call}, tmp_path / "evil.pth")
    if place == "beside":
        assert read_state(tmp_path / "evil.pth").keys() == STATE.keys()
    else:
        with pytest.raises(InputError, match="no state dict"):
            read_state(tmp_path / "evil.pth")
    assert not marker.exists()


def test_objects_that_can_only_be_filled_by_their_own_class_are_refused(tmp_path):
    path = tmp_path / "odd.pth"

    torch.save({"model": STATE, "x": UserDict({"a": 1})}, path)
    assert read_state(path).keys() == STATE.keys()
    torch.save({"model": STATE, "x": Arguments()}, path, _use_new_zipfile_serialization=False)
    with pytest.raises(InputError, match="save the state dict alone"):
        read_state(path)


def test_safetensors_are_read(tmp_path):
    save_file(STATE, tmp_path / "weights.safetensors")
    assert all(torch.equal(read_state(tmp_path / "weights.safetensors")[name], STATE[name]) for name in STATE)


def meta_state(build):
    with torch.device("meta"):
        return build().state_dict()


def sam(size):
    from segment_anything import sam_model_registry

    return meta_state(sam_model_registry[size])


def test_models_are_recognised_by_their_tensors():
    assert looks_like(sam("vit_b")) == "SAM ViT-B or MedSAM ViT-B"
    assert looks_like(sam("vit_h")) == "SAM ViT-H"
    lite = {name: tensor.to("meta") for name, tensor in read_state(shipped_checkpoint()).items()}
    assert looks_like(lite) == "LiteMedSAM"
    assert looks_like(mobile_sam.architecture().state_dict()) == "MobileSAM"
    alone = {name.removeprefix("image_encoder."): tensor for name, tensor in sam("vit_l").items() if "image" in name}
    assert looks_like(alone) == "the image encoder alone of SAM ViT-L"
    small = sam("vit_b") | {"image_encoder.pos_embed": torch.ones(1, 16, 16, 768)}
    assert looks_like(small) == "SAM ViT-B or MedSAM ViT-B for images of 256 × 256"
    assert looks_like({"layer1.0.conv1.weight": torch.ones(1)}) == "a ResNet"
    for quantized in ("neck.0.codes", "entropy_stream.words"):
        assert looks_like({quantized: torch.ones(1)}) == "weights that pqcomq quantized, which --weights takes"
    assert looks_like(STATE) is None


def test_the_checkpoint_of_another_model_is_named(tmp_path, monkeypatch):
    path = tmp_path / "checkpoint.pth"
    small = meta_state(medsam.architecture)
    # Only the shape of what tells models apart matters here.
    state = {name: torch.zeros(1) for name in small} | {"image_encoder.pos_embed": torch.zeros(1, 64, 64, 1280)}
    torch.save(state, path)
    with pytest.raises(InputError, match="not a MedSAM ViT-B checkpoint: it looks like SAM ViT-H"):
        load_model("medsam", path)
    torch.save(read_state(shipped_checkpoint()), path)
    with pytest.raises(InputError, match="it looks like LiteMedSAM"):
        load_model("medsam", path)
