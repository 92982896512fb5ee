"""The codes of a whole model as one stream of an entropy coder, with all that it takes to read them again.

Asymmetric numeral systems (Duda, arXiv 1311.2540), by the library ``constriction``. Every class of codes has a table of
frequencies, see :mod:`.code_classes`; steps and spreads are coded first, as differences from their layer's median, with
a table for each kind. The page *File formats* says how to read a stream without the library.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import constriction
import numpy as np
import torch

from pqcomq.quantization.algorithm.code_classes import HIGHEST, LOWEST, low_bits_of
from pqcomq.quantization.algorithm.integer_weight import SPREADS_AN_OCTAVE, IntegerWeight

_SIDES = ("step", "row_spread", "column_spread")
_MOST_FREQUENCY = 2**16 - 1
_MOST_SIDE = 2**12
"""Steps and spreads are smaller, whatever the weights in float32."""


@dataclass(frozen=True, eq=False)
class EntropyStream:
    """Coded weights of several layers.

    Attributes:
        words: uint32, of the coder.
        tables: (T, 2) int32, lowest symbol and count of symbols of each table: of steps, row spreads and column
            spreads, then of each class from the lowest up; those that nothing uses have no symbols.
        frequencies: uint16, of all tables' symbols in a row.
        medians: (L, 3) int16, of each layer's steps, row spreads and column spreads.
    """

    words: np.ndarray
    tables: np.ndarray
    frequencies: np.ndarray
    medians: np.ndarray

    @property
    def bits(self) -> int:
        """That it takes in a file."""
        return sum(8 * part.nbytes for part in self.parts().values())

    def parts(self) -> dict[str, np.ndarray]:
        """Its arrays by name."""
        return {
            "words": self.words,
            "tables": self.tables,
            "frequencies": self.frequencies,
            "medians": self.medians,
        }

    @property
    def sha256(self) -> str:
        """Of all arrays, in the order of :meth:`parts`, little-endian."""
        digest = hashlib.sha256()
        for part in self.parts().values():
            digest.update(np.ascontiguousarray(part, part.dtype.newbyteorder("<")).tobytes())
        return digest.hexdigest()


def encoded(weights: Sequence[IntegerWeight]) -> EntropyStream:
    """Code the weights of some layers; the same bytes every time."""
    sides, medians = _side_information(weights)
    groups = [np.concatenate(each) for each in sides]
    low_groups: list[tuple[int, np.ndarray]] = []
    if weights:
        by_class, low_groups = _grouped(weights)
        groups += by_class
    tables, frequencies = [], []
    coder = constriction.stream.stack.AnsCoder()
    for low_bits, lows in reversed(low_groups):
        coder.encode_reverse(lows, constriction.stream.model.Uniform(1 << low_bits))
    for symbols in reversed(groups):
        lowest, counts = _table(symbols)
        tables.append((lowest, len(counts)))
        frequencies.append(counts)
        if symbols.size:
            coder.encode_reverse((symbols - lowest).astype(np.int32), _model(counts))
    return EntropyStream(
        coder.get_compressed(),
        np.array(tables[::-1], dtype=np.int32).reshape(-1, 2),
        np.concatenate(frequencies[::-1]) if frequencies else np.zeros(0, np.uint16),
        medians,
    )


def decoded(stream: EntropyStream, shapes: Sequence[tuple[int, ...]]) -> list[IntegerWeight]:
    """Read weights again.

    Args:
        stream: as :func:`encoded` made it; its checksum was compared.
        shapes: of the layers' own weights.

    Raises:
        ValueError: the stream is not one of layers of these shapes.
    """
    count = len(_SIDES) + HIGHEST - LOWEST + 1
    if stream.tables.shape != (count, 2) or stream.medians.shape != (len(shapes), len(_SIDES)):
        raise ValueError("has another number of tables or layers")
    if (stream.tables[:, 1] < 0).any() or stream.tables[:, 1].sum() != stream.frequencies.size:
        raise ValueError("has tables of another size")
    coder = constriction.stream.stack.AnsCoder(stream.words)
    ends = np.cumsum(stream.tables[:, 1])
    parts = np.split(stream.frequencies, ends[:-1])

    def taken(table: int, size: int) -> np.ndarray:
        """The next symbols of a table."""
        if size == 0:
            return np.zeros(0, np.int32)
        if not parts[table].any():
            raise ValueError("lacks a table")
        symbols: np.ndarray = coder.decode(_model(parts[table]), size) + stream.tables[table, 0]
        return symbols

    matrices = [(shape[0], math.prod(shape[1:])) for shape in shapes]
    sizes = {"step": [m for _n, m in matrices], "row_spread": [n for n, _m in matrices]}
    sizes["column_spread"] = sizes["step"]
    sides: dict[str, list[np.ndarray]] = {}
    for kind, side in enumerate(_SIDES):
        row = taken(kind, sum(sizes[side]))
        layers = np.split(row.astype(np.int64), np.cumsum(sizes[side])[:-1])
        sides[side] = [each + int(stream.medians[layer, kind]) for layer, each in enumerate(layers)]
        if any(np.abs(each).max(initial=0) >= _MOST_SIDE for each in sides[side]):
            raise ValueError("holds steps or spreads beyond all sizes that weights have")
    places = _Places.of(sides["row_spread"], sides["column_spread"])
    symbols = [taken(len(_SIDES) + each, len(where)) for each, where in enumerate(places.by_table)]
    codes = np.empty(places.count, np.int32)
    codes[places.order] = np.concatenate(symbols)
    for low_bits, where in places.by_low_bits():
        lows = coder.decode(constriction.stream.model.Uniform(1 << low_bits), len(where))
        codes[where] = (codes[where] << low_bits) | lows
    if not coder.is_empty():
        raise ValueError("holds more than these layers")
    if np.abs(codes).max(initial=0) >= 2**15:
        raise ValueError("holds codes of more than 16 bits")
    rows = np.split(codes.astype(np.int16), np.cumsum([n * m for n, m in matrices])[:-1])
    return [
        IntegerWeight(
            torch.from_numpy(each.reshape(matrix)),
            **{side: torch.from_numpy(sides[side][layer].astype(np.int16)) for side in _SIDES},
            shape=tuple(shape),
        )
        for layer, (each, matrix, shape) in enumerate(zip(rows, matrices, shapes, strict=True))
    ]


def _side_information(weights: Sequence[IntegerWeight]) -> tuple[list[list[np.ndarray]], np.ndarray]:
    """Of each kind each layer's differences from its median; and the medians (L, 3)."""
    values = [[getattr(weight, side).numpy().astype(np.int32) for weight in weights] for side in _SIDES]
    medians = np.array([[int(np.median(each)) for each in kind] for kind in values], dtype=np.int16)
    differences = [
        [each - median for each, median in zip(kind, of_kind, strict=True)] or [np.zeros(0, np.int32)]
        for kind, of_kind in zip(values, medians.astype(np.int32), strict=True)
    ]
    return differences, np.ascontiguousarray(medians.T)


