"""Quantize MedSAM models, or any network, with Permutation-COMQ and compare them with full precision.

The names below are the public interface. They are imported when they are first used, so that ``import pqcomq`` takes no
time and changes nothing in the process.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pqcomq.api import (
        compare,
        evaluate,
        evaluate_cohort,
        load_model,
        load_weights,
        quantize,
        read_volume,
        save_weights,
        segment,
    )
    from pqcomq.errors import InputError
    from pqcomq.progress import Progress
    from pqcomq.quantization.algorithm.config import QuantizationConfig
    from pqcomq.quantization.planning.presets import default_config
    from pqcomq.segmentation.box import Box3D
    from pqcomq.segmentation.prompt import Prompt, PromptPoint
    from pqcomq.segmentation.scribble import Scribble

__version__ = "0.2.0"

__all__ = [
    "Box3D",
    "InputError",
    "Progress",
    "Prompt",
    "PromptPoint",
    "QuantizationConfig",
    "Scribble",
    "compare",
    "default_config",
    "evaluate",
    "evaluate_cohort",
    "load_model",
    "load_weights",
    "quantize",
    "read_volume",
    "save_weights",
    "segment",
]

_HOMES = {
    "Box3D": "pqcomq.segmentation.box",
    "InputError": "pqcomq.errors",
    "Progress": "pqcomq.progress",
    "Prompt": "pqcomq.segmentation.prompt",
    "PromptPoint": "pqcomq.segmentation.prompt",
    "QuantizationConfig": "pqcomq.quantization.algorithm.config",
    "Scribble": "pqcomq.segmentation.scribble",
    "default_config": "pqcomq.quantization.planning.presets",
}
"""Public name → module, where that is not ``pqcomq.api``."""


def __getattr__(name: str) -> object:
    """Import a public name when it is first used (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(_HOMES.get(name, "pqcomq.api")), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """All names, the public ones before they are imported too."""
    return sorted({*globals(), *__all__})
