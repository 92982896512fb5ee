"""A cohort's models, loaded once in each process that scores cases."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from pqcomq.backends.runtime import Runtime
from pqcomq.cohort.settings import CohortSettings, ModelFile
from pqcomq.comparison.compared_model import ComparedModel, check_same_source
from pqcomq.errors import InputError
from pqcomq.models.registry import load_model
from pqcomq.quantization.files.weights_file import load_weights
from pqcomq.quantization.quantized_model import QuantizedModel, with_unique_names

FULL_PRECISION, QUANTIZED, MOVED_BOX = "full precision", "quantized", "full precision, moved box"
"""Roles of a row in the table."""


@dataclass(frozen=True)
class ModelInfo:
    """What tables say of a model.

    Attributes:
        name: unique among the models.
        role: full precision or quantized.
        title: of the architecture.
        code_bits: of a weight's code alone.
        effective_bits: stored for each quantized weight.
        file_bytes: of the checkpoint or weights file.
        simulated: low bits run widened to float32, so that their speed is that of full precision.
        execution: what runs it, for people.
    """

    name: str
    role: str
    title: str
    code_bits: float
    effective_bits: float
    file_bytes: int
    simulated: bool
    execution: str

    @classmethod
    def of(cls, model: ComparedModel, role: str) -> ModelInfo:
        """Of a loaded model."""
        return cls(
            name=model.segmenter.precision,
            role=role,
            title=model.segmenter.title,
            code_bits=model.code_bits,
            effective_bits=model.effective_bits,
            file_bytes=model.file_bytes,
            simulated=model.simulated,
            execution=model.segmenter.execution.title,
        )

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> ModelInfo:
        """From JSON."""
        return cls(**content)


def read_models(paths: list[Path]) -> tuple[str, list[QuantizedModel]]:
    """Quantized models and the key of the model that they were all made from.

    Raises:
        InputError: there is none, one cannot be read, or they were made from different models.
    """
    if not paths:
        raise InputError("A cohort needs at least one file of quantized weights.")
    models = [load_weights(path) for path in paths]
    key = models[0].segmenter.key
    other = next((path for path, model in zip(paths, models, strict=True) if model.segmenter.key != key), None)
    if other is not None:
        raise InputError(f"The file was made from another model than {paths[0]}.", other)
    marks = [model.segmenter.fingerprint for model in models]
    if len(set(marks)) < len(marks):
        raise InputError("Two of the weights files hold the same weights.")
    return key, models


def model_files(paths: list[Path], models: list[QuantizedModel]) -> tuple[ModelFile, ...]:
    """What the settings keep of weights files."""
    pairs = zip(paths, models, strict=True)
    return tuple(ModelFile(str(path.resolve()), model.segmenter.fingerprint) for path, model in pairs)


def load_kept(file: ModelFile) -> QuantizedModel:
    """The weights that a cohort was begun with.

    Raises:
        InputError: the file is gone, damaged, or holds others by now.
    """
    model = load_weights(Path(file.path))
    if model.segmenter.fingerprint != file.fingerprint:
        raise InputError("The file holds other weights than those that the cohort was begun with.", file.path)
    return model


_kept: dict[str, list[ComparedModel]] = {}
_turn = threading.Lock()


def models_of(settings: CohortSettings) -> list[ComparedModel]:
    """The models of a cohort ready to run, full precision first; loaded at the first call in a process, then kept.

    Raises:
        InputError: a file is gone or holds other weights than when the run began, or the runtime is missing.
    """
    with _turn:
        if settings.fingerprint not in _kept:
            _kept.clear()  # one cohort at a time: models of the last one would only take memory
            _kept[settings.fingerprint] = _loaded(settings)
        return _kept[settings.fingerprint]


def _loaded(settings: CohortSettings) -> list[ComparedModel]:
    full = load_model(settings.model, Path(settings.checkpoint) if settings.checkpoint else None)
    if full.checkpoint_sha256 != settings.checkpoint_sha256:
        raise InputError(f"The checkpoint of {full.title} is another one than when this run began.")
    models = []
    for each in settings.quantized:
        model = load_kept(each)
        check_same_source(full, model, Path(each.path))
        models.append(model)
    return [
        ComparedModel.full(full, Runtime(settings.runtime).in_full_precision),
        *on_runtimes(with_unique_names(models), settings),
    ]


def on_runtimes(models: Sequence[QuantizedModel], settings: CohortSettings) -> list[ComparedModel]:
    """Each quantized model on each runtime of the settings, after which it is named where there are several."""
    compared = []
    for model in models:
        for runtime in settings.runtimes:
            runs = ComparedModel.quantized(model, Runtime(runtime))
            if settings.further_runtimes:
                title = f"{model.segmenter.precision}, {runtime}"
                runs = replace(runs, segmenter=replace(runs.segmenter, precision=title))
            compared.append(runs)
    return compared


@contextmanager
def worker_threads(count: int) -> Iterator[None]:
    """Let torch and what is compiled use so many threads inside the block, whatever the process was started with."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def described(models: list[ComparedModel]) -> list[ModelInfo]:
    """What tables say of the models, full precision first."""
    return [ModelInfo.of(model, QUANTIZED if place else FULL_PRECISION) for place, model in enumerate(models)]
