"""Encoder and decoder as OpenVINO's IR, quantized weights packed where its kernels take them so."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pqcomq.backends.openvino_model import decoder_graph, encoder_graph, positions_of
from pqcomq.backends.runtime import Arithmetic, Runtime
from pqcomq.errors import InputError
from pqcomq.models.segmenter import Segmenter
from pqcomq.quantization.quantized_model import QuantizedModel


def check_installed() -> None:
    """See that OpenVINO's files can be written here.

    Raises:
        InputError: the package is not installed.
    """
    try:
        import openvino  # noqa: F401
    except (ImportError, OSError) as problem:
        raise InputError(
            'OpenVINO is not installed here or cannot be loaded: pip install "napari-pqcomq[openvino]"'
        ) from problem


def write_openvino(model: QuantizedModel, encoder: Path, decoder: Path) -> None:
    """Write two graphs: ``image`` → ``features``, and ``features`` and ``boxes`` → ``logits``.

    Args:
        model: to write.
        encoder: file of the image encoder, ending in ``.xml``; its weights lie beside it in a ``.bin``.
        decoder: file of prompt encoder and mask decoder, likewise; the number of boxes is free.

    Raises:
        OSError: the system refuses.
    """
    weights, arithmetic = model.packed_weights, Arithmetic.of(Runtime.openvino)
    first: Any = encoder_graph(model.segmenter, weights, {}, arithmetic)
    _hold_positions(first, model.segmenter, in_bytes=bool(weights))
    _name(first, {"image": 0}, "features")
    _save(first, encoder)
    second = _with_boxes(decoder_graph(model.segmenter, weights, arithmetic), model.segmenter)
    _save(second, decoder)


def _save(graph: Any, path: Path) -> None:  # noqa: ANN401 (openvino.Model)
    """Write a graph.

    Raises:
        OSError: the system refuses; the library says no more than that a stream of its own failed.
    """
    import openvino

    try:
        openvino.save_model(graph, str(path), compress_to_fp16=False)
    except RuntimeError as error:
        if "stream" not in str(error):
            raise
        raise OSError("the system refused it, most likely for lack of room") from error


def _hold_positions(graph: Any, segmenter: Segmenter, *, in_bytes: bool) -> None:  # noqa: ANN401 (openvino.Model)
    """Let a graph that takes its position embedding beside the image hold it."""
    from openvino import opset13 as op

    table = positions_of(segmenter, in_bytes=in_bytes)
    if table is None:
        return
    asked = graph.get_parameters()[1]
    if table.scale is None:
        held = op.constant(table.table.numpy())
    else:
        codes = op.convert(op.constant(table.table.numpy()), np.float32)
        held = op.multiply(codes, op.convert(op.constant(table.scale.numpy()), np.float32))
    for taker in asked.output(0).get_target_inputs():
        taker.replace_source_output(held.output(0))
    graph.remove_parameter(asked)


def _with_boxes(graph: Any, segmenter: Segmenter) -> Any:  # noqa: ANN401 (openvino.Model)
    """A graph that takes boxes (B, 4) in model pixels in place of the decoder's tokens."""
    import openvino
    from openvino import opset13 as op

    features, tokens = graph.get_parameters()
    state = {name: tensor.float().numpy() for name, tensor in segmenter.prompt_encoder.state_dict().items()}
    own = np.concatenate([segmenter.mask_decoder.get_parameter(f"{name}.weight").numpy() for name in _OWN])  # (5, C)
    boxes = op.parameter([-1, 4], np.float32, name="boxes")
    # Source: segment-anything's PromptEncoder._embed_boxes and PositionEmbeddingRandom.
    centres = op.multiply(op.add(boxes, _floats(0.5)), _floats(2 / segmenter.transforms.side))
    corners = op.reshape(op.subtract(centres, _floats(1.0)), op.constant(np.array([-1, 2, 2])), special_zero=False)
    gaussian = state["pe_layer.positional_encoding_gaussian_matrix"]  # (2, C / 2)
    waves = op.multiply(op.matmul(corners, _floats(gaussian), False, False), _floats(2 * math.pi))
    kinds = np.stack([state[f"point_embeddings.{number}.weight"][0] for number in (2, 3)])  # (2, C)
    prompts = op.add(op.concat([op.sin(waves), op.cos(waves)], 2), _floats(kinds[None]))  # (B, 2, C)
    nothing = op.multiply(op.reduce_sum(prompts, op.constant(np.array([1])), True), _floats(0.0))  # (B, 1, C)
    asked = op.concat([op.add(_floats(own[None]), nothing), prompts], 1)  # (B, 7, C)
    for taker in tokens.output(0).get_target_inputs():
        taker.replace_source_output(asked.output(0))
    made = openvino.Model(graph.get_results(), [features, boxes], "BoxDecoder")
    _name(made, {"features": 0, "boxes": 1}, "logits")
    return made


_OWN = ("iou_token", "mask_tokens")


def _floats(values: Any) -> Any:  # noqa: ANN401
    from openvino import opset13 as op

    return op.constant(np.asarray(values, dtype=np.float32))


def _name(graph: Any, inputs: Mapping[str, int], result: str) -> None:  # noqa: ANN401 (openvino.Model)
    for name, place in inputs.items():
        graph.inputs[place].get_tensor().set_names({name})
    graph.outputs[0].get_tensor().set_names({result})
