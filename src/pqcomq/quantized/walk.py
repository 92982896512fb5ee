"""Calibration slices on their way through both encoders, a stage at a time.

No more than the inputs of one stage's layers are ever in memory.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

import torch
from torch import Tensor, nn

from pqcomq.models.stages import encoder_stages
from pqcomq.quantization.gram import InputMoments, QuantizableLayer, quantizable_layers, spread_rows, tokens
from pqcomq.quantization.paired_moments import PairedMoments


class _Seen(Exception):  # noqa: N818
    """Ends a forward pass as soon as the layer in question was reached."""


def layer_inputs(layer: QuantizableLayer, stage: nn.Module, x: Tensor) -> Tensor:
    """What ``layer`` sees when ``x`` goes through its stage: rows (N, m). Nothing behind the layer is computed."""
    rows: list[Tensor] = []

    def stop(_layer: nn.Module, arguments: tuple[Tensor, ...]) -> None:
        rows.append(spread_rows(tokens(layer, arguments[0])))
        raise _Seen

    handle = layer.register_forward_pre_hook(stop)
    try:
        stage(x)
    except _Seen:
        pass
    finally:
        handle.remove()
    return rows[0]


def all_inputs(layers: dict[str, QuantizableLayer], stage: nn.Module, x: Tensor) -> tuple[dict[str, Tensor], Tensor]:
    """What every layer of a stage sees, by name in the order in which they run, and the stage's output."""
    rows: dict[str, Tensor] = {}

    def listen(name: str, layer: QuantizableLayer) -> torch.utils.hooks.RemovableHandle:
        def keep(_layer: nn.Module, arguments: tuple[Tensor, ...]) -> None:
            rows[name] = spread_rows(tokens(layer, arguments[0]))

        return layer.register_forward_pre_hook(keep)

    handles = [listen(name, layer) for name, layer in layers.items()]
    try:
        return rows, stage(x)
    finally:
        for handle in handles:
            handle.remove()


def staged_layers(encoder: nn.Module) -> list[tuple[nn.Module, dict[str, QuantizableLayer]]]:
    """Every stage with those of the encoder's quantizable layers that lie in it."""
    layers = quantizable_layers(encoder)
    stages = []
    for stage in encoder_stages(encoder):
        inside = set(stage.modules())
        stages.append((stage, {name: layer for name, layer in layers.items() if layer in inside}))
    return stages


@torch.inference_mode()
def walk(
    full: nn.Module, low: nn.Module, images: Sequence[Tensor], moments: dict[str, InputMoments]
) -> Generator[tuple[str, PairedMoments], None, None]:
    """Give the inputs of one layer after the other, each as its predecessors' quantization has left them.

    The caller puts the layer's quantized weight into ``low`` before asking for the next.

    Args:
        full: image encoder in full precision.
        low: a copy of it whose layers become quantized during the walk.
        images: calibration images (1, 3, side, side).
        moments: layer name → moments of its inputs in ``full``; each is given back once it was used.

    Yields:
        Layer name and moments, in the order in which the layers run.
    """
    at_full, at_low = list(images), list(images)
    for (full_stage, full_layers), (low_stage, low_layers) in zip(staged_layers(full), staged_layers(low), strict=True):
        inputs = []
        for index, x in enumerate(at_full):
            rows, at_full[index] = all_inputs(full_layers, full_stage, x)
            inputs.append(rows)
        for name in list(inputs[0]):
            paired = PairedMoments.beside(moments.pop(name))
            for rows, x in zip(inputs, at_low, strict=True):
                paired.add(layer_inputs(low_layers[name], low_stage, x), rows.pop(name))
            yield name, paired
        at_low = [low_stage(x) for x in at_low]
