"""What a quantization has finished so far, on disk, so that a stopped run goes on from there.

A folder beside the file to be, which bears a mark: ``identity.json`` (model, settings, calibration, versions),
``plan.json`` where bit widths are mixed, and a file with a checksum for each finished layer. Each is written whole or
not at all. What is damaged is made again; a run with another identity starts afresh; a folder without the mark is
somebody else's and is never touched.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialize
from torch import Tensor

import pqcomq
from pqcomq.atomic_files import recover, replacing, together, why
from pqcomq.errors import InputError
from pqcomq.json_schema import Damaged, checked_json, read_json
from pqcomq.models.segmenter import Segmenter
from pqcomq.quantization.algorithm.config import QuantizationConfig
from pqcomq.quantization.algorithm.integer_weight import IntegerWeight
from pqcomq.quantization.algorithm.quantize_layer import QuantizedLayer, StoredWeight
from pqcomq.quantization.algorithm.quantized_weight import QuantizedWeight
from pqcomq.quantization.calibration.slices import Calibration
from pqcomq.quantization.files.resume_schema import LayerHead, LayerPlans
from pqcomq.quantization.files.weight_checks import fits
from pqcomq.quantization.planning.mixed_precision import LayerPlan
from pqcomq.wording import counted

MARK = "made-by-pqcomq.txt"
_MARK_TEXT = "Finished layers of a quantization that was stopped. The same command goes on from here.\n"
_IDENTITY, _PLAN, _LAYER = "identity.json", "plan.json", ".layer.safetensors"
_HEAD, _CHECKSUM = "layer", "sha256"


def run_identity(full: Segmenter, calibration: Calibration, settings: QuantizationConfig) -> dict[str, Any]:
    """All that the bytes of a result depend on, JSON-ready.

    The model is named beside its checkpoint: another one may read the same file and prepare slices in another way.
    """
    return {
        "model": full.key,
        "checkpoint_sha256": full.checkpoint_sha256,
        "settings": settings.to_dict(),
        "calibration": calibration.description,
        "slices_sha256": [hashlib.sha256(pixels.tobytes()).hexdigest() for pixels in calibration.slices],
        "versions": {"pqcomq": pqcomq.__version__, "torch": torch.__version__},
    }


class Journal:
    """The finished layers of one run.

    Attributes:
        folder: where they are kept.
        note: what was found there, one sentence for people; empty where there was nothing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.note = ""

    @classmethod
    def check(cls, folder: Path) -> None:
        """See before any long work that a folder is ours, or still to be made.

        Raises:
            InputError: there is something of that name that this program did not make.
        """
        try:
            there = folder.is_symlink() or folder.exists()
            ours = not folder.is_symlink() and (folder / MARK).is_file()
        except OSError as error:
            raise InputError(f"The folder cannot be used: {why(error)}.", folder) from error
        if there and not ours:
            raise InputError(
                f"Finished layers would be kept in {folder}, and something of that name is there that this program did "
                "not make; it is left as it is: move it, or choose another name for the file to write."
            )

    @classmethod
    def drop_finished(cls, folder: Path, head: Mapping[str, Any]) -> bool:
        """Take away the journal of a run that had written its file when it was killed; says whether there was one.

        Args:
            folder: of the journal.
            head: manifest of the file that the run was to write.

        Raises:
            InputError: the folder is somebody else's.
        """
        cls.check(folder)
        journal = cls(folder)
        kept = journal._read(_IDENTITY, dict[str, Any]) or {}
        own = tuple(kept.get(entry) for entry in ("model", "checkpoint_sha256", "settings", "calibration"))
        model = head["model"]
        if own != (model["key"], model["checkpoint_sha256"], head["quantization"], head["calibration"]):
            return False
        journal.discard()
        return True

    @classmethod
    def open(cls, folder: Path, identity: dict[str, Any]) -> Self:
        """Go on with a run of the same identity, or begin one.

        Args:
            folder: made if need be; what another run left in it is deleted, file by file.
            identity: JSON-ready, everything that the result depends on.

        Raises:
            InputError: the folder is somebody else's, or cannot be made or written; nothing was changed.
        """
        cls.check(folder)
        journal = cls(folder)
        recover(folder)
        if not folder.exists():
            journal._begin(identity)
        elif journal._read(_IDENTITY, dict[str, Any]) != json.loads(json.dumps(identity)):
            journal._clear(keep_folder=True)
            journal._keep(_IDENTITY, identity)
            journal.note = f"{folder} held layers of another run or was damaged; all layers are made again"
        else:
            journal._drop_damaged()
        return journal

    @property
    def finished_layers(self) -> int:
        """How many layers are kept."""
        return len(self._layers())

    def plan(self) -> dict[str, LayerPlan] | None:
        """The kept plan, None if there is none."""
        kept = self._read(_PLAN, LayerPlans)
        return None if kept is None else {name: LayerPlan(**entry) for name, entry in kept["layers"].items()}

    def keep_plan(self, plan: dict[str, LayerPlan]) -> None:
        """Keep it."""
        self._keep(_PLAN, {"layers": {name: asdict(entry) for name, entry in plan.items()}})

    def layer(self, name: str, shape: tuple[int, ...]) -> QuantizedLayer | None:
        """A kept layer; None if it is not there, was damaged or does not fit, so that it is made again.

        Args:
            name: of the layer.
            shape: of its weight in the model.
        """
        found = _read_layer(self._path(name), name)
        return found if found is not None and fits(found.weight, shape) else None

    def keep_layer(self, name: str, layer: QuantizedLayer) -> None:
        """Keep a finished layer.

        Raises:
            InputError: it cannot be written.
        """
        weight = layer.weight
        tensors = {key: part.contiguous() for key, part in weight.parts().items()}
        packed = {"bits": weight.bits, "run": weight.run} if isinstance(weight, QuantizedWeight) else {}
        head = packed | {
            "name": name,
            "shape": list(weight.shape),
            "error": layer.error,
            "input_range": layer.input_range,
        }
        text = json.dumps(head, allow_nan=False)
        content = serialize(tensors, metadata={_HEAD: text, _CHECKSUM: _checksum(text, tensors)})
        with replacing(self._path(name), overwrite=True) as partial:
            partial.write_bytes(content)

    def discard(self) -> None:
        """Delete what this program put there, and the folder unless it holds something else: the run is over."""
        self._clear()

    def _begin(self, identity: dict[str, Any]) -> None:
        """Make the folder with its mark at one go, so that there is never one of ours without it."""
        with together(self.folder):
            self._keep(_IDENTITY, identity)
            with replacing(self.folder / MARK) as partial:
                partial.write_text(_MARK_TEXT, encoding="utf-8")

    def _clear(self, *, keep_folder: bool = False) -> None:
        ours = [*self._layers(), *(self.folder / name for name in (_PLAN, _IDENTITY))]
        for path in ours if keep_folder else [*ours, self.folder / MARK]:
            with suppress(OSError):
                path.unlink()
        if not keep_folder:
            with suppress(OSError):  # it holds something else
                self.folder.rmdir()

    def _drop_damaged(self) -> None:
        """Take away what cannot be read, and say so."""
        damaged = [path for path in self._layers() if _read_layer(path, path.name.removesuffix(_LAYER)) is None]
        if (self.folder / _PLAN).exists() and self.plan() is None:
            damaged.append(self.folder / _PLAN)
        for path in damaged:
            with suppress(OSError):
                path.unlink()
        finished = counted(self.finished_layers, "layer is finished", "layers are finished")
        parts = [finished] if self.finished_layers else []
        if damaged:
            parts.append(f"{counted(len(damaged), 'damaged file is', 'damaged files are')} made again")
        self.note = f"going on with {self.folder}: {' and '.join(parts)}" if parts else ""

    def _layers(self) -> list[Path]:
        return sorted(path for path in self.folder.glob(f"*{_LAYER}") if path.is_file())

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}{_LAYER}"

    def _keep(self, name: str, content: dict[str, Any]) -> None:
        with replacing(self.folder / name, overwrite=True) as partial:
            partial.write_text(_written(content), encoding="utf-8")

    def _read(self, name: str, schema: Any) -> dict[str, Any] | None:  # noqa: ANN401
        """A file's content, None if it is not there or is not what it should be."""
        try:
            return read_json(self.folder / name, schema)
        except (OSError, InputError, Damaged):
            return None


