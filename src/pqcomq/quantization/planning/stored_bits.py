"""How many bits weights take, as they lie in a file."""

from __future__ import annotations

from collections.abc import Mapping

from pqcomq.quantization.algorithm.integer_weight import IntegerWeight
from pqcomq.quantization.algorithm.quantize_layer import StoredWeight
from pqcomq.quantization.algorithm.quantized_weight import QuantizedWeight
from pqcomq.quantization.files.entropy_stream import EntropyStream, encoded


def stream_of(weights: Mapping[str, StoredWeight]) -> EntropyStream | None:
    """The entropy-coded weights in one stream, in the order of their names; None if there are none."""
    coded = coded_names(weights)
    return encoded([weights[name] for name in coded]) if coded else None  # type: ignore[misc]


def coded_names(weights: Mapping[str, StoredWeight]) -> list[str]:
    """Which weights are entropy-coded, in the order in which they are."""
    return sorted(name for name, weight in weights.items() if isinstance(weight, IntegerWeight))


def effective_bits(weights: Mapping[str, StoredWeight], stream: EntropyStream | None) -> float:
    """Stored bits for each quantized weight, over all layers: nothing that it takes to widen them again is left out."""
    packed = sum(each.storage_bits for each in weights.values() if isinstance(each, QuantizedWeight))
    return (packed + (stream.bits if stream else 0)) / _count(weights)


def code_bits(weights: Mapping[str, StoredWeight], stream: EntropyStream | None) -> float:
    """Bits of a weight's code alone, the mean over all layers; of entropy-coded ones what the coder's words take."""
    packed = sum(each.bits * each.rows * each.columns for each in weights.values() if isinstance(each, QuantizedWeight))
    return (packed + (8 * stream.words.nbytes if stream else 0)) / _count(weights)


def _count(weights: Mapping[str, StoredWeight]) -> int:
    return sum(each.rows * each.columns for each in weights.values())
