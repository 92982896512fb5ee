"""Encoder and decoder as ONNX, quantized weights packed as in the weights file."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pqcomq.errors import InputError
from pqcomq.export.unpacking import Unpacking
from pqcomq.quantization.algorithm.quantize_layer import StoredWeight
from pqcomq.quantization.layer_names import DECODER
from pqcomq.quantization.quantized_model import QuantizedModel

OPSET = 21
"""The first whose ``DequantizeLinear`` takes a scale a group of columns."""

_LARGEST_FOLDED = 1024
"""Values up to which what is constant is computed when the file is written."""

_MOST_BOXES = 4096


class BoxDecoder(nn.Module):
    """Prompt encoder and mask decoder in one: what another program needs to know of prompts is a box."""

    def __init__(self, prompt_encoder: nn.Module, mask_decoder: nn.Module) -> None:
        super().__init__()
        self.prompt_encoder, self.mask_decoder = prompt_encoder, mask_decoder

    def forward(self, features: Tensor, boxes: Tensor) -> Tensor:
        """Features (1, 256, 64, 64) and boxes (B, 4), x0 y0 x1 y1 in model pixels → logits (B, 1, 256, 256)."""
        sparse, dense = self.prompt_encoder(points=None, boxes=boxes[:, None], masks=None)
        logits: Tensor = self.mask_decoder(
            image_embeddings=features,
            image_pe=self.prompt_encoder.get_dense_pe(),  # type: ignore[operator]
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=False,
        )[0]
        return logits


def check_installed() -> None:
    """See that ONNX files can be written here.

    Raises:
        InputError: the packages are not installed.
    """
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as problem:
        raise InputError(
            'ONNX files are written by onnx and onnxscript, which are not installed: pip install "napari-pqcomq[onnx]"'
        ) from problem


def write_onnx(model: QuantizedModel, encoder: Path, decoder: Path) -> None:
    """Write two graphs: ``image`` → ``features``, and ``features`` and ``boxes`` → ``logits``.

    Args:
        model: to write.
        encoder: file of the image encoder.
        decoder: file of prompt encoder and mask decoder; the number of boxes is free.
    """
    segmenter, side = model.segmenter, model.segmenter.transforms.side
    in_encoder = {name: weight for name, weight in model.weights.items() if not name.startswith(DECODER)}
    in_decoder = {name: weight for name, weight in model.weights.items() if name.startswith(DECODER)}
    image = torch.zeros(1, 3, side, side)
    _write(segmenter.image_encoder, in_encoder, (image,), encoder, ["image"], "features", None)
    boxes = BoxDecoder(segmenter.prompt_encoder, segmenter.mask_decoder).eval()
    inputs = (torch.zeros(1, 256, 64, 64), torch.tensor([[10.0, 10, 90, 90], [20.0, 20, 80, 80]]))
    free = {"features": None, "boxes": {0: torch.export.Dim("count", min=1, max=_MOST_BOXES)}}
    _write(boxes, in_decoder, inputs, decoder, ["features", "boxes"], "logits", free)


def _write(
    module: nn.Module,
    weights: Mapping[str, StoredWeight],
    inputs: tuple[Tensor, ...],
    path: Path,
    names: list[str],
    result: str,
    free: dict[str, Any] | None,
) -> None:
    import onnx
    from onnxscript import optimizer

    with warnings.catch_warnings(), torch.no_grad():
        # The exporter tells of its own future; nothing a user could act on.
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module,
            inputs,
            dynamo=True,
            input_names=names,
            output_names=[result],
            opset_version=OPSET,
            dynamic_shapes=free,
            optimize=False,
            verbose=False,
        )
        if program is None:
            raise ValueError("the exporter gave no graph")
        quantized = {f"{name}.weight": weight for name, weight in weights.items()}
        _set_free(program.model.graph, quantized)
        optimizer.optimize_ir(program.model, input_size_limit=_LARGEST_FOLDED, output_size_limit=_LARGEST_FOLDED)
    graph = program.model_proto
    _pack(graph, quantized)
    graph.producer_name = "pqcomq"
    onnx.checker.check_model(graph)
    onnx.save_model(graph, str(path))


def _set_free(graph: Any, weights: Mapping[str, StoredWeight]) -> None:  # noqa: ANN401 (onnx_ir.Graph)
    """Let weights be inputs for a while, so that nothing is computed of their float values and written down."""
    for name in weights:
        value = graph.initializers.pop(name, None)
        if value is not None:
            value.const_value = None
            graph.inputs.append(value)


def _pack(model: Any, weights: Mapping[str, StoredWeight]) -> None:  # noqa: ANN401 (onnx.ModelProto)
    """Put packed codes in place of the inputs of the weights' names, in place."""
    graph = model.graph
    used = {name for node in graph.node for name in node.input}
    unpackings = []
    for name, weight in weights.items():
        if name in used:  # the decoder's further masks are asked for by no box
            unpackings.append(Unpacking(name))
            unpackings[-1].add(weight)
    inputs = [each for each in graph.input if each.name not in weights]
    nodes = [node for each in unpackings for node in each.nodes] + list(graph.node)
    del graph.input[:], graph.node[:]
    graph.input.extend(inputs)
    graph.initializer.extend(constant for each in unpackings for constant in each.constants)
    graph.node.extend(nodes)
