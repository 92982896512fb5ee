"""A session read back from its folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pqcomq.atomic_files import recover
from pqcomq.backends.fastest import settled
from pqcomq.backends.runtime import Runtime, Taken
from pqcomq.comparison.box_perturbation import BoxJitter
from pqcomq.comparison.compared_model import ComparedModel, check_same_source
from pqcomq.comparison.comparison_result import ComparisonResult, ObjectComparison
from pqcomq.comparison.gate import Tolerance
from pqcomq.comparison.model_result import Comparison
from pqcomq.errors import InputError
from pqcomq.json_schema import Damaged, check_content, read_json
from pqcomq.models.execution import Execution
from pqcomq.models.segmenter import Segmenter
from pqcomq.quantization.files.weights_file import load_weights
from pqcomq.quantization.quantized_model import QuantizedModel, with_unique_names
from pqcomq.reader_study.blinded_study import BlindedReading
from pqcomq.segmentation.box_mask import BoxMask
from pqcomq.segmentation.doubt import DOUBTFUL
from pqcomq.segmentation.prompt import Prompt
from pqcomq.session.file_names import MANIFEST, READ_FORMATS, inside
from pqcomq.session.session import Session
from pqcomq.session.session_schema import AnySession, SessionFile
from pqcomq.volumes.labels.label_maps import read_labels
from pqcomq.volumes.volume import Volume

_DAMAGE = (KeyError, TypeError, ValueError, AttributeError, IndexError)


@dataclass(frozen=True)
class SavedSession:
    """A session's folder, its manifest read, its arrays not yet.

    Attributes:
        folder: of the session.
        content: of ``session.json``.
    """

    folder: Path
    content: dict[str, Any]

    @classmethod
    def at(cls, folder: Path) -> SavedSession:
        """Read the manifest.

        Raises:
            InputError: there is none, or it is damaged or of another version.
        """
        path = folder / MANIFEST
        recover(folder)
        try:
            content = read_json(path, AnySession)
            if content["format"] not in READ_FORMATS:
                raise InputError("The file is of a format that this version does not know.", path)
            check_content(content, SessionFile)
        except FileNotFoundError:
            raise InputError(f"The folder holds no session: there is no {MANIFEST} in it.", folder) from None
        except Damaged as problem:
            raise InputError(f"The file is damaged and cannot be read as a session: {problem}.", path) from problem
        return cls(folder, content)

    @property
    def model_key(self) -> str:
        """Which full-precision model it was compared with."""
        return str(self.content["model"]["key"])

    @property
    def checkpoint_sha256(self) -> str:
        """Hash of that model's checkpoint."""
        return str(self.content["model"]["checkpoint_sha256"])

    def check_volume(self, volume: Volume) -> None:
        """Make sure that a volume is the session's own.

        Raises:
            InputError: its voxels are others.
        """
        ours = self.content["volume"]
        if volume.sha256 != ours["voxels_sha256"]:
            raise InputError(
                f"{volume.name} is not the volume of the session in {self.folder}: its voxels are not those of "
                f"the {ours['name']} that it was made on."
            )

    def weights(self, full: Segmenter) -> list[QuantizedModel]:
        """The quantized models, in the order of every object's comparisons.

        Args:
            full: the full-precision model.

        Raises:
            InputError: a file is missing or damaged, or was not made from ``full``.
        """
        weights = with_unique_names([load_weights(inside(self.folder, name)) for name in self.content["weights"]])
        for each in weights:
            check_same_source(full, each)
        return weights

    @property
    def runtimes(self) -> tuple[Runtime, Runtime]:
        """What ran full precision, and what the quantized models.

        Raises:
            InputError: this version has none of that name, or the manifest is damaged.
        """
        found = self.numbers()
        return _runtime(found[0].reference.execution), _runtime(found[0].comparisons[0].candidate.execution)

    def models(self, full: Segmenter, runtime: Runtime | None = None) -> tuple[ComparedModel, ...]:
        """The models ready to run, full precision first.

        Args:
            full: the full-precision model.
            runtime: by default that which the session was made with; another gives other numbers.

        Raises:
            InputError: the model is not the session's, or this machine does not have the session's runtime.
        """
        weights = self.weights(full)
        if runtime is None:
            of_full, of_weights = (Taken(each) for each in self.runtimes)
        else:
            of_weights = settled(runtime, weights)
            of_full = of_weights.in_full_precision
        try:
            return (ComparedModel.full(full, of_full), *(ComparedModel.quantized(each, of_weights) for each in weights))
        except InputError as problem:
            if runtime is not None:
                raise
            raise InputError(
                f"the session was made with runtime {of_weights.runtime.value}, which repeats its numbers and is "
                f"missing here: {problem}; another, asked for with --runtime, gives other numbers"
            ) from problem

    def opened(self, volume: Volume, models: Sequence[ComparedModel]) -> Session:
        """Everything as it was when the session was saved, with its models ready to run.

        Args:
            volume: the session's own.
            models: full precision and then the session's own weights, in their order; see :meth:`models`.

        Raises:
            InputError: the volume is another, a file is missing or damaged.
        """
        self.check_volume(volume)
        reference, *candidates = models
        try:
            gate, reading = self.content["gate"], self.content["reading"]
            objects = tuple(self._object(place, volume) for place in range(len(self.content["objects"])))
            return Session(
                result=ComparisonResult(volume, objects, reference, tuple(candidates)),
                tolerance=Tolerance(
                    gate["least_dice_between_models"],
                    gate["greatest_volume_difference_percent"],
                    gate.get("in_doubt_below_stability", DOUBTFUL),
                ),
                reading=None if reading is None else BlindedReading.from_dict(reading),
                made=str(self.content["made_utc"]),
            )
        except InputError:
            raise
        except _DAMAGE as problem:
            raise self._damaged(problem) from problem

    def numbers(self) -> list[ObjectComparison]:
        """The objects without masks and ground truths, which need the volume: their masks are empty.

        Raises:
            InputError: the manifest is damaged.
        """
        nothing = BoxMask(np.zeros((0, 0, 0), dtype=bool), 0)
        try:
            return [
                _compared(
                    entry,
                    place,
                    tuple(Comparison.from_dict(each["found"], nothing, nothing) for each in entry["comparisons"]),
                )
                for place, entry in enumerate(self.content["objects"], start=1)
            ]
        except _DAMAGE as problem:
            raise self._damaged(problem) from problem

    def _object(self, place: int, volume: Volume) -> ObjectComparison:
        entry = self.content["objects"][place]
        read: dict[str, BoxMask] = {}  # full precision has one file for all its comparisons

        def whole(name: object) -> np.ndarray:
            return read_labels(inside(self.folder, name), volume) > 0

        def mask(name: object, prompt: Prompt) -> BoxMask:
            if str(name) not in read:
                read[str(name)] = BoxMask.cut(whole(name), prompt)
            return read[str(name)]

        comparisons = []
        for each in entry["comparisons"]:
            prompt = Prompt.from_dict(each["found"]).checked(volume.grid.shape_zyx)
            masks = mask(each["reference_mask"], prompt), mask(each["candidate_mask"], prompt)
            comparisons.append(Comparison.from_dict(each["found"], *masks))
        truth = None if entry["truth"] is None else whole(entry["truth"])
        return _compared(entry, place + 1, tuple(comparisons), truth)

    def _damaged(self, problem: Exception) -> InputError:
        return InputError(f"The session's file is damaged ({problem!r}).", self.folder / MANIFEST)


def _compared(
    entry: dict[str, Any], number: int, comparisons: tuple[Comparison, ...], truth: np.ndarray | None = None
) -> ObjectComparison:
    """An object of the manifest."""
    jitter = entry["box_jitter"]
    return ObjectComparison(
        name=str(entry["name"]),
        comparisons=comparisons,
        truth=truth,
        jitter=None if jitter is None else BoxJitter.from_dict(jitter),
        number=entry.get("number", number),
    )


def _runtime(recorded: Execution) -> Runtime:
    """The runtime that a session tells of one model.

    Raises:
        InputError: this version has none of that name.
    """
    try:
        return Runtime(recorded.setting)
    except ValueError as problem:
        raise InputError(
            f"the session was made with runtime {recorded.setting!r}, which this version does not know"
        ) from problem
