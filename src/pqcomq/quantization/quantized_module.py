"""A network of one's own whose layers were replaced by their quantized versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from torch import nn

from pqcomq.quantization.algorithm.config import QuantizationConfig
from pqcomq.quantization.algorithm.quantize_layer import QuantizedLayer, StoredWeight, by_layer
from pqcomq.quantization.files.entropy_stream import EntropyStream
from pqcomq.quantization.module_layers import layers_and_reasons
from pqcomq.quantization.planning.stored_bits import effective_bits, stream_of
from pqcomq.wording import counted


@dataclass(frozen=True, eq=False, repr=False)
class QuantizedModule:
    """A network with its packed weights.

    The network holds them widened to float32: it computes exactly what the codes stand for, no faster than before.

    Attributes:
        module: a copy of the network that was given, in evaluation mode, with the quantized weights.
        weights: layer name → packed or entropy-coded weight.
        settings: how they were quantized.
        layer_errors: layer name → share of the layer's output energy lost on the calibration inputs,
            ``‖X Wᵀ − X̂ Qᵀ‖² / ‖X Wᵀ‖²``; 0 for a layer that no calibration input came to.
        input_ranges: layer name → lowest and highest calibration input; layers that none came to are missing.
        left_out: name → why a linear or convolution layer stays in full precision.
    """

    module: nn.Module
    weights: Mapping[str, StoredWeight]
    settings: QuantizationConfig
    layer_errors: Mapping[str, float]
    input_ranges: Mapping[str, tuple[float, float]]
    left_out: Mapping[str, str]

    @classmethod
    def of(
        cls, module: nn.Module, results: Mapping[str, QuantizedLayer], settings: QuantizationConfig
    ) -> QuantizedModule:
        """Put quantized weights into ``module``, which nobody else uses."""
        layers, left_out = layers_and_reasons(module)
        for name, result in results.items():
            result.put_into(layers[name])
        weights, errors, ranges = by_layer(results)
        return cls(module, weights, settings, errors, ranges, left_out)

    @property
    def unreached(self) -> tuple[str, ...]:
        """Layers that no calibration input came to: they were rounded as if all their inputs counted alike."""
        return tuple(name for name in self.weights if name not in self.input_ranges)

    @property
    def effective_bits(self) -> float:
        """Bits for each quantized weight as stored, with all that it takes to widen them again counted."""
        return effective_bits(self.weights, self.stream)

    @cached_property
    def stream(self) -> EntropyStream | None:
        """The entropy-coded layers as they are stored; None if there are none."""
        return stream_of(self.weights)

    def __repr__(self) -> str:
        return (
            f"QuantizedModule({type(self.module).__name__}, {self.settings.title}: "
            f"{counted(len(self.weights), 'layer')}, {self.effective_bits:.2f} bits per weight)"
        )