@dataclass(frozen=True, eq=False)
class _Places:
    """Where codes stand in a row of all of them, layer after layer, row after row.

    Attributes:
        order: places by table, ascending, those of one table as they stand.
        by_table: the same, of each table from the lowest class up.
        low_bits: of each code, uint8.
    """

    order: np.ndarray
    by_table: list[np.ndarray]
    low_bits: np.ndarray

    @classmethod
    def of(cls, rows: Sequence[np.ndarray], columns: Sequence[np.ndarray]) -> _Places:
        """By the spreads of each layer's rows and columns."""
        layers = [(row[:, None] + column).ravel() for row, column in zip(rows, columns, strict=True)]
        classes = np.concatenate(layers or [np.zeros(0, np.int32)])
        least = int(classes.min(initial=0))
        known = torch.arange(least, int(classes.max(initial=0)) + 1)
        low_bits = low_bits_of(known)
        table = (known - SPREADS_AN_OCTAVE * low_bits).clamp(LOWEST, HIGHEST) - LOWEST
        classes -= least
        tables = table.to(torch.uint8).numpy()[classes]
        order = np.argsort(tables, kind="stable")  # bytes are sorted by counting
        ends = np.cumsum(np.bincount(tables, minlength=HIGHEST - LOWEST + 1))
        return cls(order, np.split(order, ends[:-1]), low_bits.to(torch.uint8).numpy()[classes])

    @property
    def count(self) -> int:
        """How many codes there are."""
        return len(self.order)

    def by_low_bits(self) -> Iterator[tuple[int, np.ndarray]]:
        """Numbers of low bits, ascending, and the places of codes that have as many."""
        having = np.flatnonzero(self.low_bits)
        for low_bits in np.unique(self.low_bits[having]):
            yield int(low_bits), having[self.low_bits[having] == low_bits]


def _grouped(weights: Sequence[IntegerWeight]) -> tuple[list[np.ndarray], list[tuple[int, np.ndarray]]]:
    """Symbols by table from the lowest class up; low bits by how many there are."""
    codes = np.concatenate([weight.codes.numpy().ravel() for weight in weights]).astype(np.int32)
    sides = ([getattr(weight, side).numpy().astype(np.int32) for weight in weights] for side in _SIDES[1:])
    places = _Places.of(*sides)
    symbols = codes >> places.low_bits
    lows = [(each, codes[where] & ((1 << each) - 1)) for each, where in places.by_low_bits()]
    return [symbols[where] for where in places.by_table], lows


def _table(symbols: np.ndarray) -> tuple[int, np.ndarray]:
    """The lowest symbol, and how frequent it and those above are, from 0 to 65,535; if any, two at least."""
    if not symbols.size:
        return 0, np.zeros(0, np.uint16)
    lowest = int(symbols.min())
    counts = np.bincount(symbols - lowest, minlength=2)
    scaled = np.rint(counts * (_MOST_FREQUENCY / counts.max()))
    return lowest, np.where(counts > 0, np.maximum(scaled, 1), 0).astype(np.uint16)


def _model(frequencies: np.ndarray) -> constriction.stream.model.Categorical:
    return constriction.stream.model.Categorical(frequencies.astype(np.float64), perfect=False)
