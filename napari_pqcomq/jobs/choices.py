"""What the user chose, handed to background jobs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pqcomq.quantization.algorithm.config import QuantizationConfig


@dataclass(frozen=True)
class ModelChoice:
    """A model and how to quantize it.

    Attributes:
        key: the model's key.
        checkpoint: its weights; None for the ones that are shipped.
        settings: of the quantization.
    """

    key: str
    checkpoint: Path | None
    settings: QuantizationConfig


@dataclass(frozen=True)
class CalibrationChoice:
    """Where the calibration slices come from.

    Attributes:
        slices: how many in all.
        files: volumes to take them from; empty for the open volume.
    """

    slices: int
    files: tuple[Path, ...] = ()

    def __str__(self) -> str:
        count = "1 slice" if self.slices == 1 else f"{self.slices} slices"
        return f"{count} of " + (", ".join(file.name for file in self.files) or "the open volume")
