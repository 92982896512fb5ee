"""Unfinished work on a volume: prompts, masks and settings, written to a folder and read back.

``work.json`` names files of voxels by their hashes: they are written before it and never changed, so that whoever is
killed leaves the state before or the state after. No session folder (:mod:`pqcomq.session`) can hold this: it needs a
finished comparison.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from pqcomq.atomic_files import recover, replacing, why
from pqcomq.autosave.work_schema import Work, WorkFile
from pqcomq.errors import InputError
from pqcomq.json_schema import Damaged, read_json
from pqcomq.masks.origin import Origin
from pqcomq.segmentation.prompt import Prompt
from pqcomq.volumes.intensity_window import Window
from pqcomq.volumes.volume import Modality

FORMAT, SCRIBBLE_FORMAT = 1, 2
"""The second is only of work with a scribble, so that earlier versions read all the rest."""
WORK_FILE = "work.json"
_VOXELS = ".npz"
_UNREADABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True)
class KeptObject:
    """A named prompt.

    Attributes:
        number: of the object in masks, from 1.
        name: the user's.
        prompt: a box, points or both, or a scribble, in voxels.
        compared: whether it takes part in the next comparison.
    """

    number: int
    name: str
    prompt: Prompt
    compared: bool


@dataclass(frozen=True, eq=False)
class KeptLabels:
    """A layer of masks.

    Attributes:
        name: of the layer.
        voxels: makes the labels (z, y, x), whole numbers; called where the work is written, so that whoever notes it
            need not wait.
        names: label → name.
        origins: label → what drew it, for those that a model drew.
    """

    name: str
    voxels: Callable[[], np.ndarray]
    names: Mapping[int, str] = field(default_factory=dict)
    origins: Mapping[int, Origin] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class UnfinishedWork:
    """What was done on a volume.

    Attributes:
        key: knows the volume again by its grid and voxels.
        modality: that it was taken for.
        path: where it was opened from; None for one made in memory.
        objects: the prompts.
        current: index of the current one, −1 for none.
        layers: masks that were kept or corrected.
        settings: the controls' choices by name.
        is_closed: the window was closed in order after this was written.
        saved: when, UTC; to the microsecond, because what is newest is offered first.
    """

    key: str
    modality: Modality
    path: Path | None
    objects: tuple[KeptObject, ...] = ()
    current: int = -1
    layers: tuple[KeptLabels, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    is_closed: bool = False
    saved: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __bool__(self) -> bool:
        return bool(self.objects or self.layers)


class WorkWriter:
    """Writes the work of one volume again and again; in one thread at a time.

    Args:
        folder: exists.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._written: dict[str, str] = {}  # hash of the voxels → that of their file

    def write(self, work: UnfinishedWork) -> None:
        """Put the work in place of what was written before, at one go.

        Raises:
            InputError: it cannot be written; what was written before is still there.
        """
        recover(self.folder)
        hashes = [self._voxels_written(each) for each in work.layers]
        content = _content(work, hashes)
        text = json.dumps(
            {"format": _format_of(work), "sha256": _checksum(content), "work": content},
            ensure_ascii=False,
            allow_nan=False,
        )
        with replacing(self.folder / WORK_FILE, overwrite=True) as partial:
            partial.write_text(text + "\n", encoding="utf-8")
        for left in self.folder.glob(f"*{_VOXELS}"):
            if left.stem not in hashes:
                left.unlink(missing_ok=True)
        self._written = {raw: sha256 for raw, sha256 in self._written.items() if sha256 in hashes}

    def _voxels_written(self, layer: KeptLabels) -> str:
        voxels = np.ascontiguousarray(layer.voxels())
        digest = hashlib.blake2b(f"{voxels.dtype.str}{voxels.shape}".encode())
        digest.update(voxels.data)
        raw = digest.hexdigest()
        known = self._written.get(raw)
        if known is not None and (self.folder / f"{known}{_VOXELS}").is_file():
            return known  # packing takes longer than hashing
        packed = _packed(voxels)
        sha256 = hashlib.sha256(packed).hexdigest()
        path = self.folder / f"{sha256}{_VOXELS}"
        if not path.exists():
            with replacing(path, overwrite=True) as partial:
                partial.write_bytes(packed)
        self._written[raw] = sha256
        return sha256


def read_work(folder: Path) -> UnfinishedWork:
    """The work of a folder; voxels are read when they are asked for.

    Raises:
        FileNotFoundError: there is none.
        InputError: it is damaged or of another version.
    """
    recover(folder)
    path = folder / WORK_FILE
    try:
        content = read_json(path, WorkFile)
        if content["format"] not in (FORMAT, SCRIBBLE_FORMAT):
            raise InputError("The unfinished session is of a format that this version does not know.", path)
        if content["sha256"] != _checksum(content["work"]):
            raise Damaged("its checksum is another")
        work = msgspec.convert(content["work"], Work)
        return UnfinishedWork(
            key=work.volume.key,
            modality=work.volume.modality,
            path=None if work.volume.path is None else Path(work.volume.path),
            objects=tuple(_object(each) for each in content["work"]["objects"]),
            current=work.current,
            layers=tuple(_labels(each, folder) for each in content["work"]["layers"]),
            settings=work.settings,
            is_closed=work.is_closed,
            saved=datetime.fromisoformat(work.saved_utc),
        )
    except (FileNotFoundError, InputError):
        raise
    except (Damaged, ValueError, TypeError) as problem:
        raise InputError(f"The unfinished session is damaged and cannot be read: {problem}.", path) from problem


