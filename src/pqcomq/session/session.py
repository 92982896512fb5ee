"""What a session holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pqcomq.comparison.comparison_result import ComparisonResult, ObjectComparison
from pqcomq.comparison.gate import Tolerance, Verdict, judge_objects
from pqcomq.errors import InputError
from pqcomq.quantization.quantized_model import QuantizedModel
from pqcomq.reader_study.blinded_study import BlindedReading
from pqcomq.volumes.volume import Volume


@dataclass(frozen=True, eq=False)
class Session:
    """A comparison with what its user asked of it.

    Attributes:
        result: volume, objects and models.
        tolerance: of the gate.
        reading: a finished blinded reading, or None.
        made: when, UTC, to the second.

    Raises:
        InputError: two objects have one name, or a candidate has no weights to keep.
    """

    result: ComparisonResult
    tolerance: Tolerance = field(default_factory=Tolerance)
    reading: BlindedReading | None = None
    made: str = field(default_factory=lambda: f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}")

    def __post_init__(self) -> None:
        check_names([each.name for each in self.objects])
        if len(self.models) < len(self.result.candidates):
            raise InputError("A session keeps quantized weights, and one of the models compared has none.")

    @property
    def volume(self) -> Volume:
        """What was segmented."""
        return self.result.volume

    @property
    def objects(self) -> tuple[ObjectComparison, ...]:
        """At least one."""
        return self.result.objects

    @property
    def models(self) -> tuple[QuantizedModel, ...]:
        """The quantized models, at least one; every object has a comparison for each."""
        return tuple(each.weights for each in self.result.candidates if each.weights is not None)

    @property
    def licence(self) -> str:
        """Of the full-precision weights."""
        return self.result.reference.segmenter.licence

    @property
    def volume_title(self) -> str:
        """The volume told by what it is: its own name is a file's or a series', and may be the patient's."""
        size = " × ".join(map(str, self.volume.grid.size))
        return f"{self.volume.modality}, {size} voxels"

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Every object under every model held against the tolerance."""
        return judge_objects(self.objects, self.tolerance)

    @property
    def layer_errors(self) -> list[tuple[str, Mapping[str, float]]]:
        """Each model's precision, and by encoder layer the share of the output energy lost in calibration."""
        return [(model.segmenter.precision, model.layer_errors) for model in self.models]


def check_names(names: Sequence[str]) -> None:
    """See that objects can be told apart.

    Raises:
        InputError: two have one name.
    """
    if len(set(names)) < len(names):
        raise InputError(f"Two objects of a session cannot have the same name: {', '.join(sorted(names))}.")
