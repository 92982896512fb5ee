"""What callers may write for volume, window, prompt, label map and runtime, turned into what the engine takes."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TypeVar, get_args

import numpy as np
from torch import nn

from pqcomq.backends.fastest import with_device
from pqcomq.backends.runtime import Device, Runtime
from pqcomq.errors import InputError
from pqcomq.masks.read_masks import read_masks
from pqcomq.models.segmenter import Segmenter
from pqcomq.quantization.algorithm.config import QuantizationConfig
from pqcomq.quantization.quantized_model import QuantizedModel
from pqcomq.quantization.quantized_module import QuantizedModule
from pqcomq.segmentation.box import Box3D
from pqcomq.segmentation.prompt import Prompt
from pqcomq.volumes.intensity_window import PRESETS, Window
from pqcomq.volumes.volume import Modality, Volume
from pqcomq.volumes.volume_reader import read_volume

StrPath = str | os.PathLike[str]
"""A path as text or as an object."""

ChoiceT = TypeVar("ChoiceT", bound=StrEnum)


def path_of(given: StrPath, what: str) -> Path:
    """A path.

    Args:
        given: text or an object.
        what: it is of, with its article, for the message.

    Raises:
        InputError: it is neither.
    """
    if not isinstance(given, str | os.PathLike):
        raise InputError(f"The path of {what} is asked for, and not {_kind(given)}.")
    return Path(given)


def volume_of(given: Volume | StrPath) -> Volume:
    """A volume, read if it is a path.

    Raises:
        InputError: nothing can be read there, or it is neither.
    """
    if isinstance(given, Volume):
        return given
    if not isinstance(given, str | os.PathLike):
        raise InputError(f"A volume is asked for, as pqcomq.read_volume gives it, or its path, and not {_kind(given)}.")
    return read_volume(Path(given))


_MODELS: dict[type, str] = {
    Segmenter: "a model in full precision, as pqcomq.load_model gives it",
    QuantizedModel: "a quantized one, as pqcomq.quantize and pqcomq.load_weights give it",
    QuantizedModule: "a quantized network of one's own",
    nn.Module: "a torch.nn.Module",
}


def check_models(*asked: tuple[object, tuple[type, ...]]) -> None:
    """See that models are given, of the kinds that are asked for, and not where they lie.

    Args:
        asked: what was given, and the kinds that it may be of.

    Raises:
        InputError: one is a path, nothing but text, or something else.
    """
    for given, _ in asked:
        if isinstance(given, str | os.PathLike):
            raise InputError(
                f"'{os.fspath(given)}' is text and not a model; pqcomq.load_model(NAME) gives one in full precision, "
                "pqcomq.load_weights(FILE) a quantized one."
            )
    for given, kinds in asked:
        if not isinstance(given, kinds):
            wanted = " or ".join(_MODELS[kind] for kind in kinds)
            raise InputError(f"Something of type {type(given).__name__} was given; asked for is {wanted}.")


def mask_of(given: np.ndarray | None) -> np.ndarray | None:
    """A mask of ground truth, if there is any.

    Raises:
        InputError: it is no array.
    """
    if given is not None and not isinstance(given, np.ndarray):
        raise InputError(f"truth is a mask on the volume's grid, an array (z, y, x) of bool, and not {_kind(given)}.")
    return given


def modality_of(given: str | None) -> Modality | None:
    """A modality by its name, None for what the file tells.

    Raises:
        InputError: there is none of that name.
    """
    modality: Modality
    for modality in get_args(Modality):
        if given == modality:
            return modality
    if given is not None:
        raise InputError(f"There is no modality {given!r}; name CT, MR or other.")
    return None


def _kind(given: object) -> str:
    return f"something of type {type(given).__name__}"


def volumes_of(given: Volume | StrPath | Sequence[Volume | StrPath]) -> list[Volume]:
    """One or more volumes, read where they are paths."""
    if isinstance(given, str | os.PathLike) or not isinstance(given, Iterable):
        return [volume_of(given)]
    return [volume_of(each) for each in given]


def window_of(given: Window | str | None) -> Window | None:
    """A window, by its name if it is one of the presets.

    Raises:
        InputError: there is no such preset, or it is neither.
    """
    if given is None or isinstance(given, Window):
        return given
    if not isinstance(given, str) or given not in PRESETS:
        raise InputError(f"There is no window {given!r}; name one of {', '.join(PRESETS)}, or give a Window.")
    return PRESETS[given]


def config_of(given: QuantizationConfig | None) -> QuantizationConfig | None:
    """How to quantize, if that is told.

    Raises:
        InputError: it is something else.
    """
    if given is not None and not isinstance(given, QuantizationConfig):
        raise InputError(f"config is what pqcomq.default_config gives, and not {_kind(given)}; bits= takes a width.")
    return given


def prompt_of(given: Prompt | Box3D | Iterable[float]) -> Prompt:
    """A prompt, of a box or of a box's six numbers if it is none.

    Raises:
        InputError: not six finite numbers.
    """
    return Prompt.of(given if isinstance(given, Prompt | Box3D) else Box3D.of(given))


def runtime_of(given: Runtime | str, device: str | None = None) -> Runtime:
    """A runtime by its name, and the device that it is to compute on.

    Raises:
        InputError: there is none of that name, or it computes elsewhere.
    """
    runtime = choice_of(Runtime, given, "runtime")
    return with_device(runtime, None if device is None else choice_of(Device, device, "device"))


def choice_of(kind: type[ChoiceT], given: str, what: str) -> ChoiceT:
    """A member of an enumeration by its value.

    Raises:
        InputError: there is none.
    """
    try:
        return kind(given)
    except ValueError:
        raise InputError(f"There is no {what} {given!r}; name one of {', '.join(kind)}.") from None


def labels_of(given: np.ndarray | StrPath, volume: Volume, only: Sequence[int] | None = None) -> np.ndarray:
    """A label map (z, y, x) on a volume's grid, read if it is a path.

    What is odd about a file is told as a warning each: an array, which is what comes out, has no place for it.

    Raises:
        InputError: it cannot be read, lies elsewhere, or its objects overlap.
    """
    if isinstance(given, np.ndarray):
        return given
    found = read_masks(path_of(given, "a file of labels"), volume, only=only)
    for note in found.notes:
        warnings.warn(note, stacklevel=3)  # where pqcomq's function was called
    return found.single(given)
