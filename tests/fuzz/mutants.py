"""Damage with a structure: of bytes, of numbers in a header, of lines, of JSON, of DICOM elements."""

from __future__ import annotations

import copy
import gzip
import io
import json
import random
import struct
import warnings
import zipfile
from collections.abc import Callable

import pydicom
from pydicom.dataset import Dataset

NUMBERS = (0, 1, -1, 2, 3, 4, 7, 8, 16, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2**31 - 1, -(2**31), 2**32 - 1)
FLOATS = (0.0, -0.0, 1.0, -1.0, 1e-30, 1e30, 1e36, 1e308, -1e308, float("inf"), float("nan"), 0.1, 1e-300, 255.5)
WORDS = (
    "", " ", "0", "-1", "1e999", "nan", "inf", "-inf", "none", "../../etc/passwd", "/etc/passwd", "x%03d.raw 1 7 0",
    "LIST", "LOCAL", "99999999999999999999", "1 2 3", "0 0 0", "-5 -5 -5", "(1,0,0) (0,1,0)", "\0", "é", "%s%n", "true",
    "3 3 3 3 3 3", "1e300 1 1", "unsigned char", "MET_DOUBLE", "gzip", "bzip2", "ascii", "hex", "A" * 5000,
)  # fmt: skip
JSON_VALUES = (None, True, 0, -1, 1e300, 2**70, "", "x", "../x", [], {}, [[]], {"a": []}, [None], "nan", 0.5)

NIFTI_FIELDS = (
    (0, "i"), *((40 + 2 * each, "h") for each in range(8)), (70, "h"), (72, "h"),
    *((76 + 4 * each, "f") for each in range(8)), (108, "f"), (112, "f"), (116, "f"), (123, "b"), (252, "h"),
    (254, "h"),
    *((256 + 4 * each, "f") for each in range(18)),
)  # fmt: skip

Mutate = Callable[[bytes, random.Random], bytes]


def bytes_of(data: bytes, chosen: random.Random) -> bytes:
    """Bits turned, pieces cut out, doubled, put in or exchanged; or the end cut off."""
    content = bytearray(data)
    for _ in range(chosen.choice((1, 1, 1, 2, 4, 16))):
        if not content:
            break
        place = chosen.randrange(len(content)) if chosen.random() < 0.5 else chosen.randrange(min(len(content), 600))
        length = chosen.choice((1, 1, 2, 4, 8, 64, 1000))
        kind = chosen.randrange(7)
        if kind == 0:
            content[place] ^= 1 << chosen.randrange(8)
        elif kind == 1:
            content[place] = chosen.choice((0, 1, 127, 128, 255, chosen.randrange(256)))
        elif kind == 2:
            del content[place : place + length]
        elif kind == 3:
            content[place:place] = content[place : place + length]
        elif kind == 4:
            content[place:place] = bytes(chosen.randrange(256) for _ in range(min(length, 64)))
        elif kind == 5:
            number = chosen.choice(NUMBERS) % 2**32
            content[place : place + 4] = struct.pack(chosen.choice("<>") + "I", number)
        else:
            del content[chosen.randrange(len(content)) :]
    return bytes(content)


def fields_of(offsets: tuple[tuple[int, str], ...]) -> Mutate:
    """Numbers of a binary header, at known places, set to odd ones."""

    def mutate(data: bytes, chosen: random.Random) -> bytes:
        content = bytearray(data)
        for _ in range(chosen.choice((1, 1, 2, 3))):
            place, kind = chosen.choice(offsets)
            if kind in "fd":
                packed = _packed(kind, chosen.choice(FLOATS))
            else:
                size = struct.calcsize(kind)
                packed = (chosen.choice(NUMBERS) % 256**size).to_bytes(size, "little")
            content[place : place + len(packed)] = packed
        return bytes(content)

    return mutate


def _packed(kind: str, value: float) -> bytes:
    try:
        return struct.pack(f"<{kind}", value)
    except OverflowError:
        return struct.pack(f"<{kind}", float("inf"))


