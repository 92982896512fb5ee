"""A quantized model in a folder of its own for other programs: networks, and what they need to know to run them."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch

import pqcomq
from pqcomq.atomic_files import check_folder, replacing, together, why
from pqcomq.errors import InputError
from pqcomq.export import onnx_file, openvino_file
from pqcomq.export.export_kind import ExportKind as ExportKind
from pqcomq.models.catalogue.entries import entry_of
from pqcomq.models.checkpoint import write_state
from pqcomq.quantization.planning.stored_bits import coded_names
from pqcomq.quantization.quantized_model import QuantizedModel
from pqcomq.research_only import RESEARCH_ONLY

FORMAT = 1
DESCRIPTION = "model.json"

FILES = {
    ExportKind.onnx: ("encoder.onnx", "decoder.onnx"),
    ExportKind.openvino: ("encoder.xml", "decoder.xml"),
    ExportKind.safetensors_fp16: ("model.safetensors",),
}


def export_model(model: QuantizedModel, kind: ExportKind, folder: Path, *, overwrite: bool = False) -> list[Path]:
    """Write a model for other programs.

    Args:
        model: to write.
        kind: format.
        folder: made if need be.
        overwrite: replace files that are already there.

    Returns:
        What was written.

    Raises:
        InputError: a package is missing, the model takes no boxes, as the decoder of ONNX and OpenVINO does, a file
            exists or cannot be written (all files appear together, or none), or a weight does not fit float16.
    """
    if kind is not ExportKind.safetensors_fp16 and not model.segmenter.takes("box"):
        raise InputError(
            f"The decoder of an {kind.value} file takes boxes, and {model.segmenter.title} takes none; "
            f"--to {ExportKind.safetensors_fp16.value} writes its weights."
        )
    if kind is ExportKind.onnx:
        onnx_file.check_installed()
    elif kind is ExportKind.openvino:
        openvino_file.check_installed()
    names = [*FILES[kind], *(Path(name).with_suffix(".bin").name for name in FILES[kind] if name.endswith(".xml"))]
    check_folder(folder, [*names, DESCRIPTION], overwrite=overwrite)
    targets = [folder / name for name in (*names, DESCRIPTION)]
    with together(folder), ExitStack() as writing:
        *partial, description = (writing.enter_context(replacing(path, overwrite=overwrite)) for path in targets)
        try:
            if kind is ExportKind.safetensors_fp16:
                write_state(half_precision(model), partial[0], {"pqcomq": json.dumps(described(model, kind))})
            elif kind is ExportKind.onnx:
                onnx_file.write_onnx(model, partial[0], partial[1])
            else:
                openvino_file.write_openvino(model, partial[0], partial[1])
            description.write_text(json.dumps(described(model, kind), indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise InputError(f"The files could not be written: {why(error)}.", folder) from error
    return targets


def half_precision(model: QuantizedModel) -> dict[str, torch.Tensor]:
    """All weights widened and rounded to float16, under the names of the checkpoint, batch norms folded.

    Raises:
        InputError: one is beyond float16.
    """
    tensors = {}
    for part, module in model.segmenter.parts().items():
        for name, tensor in module.state_dict().items():
            halved = tensor.half().contiguous().clone()
            if not bool(torch.isfinite(halved).all()):
                raise InputError(f"{part}.{name} has values beyond float16, so that the model cannot be exported to it")
            tensors[f"{part}.{name}"] = halved
    return tensors


def described(model: QuantizedModel, kind: ExportKind) -> dict[str, Any]:
    """What another program needs to know, JSON-ready."""
    source, entry = model.segmenter, entry_of(model.segmenter.key)
    return {
        "format": FORMAT,
        "kind": kind.value,
        "files": list(FILES[kind]),
        "model": source.title,
        "checkpoint_name": source.checkpoint_name,
        "checkpoint_sha256": source.checkpoint_sha256,
        "licence_of_weights": source.licence,
        "precision": source.precision,
        "effective_bits": model.effective_bits,
        "image": {
            "shape": [1, 3, source.transforms.side, source.transforms.side],
            "made_by": entry.preprocessing,
            "channels": "the grey slice three times",
        },
        **_prompts(model, kind),
        "logits": "(B, 1, 256, 256) over the network's image; the object is where the sigmoid exceeds 0.5",
        "note": _NOTES[kind] if not coded_names(model.weights) else f"{_NOTES[kind]}; entropy-coded layers uncoded",
        "versions": {"pqcomq": pqcomq.__version__},
        "use": RESEARCH_ONLY,
    }


def _prompts(model: QuantizedModel, kind: ExportKind) -> dict[str, str]:
    """How prompts are made; what the model was trained for and the files do not take is said, too."""
    source = model.segmenter
    if not source.takes("box"):
        return {"scribbles": "1 where something is drawn, else 0: the prompt encoder's masks, (B, 1, 256, 256) float32"}
    told = {"boxes": "x0 y0 x1 y1 in pixels of the network's image, (B, 4) float32"}
    if source.takes("points") and kind is not ExportKind.safetensors_fp16:
        told["points"] = f"not taken by these files, though {source.title} was trained for them, and pqcomq takes them"
    return told


_NOTES = {
    ExportKind.onnx: "weights are packed in the file, and widened to float32 once, where a runtime folds constants",
    ExportKind.openvino: "weights stay packed where OpenVINO's kernels take them so",
    ExportKind.safetensors_fp16: "weights are widened and rounded to float16; names are the checkpoint's, batch norms "
    "folded",
}