def _format_of(work: UnfinishedWork) -> int:
    prompts = [each.prompt for each in work.objects]
    prompts += [origin.prompt for layer in work.layers for origin in layer.origins.values()]
    return SCRIBBLE_FORMAT if any(each.scribble for each in prompts) else FORMAT


def _content(work: UnfinishedWork, hashes: list[str]) -> dict[str, Any]:
    """JSON-ready, as it comes back from JSON."""
    content = {
        "saved_utc": work.saved.isoformat(),
        "is_closed": work.is_closed,
        "volume": {
            "key": work.key,
            "modality": work.modality,
            "path": None if work.path is None else str(work.path.absolute()),
        },
        "settings": dict(work.settings),
        "current": work.current,
        "objects": [
            {"number": each.number, "name": each.name, "prompt": each.prompt.to_dict(), "compared": each.compared}
            for each in work.objects
        ],
        "layers": [
            {
                "sha256": sha256,
                "name": layer.name,
                "labels": [
                    {"label": label, "name": name, "origin": _described(layer.origins.get(label))}
                    for label, name in layer.names.items()
                ],
            }
            for layer, sha256 in zip(work.layers, hashes, strict=True)
        ],
    }
    text = json.dumps(content, default=_plain, ensure_ascii=False, allow_nan=False)
    # A file's name may hold bytes that are no letters, which would keep all of the work from being written.
    plain: dict[str, Any] = json.loads(text.encode("utf-8", "replace"))
    return plain


def _plain(value: Any) -> Any:  # noqa: ANN401 (a number of numpy's, or a mapping)
    return value.item() if isinstance(value, np.generic) else dict(value)


def _described(origin: Origin | None) -> dict[str, Any] | None:
    if origin is None:
        return None
    told = {each.name: getattr(origin, each.name) for each in fields(origin)}  # asdict cannot copy every mapping
    return told | {"prompt": origin.prompt.to_dict(), "window": asdict(origin.window)}


def _origin(told: dict[str, Any] | None) -> Origin | None:
    if told is None:
        return None
    return Origin(**{**told, "prompt": Prompt.from_dict(told["prompt"]), "window": Window(**told["window"])})


def _object(told: dict[str, Any]) -> KeptObject:
    return KeptObject(told["number"], told["name"], Prompt.from_dict(told["prompt"]), told["compared"])


def _labels(told: dict[str, Any], folder: Path) -> KeptLabels:
    path = folder / f"{told['sha256']}{_VOXELS}"
    origins = {each["label"]: _origin(each["origin"]) for each in told["labels"]}
    return KeptLabels(
        name=told["name"],
        voxels=lambda: _unpacked(path),
        names={each["label"]: each["name"] for each in told["labels"]},
        origins={label: origin for label, origin in origins.items() if origin is not None},
    )


def _packed(labels: np.ndarray) -> bytes:
    """Labels (z, y, x) as compressed bytes of a NumPy archive, with the part of them that is not empty.

    Slice by slice: one large piece would hold the interpreter, and the window with it, for a tenth of a second.
    """
    occupied = _occupied(labels)
    part = labels[tuple(occupied)]
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("labels.npy", "w", force_zip64=True) as file:
            kind = {"descr": labels.dtype.str, "fortran_order": False, "shape": part.shape}
            np.lib.format.write_array_header_1_0(file, kind)
            for plane in part:
                file.write(plane.tobytes())
        for name, numbers in (("start", [each.start for each in occupied]), ("shape", labels.shape)):
            with archive.open(f"{name}.npy", "w") as file:
                np.lib.format.write_array(file, np.array(numbers, np.int64), allow_pickle=False)
    return stream.getvalue()


def _occupied(labels: np.ndarray) -> list[slice]:
    """By axis, from the first voxel that is not empty to the last."""
    rows, columns = (np.zeros(count, bool) for count in labels.shape[1:])
    planes = np.zeros(len(labels), bool)
    for z, plane in enumerate(labels):
        filled = plane != 0
        rows |= filled.any(axis=1)
        columns |= filled.any(axis=0)
        planes[z] = filled.any()
    found = (np.flatnonzero(each) for each in (planes, rows, columns))
    return [slice(int(each[0]), int(each[-1]) + 1) if each.size else slice(0, 0) for each in found]


def _unpacked(path: Path) -> np.ndarray:
    """The labels of a file.

    Raises:
        InputError: it is missing or damaged.
    """
    try:
        packed = path.read_bytes()
        if hashlib.sha256(packed).hexdigest() != path.stem:
            raise InputError("The masks of the unfinished session are damaged.", path)
        with np.load(io.BytesIO(packed), allow_pickle=False) as content:
            part, start = content["labels"], content["start"]
            labels = np.zeros(tuple(content["shape"].tolist()), part.dtype)
        labels[tuple(slice(at, at + count) for at, count in zip(start.tolist(), part.shape, strict=True))] = part
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"The masks of the unfinished session cannot be read: {why(error)}.", path) from error
    except _UNREADABLE as error:
        raise InputError("The masks of the unfinished session are damaged.", path) from error
    return labels


def _checksum(content: dict[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
