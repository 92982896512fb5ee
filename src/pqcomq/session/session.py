"""What a session holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from pqcomq.comparison.box_perturbation import BoxJitter
from pqcomq.comparison.gate import Tolerance, Verdict, judge
from pqcomq.comparison.result import Comparison
from pqcomq.errors import InputError
from pqcomq.quantization.quantized_model import QuantizedModel
from pqcomq.reader_study.blinded_study import BlindedReading
from pqcomq.volumes.volume import Volume


@dataclass(frozen=True, eq=False)
class SessionObject:
    """One object, segmented by full precision and by every quantized model of the session.

    Attributes:
        name: the user's, free of patient data.
        comparisons: one for each quantized model, in the session's order.
        truth: (z, y, x) bool, or None.
        jitter: full precision under moved boxes, or None where that was not asked for.
    """

    name: str
    comparisons: tuple[Comparison, ...]
    truth: np.ndarray | None = field(default=None, repr=False)
    jitter: BoxJitter | None = None


@dataclass(frozen=True, eq=False)
class Session:
    """One volume, its objects and the models.

    Attributes:
        volume: what was segmented.
        objects: at least one.
        models: the quantized models, at least one; every object has a comparison for each.
        licence: of the full-precision weights.
        tolerance: of the gate.
        reading: a finished blinded reading, or None.
        made: when, UTC, to the second.
    """

    volume: Volume
    objects: tuple[SessionObject, ...]
    models: tuple[QuantizedModel, ...]
    licence: str
    tolerance: Tolerance = field(default_factory=Tolerance)
    reading: BlindedReading | None = None
    made: str = field(default_factory=lambda: f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}")

    def __post_init__(self) -> None:
        if not self.objects or not self.models:
            raise InputError("A session needs at least one compared object and one quantized model.")
        names = [each.name for each in self.objects]
        if len(set(names)) < len(names):
            raise InputError(f"Two objects of a session cannot have the same name: {', '.join(sorted(names))}.")

    @property
    def volume_title(self) -> str:
        """The volume told by what it is: its own name is a file's or a series', and may be the patient's."""
        size = " × ".join(map(str, self.volume.grid.size))
        return f"{self.volume.modality}, {size} voxels"

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Every object under every model held against the tolerance."""
        return tuple(
            judge(comparison, self.tolerance, each.name) for each in self.objects for comparison in each.comparisons
        )

    @property
    def layer_errors(self) -> list[tuple[str, Mapping[str, float]]]:
        """Each model's precision, and by encoder layer the share of the output energy lost in calibration."""
        return [(model.segmenter.precision, model.layer_errors) for model in self.models]