def _read_layer(path: Path, name: str) -> QuantizedLayer | None:
    """A layer's file; None if it is missing, damaged, or another layer's."""
    try:
        with safe_open(path, framework="pt") as stream:
            told = stream.metadata() or {}
            tensors = {key: stream.get_tensor(key) for key in stream.keys()}  # noqa: SIM118
        head = checked_json(told[_HEAD], LayerHead)
        if told[_CHECKSUM] != _checksum(told[_HEAD], tensors) or head["name"] != name:
            return None
        kept = head.get("input_range")
        return QuantizedLayer(_weight(head, tensors), head["error"], None if kept is None else (kept[0], kept[1]))
    except (SafetensorError, OSError, LookupError, TypeError, ValueError, RuntimeError):
        return None


def _weight(head: dict[str, Any], tensors: dict[str, Tensor]) -> StoredWeight:
    """A layer's weight from its file's parts.

    Raises:
        KeyError, TypeError: parts are missing, or there are others.
    """
    shape = tuple(head["shape"])
    if "step" in tensors:
        return IntegerWeight(**tensors, shape=shape)
    return QuantizedWeight.of_parts(tensors, head["bits"], head["run"], shape)


def _checksum(head: str, tensors: dict[str, Tensor]) -> str:
    """Of everything that a layer's file says."""
    digest = hashlib.sha256(head.encode())
    for name in sorted(tensors):
        part = tensors[name].contiguous()
        digest.update(f"{name} {part.dtype} {tuple(part.shape)}".encode())
        digest.update(part.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _written(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=1, sort_keys=True)
