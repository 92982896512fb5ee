"""What the user chose, handed to background jobs; the forms are made from these classes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from napari_pqcomq.forms.value_types import OPEN_VOLUME, BitWidths, VolumeFiles
from napari_pqcomq.translation import tr, trn
from pqcomq.backends.runtime import Runtime
from pqcomq.models import lite_medsam
from pqcomq.models.catalogue.model_store import stored_checkpoint
from pqcomq.quantization.algorithm.config import Method, QuantizationConfig
from pqcomq.quantization.calibration.slices import DEFAULT_SLICES
from pqcomq.quantization.planning.presets import default_config

EMBEDDED_MODEL = lite_medsam.KEY
"""The one whose weights are shipped."""

_DEFAULT_WIDTHS = BitWidths((4,))


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
class ModelSettings:
    """A model, at one bit width or several, and what runs it.

    Attributes:
        key: the model's key.
        file: a checkpoint for a model whose weights are not shipped; of no meaning to the other.
        widths: bit widths, one quantized model for each.
        runtime: what runs the networks.
        method: of quantization; runtimes that multiply integers have a method of their own.
    """

    key: str = EMBEDDED_MODEL
    file: Path | None = None
    widths: BitWidths = _DEFAULT_WIDTHS
    runtime: Runtime = Runtime.auto
    method: Method = "pcomq"

    @property
    def needs_file(self) -> bool:
        """Whether the weights of the model are not shipped."""
        return self.key != EMBEDDED_MODEL

    @property
    def lacks_file(self) -> bool:
        """Whether weights are neither shipped nor chosen, nor kept on this machine."""
        return self.needs_file and self.file is None and stored_checkpoint(self.key) is None

    @property
    def checkpoint(self) -> Path | None:
        """The file with the model's weights; None for those that are shipped or kept, or where none is chosen yet."""
        return self.file if self.needs_file else None

    @property
    def choices(self) -> tuple[ModelChoice, ...]:
        """A model and its settings for every bit width."""
        return tuple(
            ModelChoice(
                self.key,
                self.checkpoint,
                default_config(self.key, bits, self.method, integers=self.runtime.integers),
            )
            for bits in self.widths
        )


@dataclass(frozen=True)
class CalibrationChoice:
    """Where the calibration slices come from.

    Attributes:
        slices: how many in all.
        files: volumes to take them from; empty for the open volume.
    """

    slices: int = DEFAULT_SLICES
    files: VolumeFiles = OPEN_VOLUME

    def __str__(self) -> str:
        source = ", ".join(file.name for file in self.files) or tr("the open volume")
        return _slices_of(source, self.slices)


@dataclass(frozen=True)
class WeightsOrigin:
    """What quantized weights were made on.

    Attributes:
        calibration: number and origin of the slices.
        volume: the open volume, by :func:`.volume_key`, where the slices are its own; else empty.
        name: of that volume, for people.
    """

    calibration: CalibrationChoice
    volume: str = ""
    name: str = field(default="", compare=False)

    @classmethod
    def of(cls, calibration: CalibrationChoice, volume: str, name: str) -> WeightsOrigin:
        """That of weights that are made now; files to calibrate on leave the open volume out of account."""
        return cls(calibration) if calibration.files else cls(calibration, volume, name)

    def __str__(self) -> str:
        return _slices_of(self.name, self.calibration.slices) if self.name else str(self.calibration)


def _slices_of(source: str, count: int) -> str:
    return trn("{count} slice of {source}", "{count} slices of {source}", count, source=source)
