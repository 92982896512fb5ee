"""How the time of quantizing is spread over the layers, so that what is left of it can be told.

A layer's time is that in which the calibration passes come to it, and that of its own sweeps.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import torch

from pqcomq.quantization.algorithm.gram import QuantizableLayer, weight_matrix

WALK_PASSES = 1.8
"""Passes of one calibration input through both models and its Gram matrices, in the time of a plain pass, as measured
(LiteMedSAM, two cores of an Intel Xeon)."""

_EACH_LAYER = 0.03
"""Sweeps of any layer, in the same."""

_EACH_SQUARE = 1.8e-7
"""And more for each input column, for each column: Gram matrices are factored and multiplied."""


@torch.inference_mode()
def watched_pass(run: Callable[[], None], layers: Mapping[str, QuantizableLayer]) -> tuple[float, dict[str, float]]:
    """Run one pass through a model in full precision, and see when it comes to each layer.

    Args:
        run: the pass.
        layers: by name.

    Returns:
        Its seconds; and for each layer, how much of that had gone when the pass first came to it, from 0 to 1.
    """
    came: dict[str, float] = {}

    def seen(name: str) -> Callable[..., None]:
        def note(*_arguments: object) -> None:
            came.setdefault(name, time.perf_counter())

        return note

    hooks = [layer.register_forward_pre_hook(seen(name)) for name, layer in layers.items()]
    began = time.perf_counter()
    try:
        run()
    finally:
        for hook in hooks:
            hook.remove()
    ended = time.perf_counter()
    whole = max(ended - began, 1e-9)
    return whole, {name: (came.get(name, ended) - began) / whole for name in layers}


def layer_times(
    layers: Mapping[str, QuantizableLayer], inputs: int, reached: Mapping[str, float] | None = None
) -> dict[str, float]:
    """How long each layer takes, with the passes that follow the quantized model's inputs, in the time of a plain pass.

    Args:
        layers: by name, in the order in which the passes come to them.
        inputs: calibration inputs that are followed; 0 where layers are fitted to what full precision has shown before.
        reached: of :func:`watched_pass`; None spreads the passes evenly.

    Examples:
        >>> from torch import nn
        >>> network = {"narrow": nn.Linear(64, 8), "wide": nn.Linear(2048, 8)}
        >>> times = layer_times(network, 2, {"narrow": 0.5, "wide": 0.5})
        >>> {name: round(passes, 2) for name, passes in times.items()}
        {'narrow': 1.83, 'wide': 0.78}
    """
    passes, last, found = WALK_PASSES * inputs, 0.0, {}
    for name, layer in layers.items():
        columns = weight_matrix(layer).shape[1]
        far = last + 1 / len(layers) if reached is None else max(reached[name], last)
        found[name] = passes * (far - last) + _EACH_LAYER + _EACH_SQUARE * columns**2
        last = far
    return found
