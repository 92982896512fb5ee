"""A model whose layers were replaced by their quantized versions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import torch

from pqcomq.models.execution import Execution
from pqcomq.models.segmenter import Segmenter
from pqcomq.quantization.algorithm.config import QuantizationConfig
from pqcomq.quantization.algorithm.gram import QuantizableLayer
from pqcomq.quantization.algorithm.quantize_layer import QuantizedLayer, StoredWeight, by_layer
from pqcomq.quantization.algorithm.quantized_weight import QuantizedWeight
from pqcomq.quantization.files.entropy_stream import EntropyStream
from pqcomq.quantization.layer_names import copied, layers_to_quantize, positions
from pqcomq.quantization.planning.stored_bits import coded_names, effective_bits, stream_of
from pqcomq.quantization.position_embedding import in_bytes, widened
from pqcomq.wording import counted

_LARGE = 4096
"""Values from which on a tensor's size is felt in the file."""


@dataclass(frozen=True, eq=False, repr=False)
class QuantizedModel:
    """Packed weights beside the network that runs them.

    Large tensors that no width is for are rounded too: position embeddings to bytes, others, such as transposed
    convolutions, to float16.
    The network holds the weights widened to float32: what is computed is exactly what the codes stand for, but no
    faster than full precision. Its speed is a simulation of low bits, its size on disk is not.

    Attributes:
        segmenter: ready to run.
        weights: layer name → packed or entropy-coded weight; a mask decoder's layers begin with ``mask_decoder.``.
        settings: how they were quantized.
        calibration: description of the calibration slices, no patient data.
        layer_errors: layer name → share of the output energy lost on the calibration slices, as
            :class:`.QuantizedLayer` defines it.
        input_ranges: encoder layer name → lowest and highest input on the calibration slices, for runtimes that
            quantize activations. Empty in files written before ranges were kept.
    """

    segmenter: Segmenter
    weights: Mapping[str, StoredWeight]
    settings: QuantizationConfig
    calibration: Mapping[str, Any]
    layer_errors: Mapping[str, float]
    input_ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        full: Segmenter,
        results: Mapping[str, QuantizedLayer],
        settings: QuantizationConfig,
        calibration: Mapping[str, Any],
    ) -> QuantizedModel:
        """Put quantized weights into copies of ``full``'s networks.

        ``full`` itself stays as it is.
        """
        return cls.within(copied(full), results, settings, calibration)

    @classmethod
    def within(
        cls,
        model: Segmenter,
        results: Mapping[str, QuantizedLayer],
        settings: QuantizationConfig,
        calibration: Mapping[str, Any],
    ) -> QuantizedModel:
        """Put quantized weights into the networks of ``model``, which nobody else uses."""
        layers = layers_to_quantize(model, decoder=True)
        for name, result in results.items():
            result.put_into(layers[name])
        _round_tables(model, layers)
        weights, errors, ranges = by_layer(results)
        segmenter = replace(
            model,
            precision=settings.title,
            fingerprint=_fingerprint(model.checkpoint_sha256, weights, layers),
            execution=Execution.torch(quantized=True),
        )
        return cls(segmenter, weights, settings, calibration, errors, ranges)

    def __repr__(self) -> str:
        return (
            f"QuantizedModel({self.segmenter.title}, {self.segmenter.precision}: "
            f"{counted(len(self.weights), 'layer')}, {self.effective_bits:.2f} bits per weight)"
        )

    @property
    def effective_bits(self) -> float:
        """Bits for each quantized weight as stored, with all that it takes to widen them again counted."""
        return effective_bits(self.weights, self.stream)

    @property
    def packed_weights(self) -> dict[str, QuantizedWeight]:
        """The weights that can stay packed in memory; entropy-coded ones have no bit width, and are run widened."""
        if coded_names(self.weights):
            return {}
        return {name: weight for name, weight in self.weights.items() if isinstance(weight, QuantizedWeight)}

    @cached_property
    def ranges_sha256(self) -> str:
        """Hash of the input ranges, hexadecimal."""
        return hashlib.sha256(repr(sorted(self.input_ranges.items())).encode()).hexdigest()

    @cached_property
    def stream(self) -> EntropyStream | None:
        """The entropy-coded layers as they are stored; None if there are none."""
        return stream_of(self.weights)


def with_unique_names(models: Sequence[QuantizedModel]) -> list[QuantizedModel]:
    """The same models; those of one title also bear the beginning of their fingerprint, as their files do.

    Weights rounded to nearest are the same whatever they were calibrated on; such models are numbered.
    """
    titles = [each.segmenter.precision for each in models]
    marked = [f"{title} ({each.segmenter.fingerprint[:8]}" for title, each in zip(titles, models, strict=True)]
    named = []
    for place, (each, title, mark) in enumerate(zip(models, titles, marked, strict=True)):
        before = marked[:place].count(mark)
        unique = f"{mark}{f'_{before + 1}' * bool(before)})" if titles.count(title) > 1 else title
        named.append(replace(each, segmenter=replace(each.segmenter, precision=unique)))
    return named


def _round_tables(model: Segmenter, layers: Mapping[str, QuantizableLayer]) -> None:
    """Round what is large and not a layer's own weight, in place: positions to bytes, the rest to float16."""
    table = positions(model)
    if table is not None:
        table.data = widened(*in_bytes(table.data))
    own = {id(layer.weight) for layer in layers.values()}
    for part in (model.image_encoder, model.mask_decoder):
        for tensor in part.parameters():
            halved = tensor.data.half().float()
            if tensor is table:
                continue
            if tensor.numel() > _LARGE and id(tensor) not in own and bool(torch.isfinite(halved).all()):
                tensor.data = halved


def _fingerprint(checkpoint: str, weights: Mapping[str, StoredWeight], layers: Mapping[str, QuantizableLayer]) -> str:
    digest = hashlib.sha256(checkpoint.encode())
    for name in sorted(weights):
        digest.update(name.encode())
        for part in (*weights[name].parts().values(), layers[name].bias):
            if part is not None:
                digest.update(part.detach().contiguous().numpy().tobytes())
    return digest.hexdigest()
