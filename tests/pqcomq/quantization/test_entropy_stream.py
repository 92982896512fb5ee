"""The entropy coder's stream against a reader written from the page on file formats alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pqcomq.quantization.algorithm.integer_weight import IntegerWeight
from pqcomq.quantization.files.entropy_stream import EntropyStream, decoded, encoded

PRECISION = 24


class PlainReader:
    """What the page says, a symbol at a time."""

    def __init__(self, words):
        self.words = [int(word) for word in words]
        self.state = 0
        for _ in range(2):
            if self.words:
                self.state = self.state << 32 | self.words.pop()

    def symbol(self, frequencies):
        total, below, starts = sum(frequencies), 0, []
        free = 2**PRECISION - len(frequencies)
        for index, frequency in enumerate(frequencies):
            starts.append(int(below * (free / total)) + index)
            below += frequency
        starts.append(2**PRECISION)
        return self._between(starts)

    def low_bits(self, count):
        return self._between([each << (PRECISION - count) for each in range((1 << count) + 1)])

    def _between(self, starts):
        place = self.state & (2**PRECISION - 1)
        found = max(index for index, start in enumerate(starts[:-1]) if start <= place)
        self.state = (self.state >> PRECISION) * (starts[found + 1] - starts[found]) + place - starts[found]
        if self.state < 2**32 and self.words:
            self.state = self.state << 32 | self.words.pop()
        return found


def read_by_the_page(stream, shapes):
    """Codes, steps and spreads of every layer."""
    reader, ends = PlainReader(stream.words), np.cumsum(stream.tables[:, 1])
    tables = [list(map(int, part)) for part in np.split(stream.frequencies, ends[:-1])]

    def row(table, count):
        return [reader.symbol(tables[table]) + int(stream.tables[table, 0]) for _ in range(count)]

    counts = [sum(shape[1] for shape in shapes), sum(shape[0] for shape in shapes), sum(shape[1] for shape in shapes)]
    sides = [row(kind, count) for kind, count in enumerate(counts)]
    layers, where = [], []
    for layer, (n, m) in enumerate(shapes):
        own = [
            [sides[kind].pop(0) + int(stream.medians[layer, kind]) for _ in range(c)]
            for kind, c in enumerate((m, n, m))
        ]
        layers.append([np.zeros((n, m), int), *own])
        where += [(layer, j, i, own[1][j] + own[2][i]) for j in range(n) for i in range(m)]
    low = [min(max(-(-(each[3] - 18) // 4), 0), 14) for each in where]
    table = [min(max(each[3] - 4 * bits, -10), 18) for each, bits in zip(where, low, strict=True)]
    for wanted in range(-10, 19):
        for (layer, j, i, _size), own in zip(where, table, strict=True):
            if own == wanted:
                layers[layer][0][j, i] = row(3 + wanted + 10, 1)[0]
    for wanted in range(1, 15):
        for (layer, j, i, _size), own in zip(where, low, strict=True):
            if own == wanted:
                layers[layer][0][j, i] = layers[layer][0][j, i] << wanted | reader.low_bits(wanted)
    return layers


def layer(seed, n, m, size):
    generator = np.random.default_rng(seed)
    rows, columns = generator.integers(-2, 3, n), generator.integers(size - 4, size + 5, m)
    spread = 2.0 ** ((rows[:, None] + columns) / 4)
    codes = np.clip(np.rint(generator.normal(0, spread)), -(2**15) + 1, 2**15 - 1)
    parts = (codes, generator.integers(-90, -40, m), rows, columns)
    return IntegerWeight(*(torch.from_numpy(each.astype(np.int16)) for each in parts), shape=(n, m))


def assert_same(found, wanted):
    for name, part in wanted.parts().items():
        assert torch.equal(found.parts()[name], part), name
    assert found.shape == wanted.shape


@given(
    st.lists(
        st.tuples(st.integers(0, 99), st.integers(1, 5), st.integers(1, 30), st.integers(-14, 50)),
        min_size=1,
        max_size=3,
    )
)
def test_every_code_step_and_spread_comes_back(drawn):
    layers = [layer(*each) for each in drawn]
    stream = encoded(layers)
    for found, wanted in zip(decoded(stream, [each.shape for each in layers]), layers, strict=True):
        assert_same(found, wanted)
    assert encoded(layers).sha256 == stream.sha256


def test_the_page_on_file_formats_is_enough_to_read_a_stream():
    layers = [layer(1, 4, 6, 0), layer(2, 3, 5, 30), layer(3, 6, 4, -9)]
    stream = encoded(layers)
    for found, wanted in zip(read_by_the_page(stream, [each.shape for each in layers]), layers, strict=True):
        for own, part in zip(found, wanted.parts().values(), strict=True):
            assert np.array_equal(own, part.numpy())


def test_codes_of_known_spread_take_their_entropy_and_little_more():
    codes = layer(5, 256, 256, 4)
    stream = encoded([codes])
    entropy = np.log2(2.0 ** (codes.spread_classes().numpy() / 4) * np.sqrt(2 * np.pi * np.e)).sum()
    assert 8 * stream.words.nbytes < 1.03 * entropy
    assert stream.bits == 8 * sum(part.nbytes for part in stream.parts().values())


def test_what_is_no_stream_of_these_layers_is_refused():
    stream = encoded([layer(1, 8, 6, 0)])
    with pytest.raises(ValueError, match="another number of tables or layers"):
        decoded(stream, [(8, 6), (2, 2)])
    with pytest.raises(ValueError, match="tables of another size"):
        decoded(replace(stream, frequencies=stream.frequencies[1:]), [(8, 6)])
    with pytest.raises(ValueError, match="more than these layers"):
        decoded(encoded([layer(1, 80, 60, 8)]), [(80, 59)])
    empty = stream.tables.copy()
    empty[0] = (0, 0)
    gone = EntropyStream(stream.words, empty, stream.frequencies[stream.tables[0, 1] :], stream.medians)
    with pytest.raises(ValueError, match="lacks a table"):
        decoded(gone, [(8, 6)])
    assert gone.sha256 != stream.sha256


def test_steps_beyond_all_sizes_are_refused_before_anything_large_is_made_of_them():
    stream = encoded([layer(1, 8, 6, 0)])
    tables = stream.tables.copy()
    tables[0, 0] = 2**30
    with pytest.raises(ValueError, match="beyond all sizes"):
        decoded(replace(stream, tables=tables), [(8, 6)])
