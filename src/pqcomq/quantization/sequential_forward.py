"""Forward passes through two models that halt together at each layer.

All calibration slices go through the model in full precision and through the one that becomes quantized, each pass in
a greenlet of its own: it runs until it reaches a layer, shows what the layer is about to see, and goes on once that
layer has been quantized in between. So every pass is run exactly once, encoder and decoder alike, whatever the model
looks like inside, and no more activations are in memory than the halted passes hold.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence

import torch
from greenlet import getcurrent, greenlet
from torch import Tensor, nn

from pqcomq.quantization.algorithm.gram import QuantizableLayer, spread_rows, tokens
from pqcomq.quantization.algorithm.paired_gram import PairedGram
from pqcomq.quantization.calibration_passes import Pass


class _Halting:
    """Makes one model's layers hand what they see to whoever runs the pass, the first time that they are reached."""

    def __init__(self, layers: Mapping[str, QuantizableLayer]) -> None:
        self._handles = [self._listen(name, layer) for name, layer in layers.items()]

    def _listen(self, name: str, layer: QuantizableLayer) -> torch.utils.hooks.RemovableHandle:
        reached: set[greenlet] = set()

        def halt(_layer: nn.Module, arguments: tuple[Tensor, ...]) -> None:
            here = getcurrent()
            if here.parent is not None and here not in reached:
                reached.add(here)
                here.parent.switch(name, spread_rows(tokens(layer, arguments[0])))

        return layer.register_forward_pre_hook(halt)

    def end(self) -> None:
        for handle in self._handles:
            handle.remove()


@torch.inference_mode()
def sequential_forward(
    full: Sequence[Pass],
    low: Sequence[Pass],
    full_layers: Mapping[str, QuantizableLayer],
    low_layers: Mapping[str, QuantizableLayer],
) -> Generator[tuple[str, PairedGram], None, None]:
    """Give the inputs of one layer after the other, each as its predecessors' quantization has left them.

    The caller puts the layer's quantized weight into the low model before asking for the next, always in the same
    thread. A layer that a pass reaches several times counts with what it sees first.

    Args:
        full: runs each slice through the model in full precision.
        low: runs the same slices, in the same order, through a copy whose layers become quantized meanwhile.
        full_layers: name → layer of the one.
        low_layers: name → layer of the other.

    Yields:
        Layer name and grams, in the order in which the layers run.
    """
    halting = [_Halting(full_layers), _Halting(low_layers)]
    pairs = [(greenlet(wanted), greenlet(left)) for wanted, left in zip(full, low, strict=True)]
    try:
        while True:
            grams: PairedGram | None = None
            name = ""
            for pair in pairs:
                # Each pair's rows are let go before the next pair moves on.
                halts = [each.switch() for each in pair]
                if any(each.dead for each in pair):
                    return
                (name, wanted_rows), (low_name, low_rows) = halts
                if name != low_name:
                    raise RuntimeError(f"the two models reached {name} and {low_name} at the same time")
                grams = grams or PairedGram.empty(wanted_rows.shape[1])
                grams.add(low_rows, wanted_rows)
            if grams is None:
                return
            yield name, grams
    finally:
        for hooks in halting:
            hooks.end()
        for pair in pairs:
            for waiting in pair:
                waiting.throw()  # GreenletExit: it goes no further
