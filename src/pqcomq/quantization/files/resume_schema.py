"""What the files of an unfinished quantization may hold."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from pqcomq.json_schema import Count, Exact, Finite, Text
from pqcomq.quantization.algorithm.config import STORED_BITS

Extent = Annotated[int, Meta(ge=1, le=2**24)]


class LayerHead(Struct):
    """Of one finished layer; of entropy-coded ones without bits and run."""

    name: Text
    shape: Annotated[list[Extent], Meta(min_length=2, max_length=5)]
    error: Finite
    input_range: tuple[Finite, Finite] | None
    bits: Literal[1, 2, 3, 4, 5, 6, 8] | None = None
    run: Count | None = None


class PlannedLayer(Exact):
    """How one layer is to be stored."""

    bits: Literal[1, 2, 3, 4, 5, 6, 8]
    group_size: Extent
    stored_bits: Annotated[float, Meta(ge=STORED_BITS[0], le=STORED_BITS[1])] | None = None


class LayerPlans(Struct):
    """Of all layers."""

    layers: dict[Text, PlannedLayer]
