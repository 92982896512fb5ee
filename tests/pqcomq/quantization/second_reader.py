"""A reader of weights files written from the page *File formats* alone: numpy and the standard library, no pqcomq."""

import hashlib
import json
import math

import numpy as np

TYPES = {"F16": "<f2", "F32": "<f4", "I8": "i1", "U8": "u1", "I16": "<i2", "I32": "<i4", "I64": "<i8"}


def read(path):
    """The manifest, and name → array of the network's state, quantized weights widened."""
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    manifest, state = json.loads(header.pop("__metadata__")["pqcomq"]), {}
    found = hashlib.sha256()
    for name, entry in sorted(header.items()):
        begin, end = (start + offset for offset in entry["data_offsets"])
        state[name] = np.frombuffer(data[begin:end], TYPES[entry["dtype"]]).reshape(entry["shape"])
        line = " ".join([name, state[name].dtype.name, *map(str, entry["shape"])])
        found.update(f"{line}\n".encode() + data[begin:end])
    assert found.hexdigest() == manifest.get("tensors_sha256", found.hexdigest())
    stream = manifest.get("entropy_stream")
    weights = entropy_coded(manifest["layers"], state, stream["sha256"]) if stream else {}
    for layer, entry in manifest["layers"].items():
        name = f"image_encoder.{layer}" if "model" in manifest and not layer.startswith("mask_decoder.") else layer
        weight = weights[layer] if layer in weights else packed(entry, state, name)
        state[f"{name}.weight"] = weight.reshape(entry["shape"])
    position = "image_encoder.pos_embed"
    if f"{position}.codes" in state:
        state[position] = state.pop(f"{position}.codes").astype("f4") * state.pop(f"{position}.scale").astype("f4")
    return manifest, {name: each.astype("f4") if each.dtype == "<f2" else each for name, each in state.items()}


def packed(entry, state, name):
    bits, rows, columns = entry["bits"], entry["shape"][0], math.prod(entry["shape"][1:])
    codes = numbers(state.pop(f"{name}.codes"), bits, columns).astype("f4")
    if entry.get("scales") == "coarse":
        parts = ("scale_rows", "scale_steps", "zero_point_steps")
        largest, steps, quarters = (state.pop(f"{name}.{part}") for part in parts)
        groups = -(-columns // entry["run"])
        steps, quarters = (
            numbers(each[None], bits + 2, rows * groups).reshape(rows, groups) for each in (steps, quarters)
        )
        exponent = largest[:, None].astype("i8") * 2**bits // 2 - steps
        fraction = (2 ** (exponent % 2**bits / 2**bits)).astype("f4")
        scale, zero_point = np.ldexp(fraction, exponent // 2**bits).astype("f2"), quarters.astype("f4") / 4 - 0.5
    else:
        scale, zero_point = (state.pop(f"{name}.{part}") for part in ("scale", "zero_point"))
    group = np.arange(columns) // entry["run"]
    weight = np.empty_like(codes)
    order = state.pop(f"{name}.permutation", np.arange(columns))
    weight[:, order] = scale.astype("f4")[:, group] * (codes - zero_point.astype("f4")[:, group])
    return weight


def numbers(rows, bits, count):
    """Rows of bytes as rows of whole numbers."""
    digits = np.unpackbits(rows, axis=1, bitorder="little")[:, : bits * count]
    return digits.reshape(len(rows), count, bits) @ (1 << np.arange(bits))


def entropy_coded(layers, state, sha256):
    """Layers of an entropy coder by name: sides of all layers, then codes by class, then their low bits."""
    parts = [state.pop(f"entropy_stream.{part}") for part in ("words", "tables", "frequencies", "medians")]
    assert hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest() == sha256
    words, tables, frequencies, medians = parts
    names = sorted(name for name, entry in layers.items() if entry.get("coding") == "entropy")
    shapes = [(layers[name]["shape"][0], math.prod(layers[name]["shape"][1:])) for name in names]
    coder = Coder(words.view("<u4").tolist())
    parts = np.split(frequencies.view("<u2").astype("f8"), np.cumsum(tables[:, 1])[:-1])
    starts = [table_of(part) for part in parts]

    def symbol(table):
        return coder.next(starts[table]) + tables[table, 0]

    def side(kind, axis):
        return [np.array([symbol(kind) for _ in range(s[axis])]) + medians[i, kind] for i, s in enumerate(shapes)]

    exponents, rows, columns = side(0, 1), side(1, 0), side(2, 1)
    classes = np.concatenate([np.add.outer(r, c).ravel() for r, c in zip(rows, columns, strict=True)])
    low_bits = np.clip(-(-(classes - 18) // 4), 0, 14)
    table, codes = np.clip(classes - 4 * low_bits, -10, 18) + 13, np.zeros(len(classes), "i8")
    for each in range(3, 32):
        for place in np.flatnonzero(table == each):
            codes[place] = symbol(each)
    for count in range(1, 15):
        for place in np.flatnonzero(low_bits == count):
            codes[place] = codes[place] << count | coder.next(range(0, 2**24 + 1, 2 ** (24 - count)))
    steps = [np.ldexp((2 ** (e % 8 / 8)).astype("f4"), (e // 8).astype("i4")) for e in exponents]
    split = np.split(codes, np.cumsum([rows * columns for rows, columns in shapes])[:-1])
    return {n: c.reshape(s).astype("f4") * step for n, c, s, step in zip(names, split, shapes, steps, strict=True)}


def table_of(f):
    """Where each symbol's share of 2²⁴ begins."""
    below = np.cumsum(f) - f
    starts = np.arange(len(f)) + np.floor(below * ((2**24 - len(f)) / max(f.sum(), 1)))
    return [*map(int, starts), 2**24]


class Coder:
    def __init__(self, words):
        self.words = words
        self.state = words.pop() << 32 | words.pop()

    def next(self, starts):
        place = self.state % 2**24
        found = int(np.searchsorted(starts, place, "right")) - 1 if isinstance(starts, list) else place // starts.step
        self.state = (self.state >> 24) * (starts[found + 1] - starts[found]) + place - starts[found]
        if self.state < 2**32 and self.words:
            self.state = self.state << 32 | self.words.pop()
        return found