def lines_of(separator: bytes, end: bytes) -> Mutate:
    """Lines of a text header: values exchanged, lines doubled, left out or put in."""

    def mutate(data: bytes, chosen: random.Random) -> bytes:
        header, found, rest = data.partition(end)
        lines = header.split(b"\n")
        for _ in range(chosen.choice((1, 1, 2, 3))):
            place = chosen.randrange(len(lines))
            key, between, value = lines[place].partition(separator)
            kind = chosen.randrange(5)
            if kind == 0:
                lines[place] = key + between + chosen.choice(WORDS).encode()
            elif kind == 1:
                words = value.split()
                if words:
                    words[chosen.randrange(len(words))] = str(chosen.choice((*NUMBERS, *FLOATS, *WORDS))).encode()
                lines[place] = key + between + b" ".join(words)
            elif kind == 2:
                lines.insert(chosen.randrange(len(lines) + 1), lines[place])
            elif kind == 3 and len(lines) > 1:
                del lines[place]
            else:
                lines[place] = chosen.choice(lines).partition(separator)[0] + between + value
        return b"\n".join(lines) + found + rest

    return mutate


def json_of(data: bytes, chosen: random.Random) -> bytes:
    """Values of JSON exchanged, left out, doubled, nested."""
    content = json.loads(data)
    for _ in range(chosen.choice((1, 1, 2, 4))):
        places: list[tuple[object, object]] = []
        waiting = [content]
        while waiting:
            each = waiting.pop()
            keys = list(each) if isinstance(each, dict) else range(len(each)) if isinstance(each, list) else ()
            for key in keys:
                places.append((each, key))
                waiting.append(each[key])
        if not places:
            break
        parent, key = chosen.choice(places)
        kind = chosen.randrange(5)
        if kind == 0:
            del parent[key]  # type: ignore[attr-defined]
        elif kind == 1:
            parent[key] = chosen.choice(places)[1]  # type: ignore[index]
        elif kind == 2:
            parent[key] = chosen.choice((*NUMBERS, *(x for x in FLOATS if abs(x) < 1e307)))  # type: ignore[index]
        elif kind == 3 and isinstance(parent, dict):
            parent[f"{key}x"] = parent[key]
        else:
            # A copy: later mutants would find what was put into it, and one might hold itself.
            parent[key] = copy.deepcopy(chosen.choice(JSON_VALUES))  # type: ignore[index]
    text = json.dumps(content)
    if chosen.random() < 0.1:
        text = text.replace(
            chosen.choice((": 1", "[", "{", ": 0")), chosen.choice((": " + "[" * 3000, "NaN", "1e999")), 1
        )
    return text.encode()


