"""A model compiled for OpenVINO, with the same methods as the model in torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch

from pqcomq.backends.compiled_networks import (
    CompiledDecoder,
    CompiledEncoder,
    KeptPositions,
    Positions,
    request,
)
from pqcomq.backends.fastest import settled
from pqcomq.backends.int8_weights import integer_values
from pqcomq.backends.obstacle import imported_openvino, obstacle
from pqcomq.backends.runtime import Arithmetic, Runtime, Taken
from pqcomq.errors import InputError
from pqcomq.models.execution import Execution, cpu_features
from pqcomq.models.segmenter import Segmenter
from pqcomq.quantization import position_embedding
from pqcomq.quantization.algorithm.quantized_weight import QuantizedWeight
from pqcomq.quantization.layer_names import DECODER, positions
from pqcomq.quantization.quantized_model import QuantizedModel

_LEAST_PACKED_IN_DECODER = 50_000
"""Weights of a matrix. The smaller ones of the decoder meet 4,096 tokens for every box: to permute those inputs took a
sixth of its time. Widened they take 2.6 MB; the large ones, which meet seven tokens, stay packed."""


def on_runtime(model: Segmenter | QuantizedModel, runtime: Runtime | Taken) -> Segmenter:
    """The model, made ready to run on a runtime; its weights are the same ones, bit for bit.

    Args:
        model: full precision or quantized, as loaded.
        runtime: where to. ``auto`` looks for the fastest, see :func:`.fastest.settled`; several models that are to run
            on the same one are settled together before.

    Returns:
        On torch the model as it is; on a device a copy there; on OpenVINO one that shares with it the prompt encoder
        alone, which torch goes on to run.

    Raises:
        InputError: the runtime is not installed, or this machine cannot run it as asked.
    """
    segmenter = model.segmenter if isinstance(model, QuantizedModel) else model
    if runtime is Runtime.auto or (isinstance(runtime, Runtime) and runtime.device):
        together = settled(runtime, [model] if isinstance(model, QuantizedModel) else [])
        runtime = together if isinstance(model, QuantizedModel) else together.in_full_precision
    taken = runtime if isinstance(runtime, Taken) else Taken(runtime)
    runtime = taken.runtime
    if runtime is Runtime.torch:
        return replace(segmenter, execution=replace(segmenter.execution, why=taken.why)) if taken.why else segmenter
    if runtime.device:
        from pqcomq.backends.torch_device import on_device

        if problem := obstacle(runtime):
            raise InputError(f"Runtime {runtime.value} cannot run: {problem}.")
        return on_device(model, runtime, torch.device(runtime.device))
    arithmetic = Arithmetic.of(runtime)
    openvino = imported_openvino(runtime)
    if problem := obstacle(runtime):
        others = [each.value for each in (Runtime.openvino, Runtime.torch) if each is not runtime]
        raise InputError(f"{problem}; choose {' or '.join(others)}")
    if arithmetic.eight_bit_inputs and not (isinstance(model, QuantizedModel) and runs_in_integers(model)):
        raise InputError(
            f"runtime {runtime.value}: {segmenter.precision} has no layer of integers with one scale a channel and a "
            f"calibrated range of its inputs; quantize it with --integer, or choose {Runtime.openvino.value}"
        )
    return _compiled(openvino.Core(), model, taken)


def runs_in_integers(model: QuantizedModel) -> bool:
    """Whether the runtimes with 8-bit inputs have anything to multiply as integers."""
    if not model.input_ranges:
        return False
    return any(integer_values(weight) is not None for weight in model.packed_weights.values())


def parts_of(
    model: Segmenter | QuantizedModel,
) -> tuple[Segmenter, Mapping[str, QuantizedWeight], Mapping[str, tuple[float, float]]]:
    """A model's networks; and of a quantized one the weights that can stay packed, and the ranges of layers' inputs."""
    if isinstance(model, QuantizedModel):
        return model.segmenter, model.packed_weights, model.input_ranges
    return model, {}, {}


def _compiled(core: object, model: Segmenter | QuantizedModel, taken: Taken) -> Segmenter:
    import openvino

    from pqcomq.backends.layer_source import LayerSource

    arithmetic, (segmenter, weights, ranges) = Arithmetic.of(taken.runtime), parts_of(model)
    # Entropy-coded weights have no packed form: they are widened, whatever the runtime is called.
    held = arithmetic if weights else replace(arithmetic, widened=True)
    encoder = request(core, encoder_graph(segmenter, weights, ranges, arithmetic), arithmetic)
    prompts = KeptPositions(segmenter.prompt_encoder)
    decoder = request(core, decoder_graph(segmenter, weights, arithmetic), arithmetic)
    own = LayerSource(segmenter.mask_decoder, {}, {})
    tokens = torch.cat([own.weight(name) for name in ("iou_token", "mask_tokens")])  # (5, C)
    execution = Execution(
        runtime=f"OpenVINO {openvino.get_version().partition('-')[0]}",
        weights=held.weights_title if isinstance(model, QuantizedModel) else arithmetic.floats_title,
        activations=arithmetic.activations_title,
        simulated=False,
        threads=torch.get_num_threads(),
        cpu_features=cpu_features(),
        setting=taken.runtime.value,
        why=taken.why,
    )
    return replace(
        segmenter,
        image_encoder=CompiledEncoder(encoder, positions_of(segmenter, in_bytes=bool(weights))),
        prompt_encoder=prompts,
        mask_decoder=CompiledDecoder(decoder, tokens, is_drawn=segmenter.takes("scribble")),
        precision=_precision(segmenter.precision, arithmetic),
        execution=execution,
        rounding=model.ranges_sha256 if isinstance(model, QuantizedModel) and arithmetic.eight_bit_inputs else "",
    )


def encoder_graph(
    segmenter: Segmenter,
    weights: Mapping[str, QuantizedWeight],
    ranges: Mapping[str, tuple[float, float]],
    arithmetic: Arithmetic,
) -> object:
    """A model's image encoder as a graph."""
    from pqcomq.backends import sam_vit_graph, tiny_vit_graph
    from pqcomq.backends.graph_ops import ALL_WIDENED, Products
    from pqcomq.backends.layer_source import LayerSource

    is_vit = hasattr(segmenter.image_encoder, "blocks")
    build = sam_vit_graph.encoder if is_vit else tiny_vit_graph.encoder
    products = Products(arithmetic.eight_bit_inputs, ALL_WIDENED if arithmetic.widened else 0)
    own = {name: weight for name, weight in weights.items() if not name.startswith(DECODER)}
    source = LayerSource(segmenter.image_encoder, own, ranges)
    return build(source, products)


