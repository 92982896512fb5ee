"""What is kept while napari runs, whether the dock is open or not: weights, ground truth and results by volume."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from napari_pqcomq.jobs.models.model_cache import ModelCache
from napari_pqcomq.prompts.objects.drawn_object import DrawnObject
from napari_pqcomq.translation import tr
from pqcomq.autosave.kept_weights import KeptWeights
from pqcomq.comparison.box_perturbation import BoxJitter
from pqcomq.comparison.compared_model import ComparedModel
from pqcomq.comparison.comparison_result import ComparisonResult, ObjectComparison
from pqcomq.errors import InputError
from pqcomq.progress import Progress, Steps
from pqcomq.reader_study.blinded_study import BlindedReading
from pqcomq.volumes.volume import Volume

MOST_RESULTS = 8
"""Volumes whose last comparison is kept; their voxels are not."""
_SAMPLES = 16
"""Voxels along each axis that a volume is known by at first sight."""


def volume_key(volume: Volume) -> str:
    """Knows a volume again when it is opened once more, at once: by its grid, its modality and some of its voxels.

    Hashing all voxels of a large volume would hold the window up; where it matters, :class:`RecallJob` does it.
    """
    return _key(volume, volume.modality)


def voxels_key(volume: Volume) -> str:
    """The same of whatever modality it is taken for."""
    return _key(volume, "")


def _key(volume: Volume, modality: str) -> str:
    steps = [max(1, count // _SAMPLES) for count in volume.voxels.shape]
    some = np.ascontiguousarray(volume.voxels[:: steps[0], :: steps[1], :: steps[2]])
    known = hashlib.sha256(f"{volume.grid}{modality}{some.dtype.str}".encode())
    known.update(some.data)
    return known.hexdigest()


@dataclass(frozen=True, eq=False)
class KeptResult:
    """A finished comparison without the voxels that it was made on.

    Attributes:
        sha256: of the volume's voxels.
        objects: what was found.
        reference: full precision.
        candidates: its quantized copies.
        prompts: the objects as they were in the dock.
        jitters: what moved boxes gave, by object number.
        reading: a finished blinded reading, or None.
        corrections: by hand, on the masks; None where there are none.
    """

    sha256: str
    objects: tuple[ObjectComparison, ...]
    reference: ComparedModel
    candidates: tuple[ComparedModel, ...]
    prompts: tuple[DrawnObject, ...] = ()
    jitters: dict[int, BoxJitter] = field(default_factory=dict)
    reading: BlindedReading | None = None
    corrections: Any = None

    @classmethod
    def of(cls, result: ComparisonResult, prompts: tuple[DrawnObject, ...]) -> KeptResult:
        """What is kept of a result."""
        sha256 = result.objects[0].comparisons[0].volume_sha256
        return cls(sha256, result.objects, result.reference, result.candidates, prompts)

    def on(self, volume: Volume) -> ComparisonResult:
        """The result again.

        Args:
            volume: the same voxels, perhaps opened anew.

        Raises:
            InputError: they are others.
        """
        if volume.sha256 != self.sha256:
            raise InputError(
                tr(
                    "The voxels of this volume are not those that were compared before, so its masks and figures do "
                    "not belong to it; they were not brought back."
                )
            )
        return ComparisonResult(volume, self.objects, self.reference, self.candidates)


@dataclass(frozen=True)
class KeptTruth:
    """The ground truth that was chosen for a volume.

    Attributes:
        layer: name of the labels layer.
        labels: of it, those that the user has set, by name of the object: numbers are given anew with the boxes.
    """

    layer: str
    labels: dict[str, int]


class KeptWork:
    """Everything finished in this process.

    Attributes:
        models: full precision, and quantized weights by volume and settings.
        truths: by :func:`volume_key`.
        on_disk: quantized weights that outlive the process; None where nothing is to be kept.
    """

    def __init__(self) -> None:
        self.on_disk: KeptWeights | None = None
        self.models = ModelCache()
        self.truths: dict[str, KeptTruth] = {}
        self._results: dict[str, KeptResult] = {}  # by volume_key, the last one last

    def keep(self, key: str, result: KeptResult) -> None:
        """Keep the last comparison of a volume; of many volumes the oldest is dropped."""
        self._results.pop(key, None)
        self._results[key] = result
        while len(self._results) > MOST_RESULTS:
            del self._results[next(iter(self._results))]

    def keep_unseen(self, key: str, result: ComparisonResult) -> None:
        """Keep a comparison that is not on screen yet, with the objects compared, unless it is the one that is kept."""
        before = self._results.get(key)
        if before is None or before.objects is not result.objects:
            prompts = tuple(DrawnObject.of(each.number, each.name, each.prompt) for each in result.objects)
            self.keep(key, KeptResult.of(result, prompts))

    def complete(self, key: str, result: ComparisonResult, **made_since: object) -> None:
        """Keep what was made of a comparison since, if it is the one that is kept: fields of :class:`KeptResult`."""
        kept = self._results.get(key)
        if kept is not None and kept.objects is result.objects:  # and not a newer one, which is not on screen yet
            self._results[key] = replace(kept, **made_since)  # type: ignore[arg-type]

    def result(self, key: str) -> KeptResult | None:
        """The last comparison of a volume, None where there was none."""
        return self._results.get(key)


_shared = KeptWork()


def shared_work() -> KeptWork:
    """That of the process: closing a dock, or a window, loses nothing."""
    return _shared


@dataclass(frozen=True, eq=False)
class RecallJob:
    """Make sure that a kept result belongs to the open volume.

    Attributes:
        kept: the result.
        volume: that is open.
    """

    kept: KeptResult
    volume: Volume

    def steps(self) -> Steps[ComparisonResult]:
        """The work.

        Raises:
            InputError: the voxels are others.
        """
        yield Progress(0, 0, tr("Checking that the volume is the one compared before"))
        return self.kept.on(self.volume)