def elements_of(data: bytes, chosen: random.Random) -> bytes:
    """Elements of a DICOM data set, of its sequences too: set to odd values, left out, exchanged."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(io.BytesIO(data), force=True)
        inside = [dataset, *_items(dataset)]
        for _ in range(chosen.choice((1, 1, 2, 3))):
            target = chosen.choice((dataset, chosen.choice(inside)))
            if not (tags := list(target.keys())):
                continue
            element = target[chosen.choice(tags)]
            kind = chosen.randrange(4)
            if kind == 0:
                del target[element.tag]
            elif element.VR == "SQ":
                items = list(element.value)
                element.value = chosen.choice(([], items[1:], items + items[:1], items[::-1]))
            else:
                _set(element, chosen)
        stream = io.BytesIO()
        try:
            dataset.save_as(stream, enforce_file_format=False, overwrite=True)
        except Exception:  # a value that cannot be written is no input
            return bytes_of(data, chosen)
    return stream.getvalue()


def _items(dataset: Dataset) -> list[Dataset]:
    found = []
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                found += [item, *_items(item)]
    return found


def _set(element: pydicom.DataElement, chosen: random.Random) -> None:
    config = pydicom.config.settings
    before, config.writing_validation_mode = config.writing_validation_mode, pydicom.config.IGNORE
    reading, config.reading_validation_mode = config.reading_validation_mode, pydicom.config.IGNORE
    try:
        if element.VR in ("US", "SS", "UL", "SL"):
            size = {"US": 2**16, "SS": 2**15, "UL": 2**32, "SL": 2**31}[element.VR]
            element.value = abs(chosen.choice(NUMBERS)) % size
        elif element.VR in ("DS", "IS"):
            values = [f"{chosen.choice((*NUMBERS, *FLOATS)):.10g}" for _ in range(chosen.choice((1, 1, 2, 3, 6)))]
            kind = pydicom.valuerep.DSfloat if element.VR == "DS" else str
            element.value = [kind(each) for each in values] if element.VR == "DS" else values
        elif element.VR in ("FD", "FL"):
            element.value = chosen.choice(FLOATS[:8])
        elif element.VR in ("OB", "OW"):
            element.value = bytes_of(bytes(element.value), chosen)
        else:
            element.value = chosen.choice((*WORDS, "1.2.3", "CT", "SEG", "MONOCHROME1", "RGB"))
    except Exception:
        pass
    finally:
        config.writing_validation_mode, config.reading_validation_mode = before, reading


def members_of(data: bytes, chosen: random.Random) -> bytes:
    """Members of a zip archive: damaged, doubled, renamed, compressed otherwise."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    kind = chosen.randrange(4)
    place = chosen.randrange(len(members))
    name, content = members[place]
    if kind == 0:
        members[place] = (name, elements_of(content, chosen))
    elif kind == 1:
        members[place] = (name, bytes_of(content, chosen))
    elif kind == 2:
        members[place] = (chosen.choice(("../x.dcm", "/x.dcm", "", "a/" * 50 + "x", "é.dcm", members[0][0])), content)
    else:
        members.append((name + "2", bytes(chosen.choice((0, 10, 200_000)))))
    stream = io.BytesIO()
    how = chosen.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w", how) as archive:
        warnings.simplefilter("ignore")
        for name, content in members:
            archive.writestr(name or "x", content)
    made = stream.getvalue()
    return bytes_of(made, chosen) if chosen.random() < 0.4 else made


def safetensors_of(data: bytes, chosen: random.Random) -> bytes:
    """A safetensors file: its header, or the manifest in that, changed as JSON."""
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    metadata = header.get("__metadata__", {})
    inner = [key for key, value in metadata.items() if value.startswith("{")]
    if inner and chosen.random() < 0.6:
        key = chosen.choice(inner)
        metadata[key] = json_of(metadata[key].encode(), chosen).decode()
        text = json.dumps(header).encode()
    else:
        text = json_of(json.dumps(header).encode(), chosen)
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


def _packed_nifti(data: bytes, chosen: random.Random) -> bytes:
    """Fields of a compressed header, compressed again."""
    return gzip.compress(fields_of(NIFTI_FIELDS)(gzip.decompress(data), chosen), 1, mtime=0)


def mutator(kind: str, name: str, chosen: random.Random) -> Mutate:
    """One way of damaging a file: that which knows its structure two times in three."""
    if chosen.random() < 0.33:
        return bytes_of
    if kind == "NIfTI":
        return _packed_nifti if name.endswith(".gz") else fields_of(NIFTI_FIELDS)
    if kind == "NRRD":
        return lines_of(b":", b"\n\n")
    if kind == "MetaImage":
        return lines_of(b"=", b"ElementDataFile")
    if kind in ("DICOM", "SEG", "RTSTRUCT"):
        return elements_of
    if kind == "zip":
        return members_of
    if name.endswith(".json"):
        return json_of
    if name.endswith(".safetensors"):
        return safetensors_of
    return bytes_of


def name_of(kind: str, data: bytes, names: list[str]) -> str:
    """Under which of a format's names an input is to be opened, by what is in it."""
    if kind in ("NRRD", "MetaImage"):
        apart = b"data file:" in data if kind == "NRRD" else b"ElementDataFile = LOCAL" not in data
        return next(name for name in names if name.endswith((".nhdr", ".mhd")) == apart)
    if kind == "NIfTI":
        return next(name for name in names if name.endswith(".gz") == data.startswith(b"\x1f\x8b"))
    if kind == "journal":
        if data[8:9] == b"{":
            return "a.layer.safetensors"
        return "plan.json" if b"group_size" in data else "identity.json"
    return names[0]