def decoder_graph(segmenter: Segmenter, weights: Mapping[str, QuantizedWeight], arithmetic: Arithmetic) -> object:
    """A model's mask decoder as a graph of features and tokens; what images and prompts have in common is in it.

    Scribbles have no such thing in common: for a model that takes them the features come with what their masks add.
    """
    from pqcomq.backends import mask_decoder_graph
    from pqcomq.backends.graph_ops import ALL_WIDENED, Products
    from pqcomq.backends.layer_source import LayerSource

    no_mask = LayerSource(segmenter.prompt_encoder, {}, {}).weight("no_mask_embed")[0]  # (C,)
    no_mask = torch.zeros_like(no_mask) if segmenter.takes("scribble") else no_mask
    own = {name.removeprefix(DECODER): weight for name, weight in weights.items() if name.startswith(DECODER)}
    source = LayerSource(segmenter.mask_decoder, own, {})
    products = Products(least_packed=ALL_WIDENED if arithmetic.widened else _LEAST_PACKED_IN_DECODER)
    position = KeptPositions(segmenter.prompt_encoder).position
    only_boxes = not segmenter.takes("points") and not segmenter.takes("scribble")
    tokens = mask_decoder_graph.BOX_TOKENS if only_boxes else mask_decoder_graph.ANY_TOKENS
    return mask_decoder_graph.decoder(source, products, position, no_mask, tokens)


def _precision(weights: str, arithmetic: Arithmetic) -> str:
    """For people, e.g. ``"4-bit Permutation-COMQ, OpenVINO BF16"``."""
    if weights == "FP32":
        return f"{arithmetic.floats_title}, OpenVINO"
    inputs = "8-bit inputs, " if arithmetic.eight_bit_inputs else ""
    return f"{weights}, {inputs}OpenVINO {arithmetic.floats_title}{' widened' * arithmetic.widened}"


def positions_of(segmenter: Segmenter, *, in_bytes: bool) -> Positions | None:
    """What the graph of an encoder with an absolute position embedding takes beside the image."""
    own = positions(segmenter)
    if own is None:
        return None
    table = own.detach().flatten(1, 2)  # (1, side, side, C) → (1, side², C)
    return Positions(*position_embedding.in_bytes(table)) if in_bytes else Positions(table, None)
