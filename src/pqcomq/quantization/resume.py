"""What a quantization has finished so far, on disk, so that a stopped run goes on from there.

A folder beside the file to be: ``identity.json`` (model, settings, calibration, versions), ``plan.json`` where bit
widths are mixed, and one ``.safetensors`` file for each finished layer. Each is written whole or not at all; a run with
another identity starts afresh.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

import pqcomq
from pqcomq.atomic_files import made_folder, replacing
from pqcomq.models.segmenter import Segmenter
from pqcomq.quantization.algorithm.config import QuantizationConfig
from pqcomq.quantization.algorithm.integer_weight import IntegerWeight
from pqcomq.quantization.algorithm.quantize_layer import QuantizedLayer, StoredWeight
from pqcomq.quantization.algorithm.quantized_weight import QuantizedWeight
from pqcomq.quantization.calibration import Calibration
from pqcomq.quantization.mixed_precision import LayerPlan

_HEAD = "layer"


def run_identity(full: Segmenter, calibration: Calibration, settings: QuantizationConfig) -> dict[str, Any]:
    """All that the bytes of a result depend on, JSON-ready."""
    return {
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
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def open(cls, folder: Path, identity: dict[str, Any]) -> Self:
        """Go on with a run of the same identity, or begin one.

        Args:
            folder: made if need be; what another run left in it is deleted.
            identity: JSON-ready, everything that the result depends on.

        Raises:
            InputError: the folder cannot be made or written.
        """
        journal = cls(folder)
        if _json(folder / "identity.json") != json.loads(json.dumps(identity)):
            shutil.rmtree(folder, ignore_errors=True)
            made_folder(folder)
            journal._keep("identity.json", identity)
        return journal

    @property
    def finished_layers(self) -> int:
        """How many layers are kept."""
        return len(list(self.folder.glob("*.safetensors")))

    def plan(self) -> dict[str, LayerPlan] | None:
        """The kept plan, None if there is none."""
        kept = _json(self.folder / "plan.json")
        return None if kept is None else {name: LayerPlan(**entry) for name, entry in kept.items()}

    def keep_plan(self, plan: dict[str, LayerPlan]) -> None:
        """Keep it."""
        self._keep("plan.json", {name: asdict(entry) for name, entry in plan.items()})

    def layer(self, name: str) -> QuantizedLayer | None:
        """A kept layer; None if it is not there or was damaged, so that it is made again."""
        path = self._path(name)
        try:
            with safe_open(path, framework="pt") as stream:
                head = json.loads((stream.metadata() or {})[_HEAD])
                parts = {key: stream.get_tensor(key) for key in stream.keys()}  # noqa: SIM118
        except (SafetensorError, OSError, KeyError, ValueError):
            return None
        shape = tuple(head["shape"])
        weight: StoredWeight
        if "step" in parts:
            weight = IntegerWeight(**parts, shape=shape)
        else:
            permutation = parts.get("permutation")
            codes, scale, zero_point = (parts[part] for part in ("codes", "scale", "zero_point"))
            weight = QuantizedWeight(codes, scale, zero_point, permutation, head["bits"], head["run"], shape)
        kept = head.get("input_range")
        return QuantizedLayer(weight, head["error"], None if kept is None else (kept[0], kept[1]))

    def keep_layer(self, name: str, layer: QuantizedLayer) -> None:
        """Keep a finished layer."""
        weight = layer.weight
        tensors = {key: part.contiguous() for key, part in weight.parts().items()}
        packed = {"bits": weight.bits, "run": weight.run} if isinstance(weight, QuantizedWeight) else {}
        head = packed | {
            "shape": list(weight.shape),
            "error": layer.error,
            "input_range": layer.input_range,
        }
        with replacing(self._path(name), overwrite=True) as partial:
            save_file(tensors, partial, metadata={_HEAD: json.dumps(head)})

    def discard(self) -> None:
        """Delete the folder: the run is over."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.safetensors"

    def _keep(self, name: str, content: dict[str, Any]) -> None:
        with replacing(self.folder / name, overwrite=True) as partial:
            partial.write_text(json.dumps(content, indent=1, sort_keys=True), encoding="utf-8")


def _json(path: Path) -> Any:  # noqa: ANN401
    """A file's content, None if it is not there or not JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
