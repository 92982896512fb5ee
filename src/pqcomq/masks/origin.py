"""How a mask came to be: model, weights, prompt and window."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

import pqcomq
from pqcomq.dicom_masks.mask_object import Algorithm
from pqcomq.segmentation.box import Box3D
from pqcomq.segmentation.prompt import Prompt
from pqcomq.volumes.grid import Grid
from pqcomq.volumes.intensity_window import Window

if TYPE_CHECKING:  # masks are read where no model is needed, and torch takes seconds to load
    from pqcomq.models.segmenter import Segmenter
    from pqcomq.quantization.quantized_model import QuantizedModel
    from pqcomq.segmentation.propagation import PromptMode


@dataclass(frozen=True)
class Origin:
    """What drew a mask, and from which prompt.

    Attributes:
        model: architecture and checkpoint, JSON-ready.
        precision: of the encoder's weights, for people.
        quantization: settings, effective bits and calibration, JSON-ready; None in full precision.
        prompt: the user's, in the volume's LPS voxels.
        mode: where the other slices' prompts came from.
        window: that made the model's input.
        mask_sha256: of the mask as the model drew it, to tell whether it was edited since.
        cascade: threshold of the stability score, and the slices that full precision was asked for because of it; None
            where the model was alone.
    """

    model: Mapping[str, Any]
    precision: str
    quantization: Mapping[str, Any] | None
    prompt: Prompt
    mode: PromptMode
    window: Window
    mask_sha256: str
    cascade: Mapping[str, Any] | None = None

    @classmethod
    def of(
        cls,
        model: Segmenter | QuantizedModel,
        prompt: Prompt | Box3D,
        mode: PromptMode,
        window: Window,
        mask: np.ndarray,
    ) -> Origin:
        """The origin of a mask that a model has just drawn.

        Args:
            model: in full precision or quantized.
            prompt: a box, points or both, or a scribble.
            mode: where the other slices' prompts came from.
            window: that made the model's input.
            mask: (z, y, x) bool.
        """
        from pqcomq.quantization.quantized_model import QuantizedModel

        segmenter = model.segmenter if isinstance(model, QuantizedModel) else model
        described = {
            "key": segmenter.key,
            "title": segmenter.title,
            "checkpoint_name": segmenter.checkpoint_name,
            "checkpoint_sha256": segmenter.checkpoint_sha256,
            "weights_sha256": segmenter.fingerprint,
            "execution": segmenter.execution.to_dict(),
            "licence": segmenter.licence,
        }
        quantization = _quantization(model) if isinstance(model, QuantizedModel) else None
        return cls(described, segmenter.precision, quantization, Prompt.of(prompt), mode, window, mask_sha256(mask))

    @property
    def algorithm(self) -> Algorithm:
        """The same in the words of a DICOM object."""
        parameters = {
            "precision": self.precision,
            "prompt": self.prompt.words,
            "prompts": self.mode,
            "checkpoint_sha256": str(self.model["checkpoint_sha256"]),
        }
        if self.quantization is not None:
            parameters["effective_bits"] = f"{self.quantization['effective_bits']:.3f}"
        name = f"{self.model['title']}, {self.precision}"
        if self.cascade is not None:
            name += ", full precision where in doubt"
            parameters["stability_threshold"] = f"{self.cascade['threshold']:g}"
        return Algorithm(name, pqcomq.__version__, parameters)

    def is_edited(self, mask: np.ndarray) -> bool:
        """Whether a mask is no longer the one that the model drew."""
        return mask_sha256(mask) != self.mask_sha256

    def to_dict(self, grid: Grid) -> dict[str, Any]:
        """JSON-ready, box and points also in millimetres.

        Args:
            grid: of the volume that the prompt lies in.
        """
        return {
            "model": dict(self.model),
            "precision": self.precision,
            "quantization": None if self.quantization is None else dict(self.quantization),
            "prompt": {
                **_boxed(self.prompt.box, grid),
                **_pointed(self.prompt, grid),
                **_drawn(self.prompt),
                "first_slice": self.prompt.start,
                "other_slices": self.mode,
            },
            "window": asdict(self.window),
            **({} if self.cascade is None else {"cascade": dict(self.cascade)}),
        }


def _boxed(box: Box3D | None, grid: Grid) -> dict[str, Any]:
    if box is None:
        return {}
    corners = grid.to_patient([(box.x0, box.y0, box.z0), (box.x1, box.y1, box.z1)]).round(3).tolist()
    return {"box_voxels_x0y0z0x1y1z1": list(asdict(box).values()), "box_corners_lps_mm": corners}


def _pointed(prompt: Prompt, grid: Grid) -> dict[str, Any]:
    if not prompt.points:
        return {}
    places = grid.to_patient([(each.x, each.y, each.z) for each in prompt.points]).round(3).tolist()
    return {
        "points_voxels": [asdict(each) for each in prompt.points],
        "points_lps_mm": places,
        "slices": [prompt.first, prompt.last],
    }


def _drawn(prompt: Prompt) -> dict[str, Any]:
    if prompt.scribble is None:
        return {}
    runs = [list(run) for run in prompt.scribble.runs]
    return {"scribble_voxels_zyx0x1": runs, "slices": [prompt.first, prompt.last]}


def _quantization(model: QuantizedModel) -> dict[str, Any]:
    return {
        "settings": model.settings.to_dict(),
        "effective_bits": model.effective_bits,
        "calibration": dict(model.calibration),
    }


def mask_sha256(mask: np.ndarray) -> str:
    """Hash of a mask's shape and voxels, hexadecimal."""
    digest = hashlib.sha256(str(mask.shape).encode())
    digest.update(np.packbits(mask.astype(bool)).tobytes())
    return digest.hexdigest()
