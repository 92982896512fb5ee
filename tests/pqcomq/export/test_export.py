"""A quantized model in other programs: their masks are ours."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from pqcomq.cli import main
from pqcomq.comparison.measures.metrics import dice
from pqcomq.errors import InputError
from pqcomq.export import openvino_file, package
from pqcomq.export.package import ExportKind, export_model
from pqcomq.models.registry import empty_model

BOXES = np.array([[15, 12, 80, 82], [48, 30, 75, 52], [2, 3, 40, 44]], np.float32)


@pytest.fixture(scope="module")
def pixels(phantom):
    return np.clip((phantom.voxels[3] + 160) / 400 * 255, 0, 255).astype(np.uint8)


def model_boxes(model):
    return (BOXES * model.transforms.scale((96, 96))).astype(np.float32)


def assert_same_masks(model, pixels, features, logits, least=0.995):
    """Logits of another program on its own features, against the model's masks."""
    ours = model.decode(model.encode(pixels), BOXES)
    theirs = model.transforms.masks(torch.from_numpy(np.asarray(logits)), pixels.shape).numpy()
    assert np.asarray(features).shape == (1, 256, 64, 64)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.any()
        assert dice(mine, other) >= least


def test_onnx_runtime_gives_our_masks(quantized, pixels, tmp_path):
    pytest.importorskip("onnxscript", reason="onnxscript is not installed")
    runtime = pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")
    paths = export_model(quantized, ExportKind.onnx, tmp_path / "onnx")
    assert [path.name for path in paths] == ["encoder.onnx", "decoder.onnx", "model.json"]
    told = json.loads(paths[-1].read_text())
    assert told["image"]["shape"] == [1, 3, 256, 256]
    assert sum(path.stat().st_size for path in paths) < 16e6, "weights are packed; widened they take 39 MB"
    encoder, decoder = (runtime.InferenceSession(path, providers=["CPUExecutionProvider"]) for path in paths[:2])
    model = quantized.segmenter
    (features,) = encoder.run(None, {"image": model.transforms.image(pixels).numpy()})
    (logits,) = decoder.run(None, {"features": features, "boxes": model_boxes(model)})
    assert_same_masks(model, pixels, features, logits)
    assert decoder.run(None, {"features": features, "boxes": model_boxes(model)[:1]})[0].shape == (1, 1, 256, 256)


def test_openvino_gives_our_masks(quantized, pixels, tmp_path):
    openvino = pytest.importorskip("openvino", reason="OpenVINO is not installed")
    paths = export_model(quantized, ExportKind.openvino, tmp_path / "ir")
    assert all(path.is_file() for path in paths)
    core, model = openvino.Core(), quantized.segmenter
    encoder, decoder = (core.compile_model(str(path), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}) for path in paths[:2])
    features = encoder({"image": model.transforms.image(pixels).numpy()})["features"]
    logits = decoder({"features": features, "boxes": model_boxes(model)})["logits"]
    assert_same_masks(model, pixels, features, logits)


def test_half_precision_has_the_checkpoint_s_names_and_nearly_our_masks(quantized, pixels, tmp_path, capsys, saved):
    with pytest.raises(SystemExit) as end:
        main(["export", str(saved), "--to", "safetensors-fp16", "--out", str(tmp_path / "half")])
    assert end.value.code == 0
    tensors = load_file(tmp_path / "half" / "model.safetensors")
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}
    model = empty_model("lite-medsam", "x", "y", 1)
    for part, module in model.parts().items():
        module.load_state_dict(
            {name.removeprefix(f"{part}."): each.float() for name, each in tensors.items() if name.startswith(part)}
        )
        module.eval()
    embedding = model.encode(pixels)
    logits = model.logits(embedding.features, torch.from_numpy(model_boxes(model))[:, None])
    # Weights are rounded once more here: of masks of some hundred pixels a few at the rim may differ.
    assert_same_masks(quantized.segmenter, pixels, embedding.features, logits.numpy(), least=0.98)
    with pytest.raises(InputError, match="exists already"):
        export_model(quantized, ExportKind.safetensors_fp16, tmp_path / "half")


def test_a_disk_that_is_full_is_told_where_openvino_speaks_of_a_stream_alone(monkeypatch, tmp_path):
    openvino = pytest.importorskip("openvino", reason="OpenVINO is not installed")

    def full(*_given, **_named):
        raise RuntimeError("basic_ios::clear: iostream error")

    monkeypatch.setattr(openvino, "save_model", full)
    monkeypatch.setattr(openvino_file, "write_openvino", lambda _model, *graphs: openvino_file._save(None, graphs[0]))
    model = SimpleNamespace(segmenter=SimpleNamespace(takes=lambda kind: True))
    with pytest.raises(InputError, match="files could not be written: the system refused it, most likely for lack"):
        export_model(model, ExportKind.openvino, tmp_path / "new")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("fails", [True, False])
def test_the_files_of_an_export_take_their_places_together(monkeypatch, tmp_path, fails):
    def write(_model, *graphs):
        for graph in graphs:
            graph.write_bytes(b"new")
            graph.with_suffix(".bin").write_bytes(b"new")

    def described(*_given):
        if fails:
            raise InputError("There is no more room.")
        return {}

    monkeypatch.setattr(openvino_file, "check_installed", lambda: None)
    monkeypatch.setattr(openvino_file, "write_openvino", write)
    monkeypatch.setattr(package, "described", described)
    for name in ("encoder.xml", "encoder.bin", "decoder.xml", "decoder.bin"):
        (tmp_path / name).write_bytes(b"old")
    model = SimpleNamespace(segmenter=SimpleNamespace(takes=lambda kind: True))
    if fails:
        with pytest.raises(InputError, match="no more room"):
            export_model(model, ExportKind.openvino, tmp_path, overwrite=True)
    else:
        export_model(model, ExportKind.openvino, tmp_path, overwrite=True)
    found = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert found.pop("model.json", b"{}\n") == b"{}\n"
    assert found == dict.fromkeys(
        ["encoder.xml", "encoder.bin", "decoder.xml", "decoder.bin"], b"old" if fails else b"new"
    )
