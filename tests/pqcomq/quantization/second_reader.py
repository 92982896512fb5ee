"""A reader of weights files written from the page *File formats* alone: numpy and the standard library, no pqcomq."""

from __future__ import annotations

import hashlib
import json
import math

import numpy as np

TYPES = {"F16": "<f2", "F32": "<f4", "I8": "i1", "U8": "u1", "I16": "<i2", "I32": "<i4", "I64": "<i8"}


def read(path):
    """The manifest, and name → array of the network's state, quantized weights widened."""
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    manifest, tensors = json.loads(header.pop("__metadata__")["pqcomq"]), {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        tensors[name] = np.frombuffer(data[begin:end], TYPES[entry["dtype"]]).reshape(entry["shape"])
    family, layers = "model" in manifest, manifest["layers"]
    names = {
        layer: f"image_encoder.{layer}" if family and not layer.startswith("mask_decoder.") else layer
        for layer in layers
    }
    weights = coded(manifest, tensors)
    for layer, entry in layers.items():
        if layer not in weights:
            weights[layer] = packed(entry, tensors, names[layer])
    state = {f"{names[layer]}.weight": weight.reshape(layers[layer]["shape"]) for layer, weight in weights.items()}
    if "image_encoder.pos_embed.codes" in tensors:
        codes, scale = (tensors.pop(f"image_encoder.pos_embed.{part}") for part in ("codes", "scale"))
        state["image_encoder.pos_embed"] = codes.astype(np.float32) * scale.astype(np.float32)
    return manifest, state | {
        name: each.astype(np.float32) if each.dtype == "<f2" else each for name, each in tensors.items()
    }


def packed(entry, tensors, name):
    codes, scale, zero_point = (tensors.pop(f"{name}.{part}") for part in ("codes", "scale", "zero_point"))
    bits, run, columns = entry["bits"], entry["run"], math.prod(entry["shape"][1:])
    shifts = np.arange(8 // bits, dtype=np.uint8) * bits
    codes = (codes[:, :, None] >> shifts & (1 << bits) - 1).reshape(len(codes), -1)[:, :columns]
    group = np.arange(columns) // run
    scale, zero_point = (
        np.broadcast_to(each, (len(codes), each.shape[1])).astype(np.float32)[:, group] for each in (scale, zero_point)
    )
    weight = np.empty((len(codes), columns), np.float32)
    weight[:, tensors.pop(f"{name}.permutation", np.arange(columns))] = scale * (codes.astype(np.float32) - zero_point)
    return weight


def coded(manifest, tensors):
    """Entropy-coded layers by name."""
    names = sorted(name for name, entry in manifest["layers"].items() if entry.get("coding") == "entropy")
    if not names:
        return {}
    parts = [tensors.pop(f"entropy_stream.{part}") for part in ("words", "tables", "frequencies", "medians")]
    assert (
        hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest() == manifest["entropy_stream"]["sha256"]
    )
    words, tables, frequencies, medians = parts
    symbols = Symbols(words.view("<u4"), tables, frequencies.view("<u2"))
    shapes = [
        (manifest["layers"][name]["shape"][0], math.prod(manifest["layers"][name]["shape"][1:])) for name in names
    ]
    sides = [
        [
            np.array([symbols.next(kind) for _ in range(shape[which])]) + medians[layer, kind]
            for layer, shape in enumerate(shapes)
        ]
        for kind, which in enumerate((1, 0, 1))
    ]  # e, r and s of each layer
    classes = np.concatenate([(r[:, None] + s).ravel() for r, s in zip(sides[1], sides[2], strict=True)])
    low_bits = np.clip(-(-(classes - 18) // 4), 0, 14)
    table = np.clip(classes - 4 * low_bits, -10, 18) + 13
    codes = np.zeros(len(classes), np.int64)
    for each in range(3, 32):
        for place in np.flatnonzero(table == each):
            codes[place] = symbols.next(each)
    for count in range(1, 15):
        for place in np.flatnonzero(low_bits == count):
            codes[place] = codes[place] << count | symbols.low_bits(count)
    ends = np.cumsum([rows * columns for rows, columns in shapes])[:-1]
    steps = [np.ldexp((2 ** (e % 8 / 8)).astype(np.float32), (e // 8).astype(np.int32)) for e in sides[0]]
    return {
        name: each.reshape(shape).astype(np.float32) * step
        for name, each, shape, step in zip(names, np.split(codes, ends), shapes, steps, strict=True)
    }


class Symbols:
    def __init__(self, words, tables, frequencies):
        self.words, self.lowest = [int(word) for word in words], tables[:, 0]
        self.state = self.words.pop() << 32 | self.words.pop()
        ends = np.cumsum(tables[:, 1])
        self.starts = [self.table(part.astype(np.float64)) for part in np.split(frequencies, ends[:-1])]

    @staticmethod
    def table(f):
        below = np.concatenate([[0], np.cumsum(f)[:-1]]) if len(f) else f
        starts = np.arange(len(f)) + np.floor(below * ((2**24 - len(f)) / max(f.sum(), 1)))
        return [*map(int, starts), 2**24]

    def next(self, table):
        return self.between(self.starts[table]) + int(self.lowest[table])

    def low_bits(self, count):
        return self.between(range(0, 2**24 + 1, 2 ** (24 - count)))

    def between(self, starts):
        place = self.state % 2**24
        found = int(np.searchsorted(starts, place, "right")) - 1 if isinstance(starts, list) else place // starts.step
        self.state = (self.state >> 24) * (starts[found + 1] - starts[found]) + place - starts[found]
        if self.state < 2**32 and self.words:
            self.state = self.state << 32 | self.words.pop()
        return found
