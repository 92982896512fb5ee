"""Everything that decides a cohort's numbers, and nothing else: a run that goes on must have the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal, get_args

import pqcomq
from pqcomq.comparison.box_perturbation import SHIFT_PIXELS
from pqcomq.comparison.evaluate import Protocol
from pqcomq.errors import InputError
from pqcomq.quantization.algorithm.config import Method
from pqcomq.volumes.intensity_window import Window
from pqcomq.volumes.volume import Modality

PromptedBy = Literal["slice", "organ"]
"""``slice``: each slice by its own label's box. ``organ``: a 3-D box, each model following its own masks."""
PROTOCOLS: tuple[PromptedBy, ...] = get_args(PromptedBy)


@dataclass(frozen=True)
class CohortProtocol:
    """How the models are prompted from ground truth.

    Attributes:
        protocols: which of both are done.
        most_slices: evenly spread slices for each label at the most, the middle one if 1; None for all.
        least_voxels: slices with fewer voxels of the label are not prompted.
        margin_voxels: by which tight boxes are grown.
        jitter_pixels: by which each edge of a box is then moved at random, either way; 0 for not.
        yardstick_pixels: the same for the second box that full precision alone is given, to compare quantization with.
        seed: of the random movements.
    """

    protocols: tuple[PromptedBy, ...] = PROTOCOLS
    most_slices: int | None = 8
    least_voxels: int = 20
    margin_voxels: int = 2
    jitter_pixels: int = 0
    yardstick_pixels: int = SHIFT_PIXELS
    seed: int = 0

    def __post_init__(self) -> None:
        unknown = [each for each in self.protocols if each not in PROTOCOLS]
        if unknown or not self.protocols:
            raise InputError(f"There is no protocol {unknown[:1]}; name one or both of {', '.join(PROTOCOLS)}.")
        whole = (self.margin_voxels, self.jitter_pixels, self.yardstick_pixels)
        if min(whole) < 0 or self.least_voxels < 1 or (self.most_slices is not None and self.most_slices < 1):
            raise InputError("Margins and movements must be 0 or more, numbers of slices and voxels at least 1.")

    @property
    def slices(self) -> Protocol:
        """Which slices are prompted, as in an evaluation of one volume."""
        return Protocol(self.margin_voxels, self.least_voxels, self.most_slices)


@dataclass(frozen=True)
class ModelFile:
    """One quantized model of a cohort.

    Attributes:
        path: of its weights file.
        fingerprint: of the weights, hexadecimal.
    """

    path: str
    fingerprint: str


CalibratedOn = Literal["own", "leave-one-out"]
"""``own``: the case's own image. ``leave-one-out``: images of the other patients of the cohort."""
CALIBRATED_ON: dict[CalibratedOn, str] = {"own": "own volume", "leave-one-out": "other patients"}
"""For people."""


@dataclass(frozen=True)
class CaseRecipe:
    """A quantized model that is made for each case anew, since what it is calibrated on hangs on the case.

    Attributes:
        method: ``"pcomq"``, ``"comq"`` or ``"rtn"``.
        bits: width.
        calibrated_on: which images.
    """

    method: Method
    bits: int
    calibrated_on: CalibratedOn

    def __post_init__(self) -> None:
        if self.calibrated_on not in CALIBRATED_ON:
            raise InputError(f"{self.calibrated_on!r} is none of {', '.join(CALIBRATED_ON)}, to calibrate a case on.")


def running_libraries() -> str:
    """What computes here, e.g. ``"openvino 2026.4.0, torch 2.15.0"``: another version may round otherwise."""
    found = []
    for name in ("openvino", "torch"):
        with suppress(PackageNotFoundError):
            found.append(f"{name} {version(name)}")
    return ", ".join(found)


@dataclass(frozen=True)
class CohortSettings:
    """What is computed.

    Attributes:
        model: key of the full-precision model.
        checkpoint: its file; empty for the shipped one.
        checkpoint_sha256: of that file.
        quantized: the quantized models that are the same for all cases, in the order of the tables.
        runtime: that runs the quantized models; full precision runs in the same library in float32.
        threads: of each worker. Sums of several threads may differ in their last digits, so this is kept.
        protocol: of the prompts.
        window: for all cases that bring none; None for each modality's own.
        modality: for all cases that do not say; None to take the file's word or to guess.
        recipes: models that are quantized for each case anew; they follow the others in the tables.
        further_runtimes: that run all quantized models once more each; full precision runs once, as ``runtime`` says.
        version: of this program.
        libraries: that run the networks, with their versions; empty in files from before they were kept.
    """

    model: str
    checkpoint: str
    checkpoint_sha256: str
    quantized: tuple[ModelFile, ...]
    runtime: str
    threads: int = 1
    protocol: CohortProtocol = field(default_factory=CohortProtocol)
    window: Window | None = None
    modality: Modality | None = None
    recipes: tuple[CaseRecipe, ...] = ()
    further_runtimes: tuple[str, ...] = ()
    version: str = pqcomq.__version__
    libraries: str = field(default_factory=running_libraries)

    @property
    def runtimes(self) -> tuple[str, ...]:
        """All that run the quantized models."""
        return (self.runtime, *self.further_runtimes)

    @property
    def calibrates_on_other_patients(self) -> bool:
        """Whether a case's models hang on which of the cohort's cases are of its own patient."""
        return any(each.calibrated_on == "leave-one-out" for each in self.recipes)

    @property
    def fingerprint(self) -> str:
        """Hash of all that decides the numbers: places of files are not among it."""
        return hashlib.sha256(json.dumps(self._deciding(), sort_keys=True).encode()).hexdigest()

    def difference(self, other: CohortSettings) -> str | None:
        """The first setting in which two runs differ, as a clause; None where their numbers would be the same."""
        ours, theirs = self._deciding(), other._deciding()
        for name, value in ours.items():
            if name == "libraries" and not (value and theirs[name]):
                continue  # not known of one of them
            if value != theirs[name] and name in {"quantized", "recipes"}:
                return "other weights files" if name == "quantized" else "other models for each case"
            if value != theirs[name]:
                return f"{name} {theirs[name]}, not {value}"
        return None

    def _deciding(self) -> dict[str, Any]:
        content = self.to_dict()
        content.pop("checkpoint")
        content["quantized"] = [each.fingerprint for each in self.quantized]
        protocol = content.pop("protocol")
        return {**content, **protocol}

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        content = asdict(self)
        content["quantized"] = [asdict(each) for each in self.quantized]
        content["recipes"] = [asdict(each) for each in self.recipes]
        content["further_runtimes"] = list(self.further_runtimes)
        content["protocol"]["protocols"] = list(self.protocol.protocols)
        return content

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> CohortSettings:
        """The inverse of :meth:`to_dict`."""
        known = {each.name: content[each.name] for each in fields(cls) if each.name in content}
        protocol = dict(known["protocol"])
        protocol["protocols"] = tuple(protocol["protocols"])
        known["protocol"] = CohortProtocol(**protocol)
        known["window"] = None if known["window"] is None else Window(**known["window"])
        known["quantized"] = tuple(ModelFile(**each) for each in known["quantized"])
        # What follows was not in the files of earlier versions.
        known["recipes"] = tuple(CaseRecipe(**each) for each in known.get("recipes", ()))
        known["further_runtimes"] = tuple(known.get("further_runtimes", ()))
        known["libraries"] = known.get("libraries", "")
        return cls(**known)
