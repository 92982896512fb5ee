"""The formats by name."""

from __future__ import annotations

from enum import StrEnum


class ExportKind(StrEnum):
    """Formats that a model is exported to."""

    onnx = "onnx"
    openvino = "openvino"
    safetensors_fp16 = "safetensors-fp16"
