"""Moments of a layer's inputs, gathered as batches stream by; activations are never kept.

With inputs X (tokens N, inputs m), all that the descent needs of them is the Gram matrix H = XᵀX (m, m).
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

QuantizableLayer = nn.Linear | nn.Conv2d

_ENOUGH_ROWS = 1024


@dataclass
class InputGram:
    """What is known of a layer's inputs X (N, m).

    Attributes:
        gram: (m, m) float32, XᵀX.
        count: N.
        low: the lowest input.
        high: the highest input.
    """

    gram: Tensor
    count: int = 0
    low: float = math.inf
    high: float = -math.inf

    @classmethod
    def empty(cls, columns: int) -> Self:
        """Of a layer with that many inputs, before any row."""
        return cls(torch.zeros(columns, columns))

    def add(self, rows: Tensor) -> None:
        """Take in further rows (N, m); none, as an expert sees to which nothing is routed, tell nothing."""
        if not len(rows):
            return
        self.gram.addmm_(rows.T, rows)
        self.count += len(rows)
        low, high = rows.aminmax()
        self.low, self.high = min(self.low, float(low)), max(self.high, float(high))

    def add_known(self, other: InputGram) -> None:
        """Take in what is known of other rows."""
        self.gram = self.gram + other.gram
        self.count += other.count
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)


def quantizable_layers(module: nn.Module) -> dict[str, QuantizableLayer]:
    """The linear and dense convolution layers below ``module`` by name, in the order of definition.

    Depthwise and grouped convolutions stay in full precision: they hold few weights and each output sees few inputs.
    """
    return {
        name: layer
        for name, layer in module.named_modules()
        if isinstance(layer, nn.Linear) or (isinstance(layer, nn.Conv2d) and layer.groups == 1)
    }


def weight_matrix(layer: QuantizableLayer) -> Tensor:
    """The layer's weight as (n outputs, m inputs); a convolution's kernel taps are inputs of their own."""
    return layer.weight.detach().flatten(1)


def input_of(arguments: tuple[Tensor, ...], named: Mapping[str, Tensor] | None) -> Tensor:
    """What a layer is called with, by place or as ``input=``; hooks hear of the latter as ``named``.

    A hook's ``named`` has a default: torch notes that a hook takes names only once it is on the layer, and forgets it
    while calls in other threads are not over. Such a call is of none of the hook's own passes.
    """
    return arguments[0] if arguments else (named or {})["input"]


def tokens(layer: QuantizableLayer, inputs: Tensor) -> Tensor:
    """The layer's input as rows of dot-product operands (N, m), so that its output is ``tokens @ Wᵀ + bias``."""
    if isinstance(layer, nn.Linear):
        return inputs.reshape(-1, inputs.shape[-1])  # (N, m)
    if inputs.dim() == 3:
        inputs = inputs[None]  # one image without a batch
    if isinstance(layer.padding, str) or layer.padding_mode != "zeros":
        return _patches(layer, _padded(layer, inputs), padding=0)
    if layer.kernel_size == (1, 1) and layer.stride == (1, 1) and layer.padding == (0, 0):
        return inputs.movedim(1, -1).flatten(0, -2)  # (N, m)
    return _patches(layer, inputs, layer.padding)  # type: ignore[arg-type]


def _patches(layer: nn.Conv2d, inputs: Tensor, padding: int | tuple[int, int]) -> Tensor:
    """What lies under the kernel at each of its places, (N, m)."""
    patches = F.unfold(inputs, layer.kernel_size, layer.dilation, padding, layer.stride)
    return patches.transpose(1, 2).flatten(0, 1)  # (B, m, L) → (B * L, m)


def _padded(layer: nn.Conv2d, inputs: Tensor) -> Tensor:
    """An image (B, C, H, W) with the margin of a convolution whose padding is a word or no zeros."""
    margins = layer._reversed_padding_repeated_twice  # left, right, top, bottom, as F.pad takes them
    if layer.padding_mode == "zeros":
        return F.pad(inputs, margins)
    return F.pad(inputs, margins, mode=layer.padding_mode)


def spread_rows(rows: Tensor) -> Tensor:
    """Every k-th of many rows (N, m), so that m of them and 1,024 are left at least.

    Neighbouring tokens of an image are much alike; beyond that many a batch, more of them cost time and change little.
    """
    step = max(len(rows) // max(rows.shape[1], _ENOUGH_ROWS), 1)
    # Odd: images are a power of two wide, and an even step would see the same few columns in every row.
    return rows[:: step - (step % 2 == 0)]


class PassGrams:
    """What each layer sees in single passes, several of which may run at a time in threads of their own.

    Args:
        layers: by name. Hooks stay on them until :meth:`end`.
    """

    def __init__(self, layers: Mapping[str, QuantizableLayer]) -> None:
        self._here = threading.local()
        self._handles = [self._listen(name, layer) for name, layer in layers.items()]

    def _listen(self, name: str, layer: QuantizableLayer) -> torch.utils.hooks.RemovableHandle:
        def add(_layer: nn.Module, arguments: tuple[Tensor, ...], named: dict[str, Tensor] | None = None) -> None:
            grams: dict[str, InputGram] | None = getattr(self._here, "grams", None)
            if grams is None:
                return
            if name not in grams:
                grams[name] = InputGram.empty(weight_matrix(layer).shape[1])
            grams[name].add(spread_rows(tokens(layer, input_of(arguments, named).float())))

        return layer.register_forward_pre_hook(add, with_kwargs=True)

    @contextmanager
    def into(self, grams: dict[str, InputGram]) -> Iterator[None]:
        """While open, what layers see in this thread is added to ``grams``."""
        self._here.grams = grams
        try:
            yield
        finally:
            self._here.grams = None

    def of(self, run: Callable[[], None]) -> dict[str, InputGram]:
        """Name → what the layer sees while ``run`` runs; layers that it does not reach are missing."""
        grams: dict[str, InputGram] = {}
        with self.into(grams):
            run()
        return grams

    def end(self) -> None:
        """Take the hooks off the layers."""
        for handle in self._handles:
            handle.remove()


def no_grams(layers: Mapping[str, QuantizableLayer]) -> dict[str, InputGram]:
    """Name → what is known of each layer's inputs before any pass."""
    return {name: InputGram.empty(weight_matrix(layer).shape[1]) for name, layer in layers.items()}
