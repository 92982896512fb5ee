"""A session read back from its folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pqcomq.comparison.box_perturbation import BoxJitter
from pqcomq.comparison.gate import Tolerance
from pqcomq.comparison.result import Comparison
from pqcomq.errors import InputError
from pqcomq.quantization.quantized_model import with_unique_names
from pqcomq.quantization.weights_file import load_weights
from pqcomq.reader_study.blinded_study import BlindedReading
from pqcomq.session.file_names import FORMAT, MANIFEST, inside
from pqcomq.session.session import Session, SessionObject
from pqcomq.volumes.labels import read_labels
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
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise InputError(f"{folder} holds no session: there is no {MANIFEST} in it.") from None
        except (OSError, ValueError) as problem:
            raise InputError(f"{path} cannot be read as a session.") from problem
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise InputError(f"{path} is of a format that this version does not know.")
        return cls(folder, content)

    @property
    def model_key(self) -> str:
        """Which full-precision model it was compared with."""
        return str(self._entry("model")["key"])

    def check_volume(self, volume: Volume) -> None:
        """Make sure that a volume is the session's own.

        Raises:
            InputError: its voxels are others.
        """
        ours = self._entry("volume")
        if volume.sha256 != ours["voxels_sha256"]:
            raise InputError(
                f"{volume.name} is not the volume of the session in {self.folder}: its voxels are not those of "
                f"the {ours['name']} that it was made on."
            )

    def opened(self, volume: Volume) -> Session:
        """Everything as it was when the session was saved.

        Args:
            volume: the session's own.

        Raises:
            InputError: the volume is another, a file is missing or damaged.
        """
        self.check_volume(volume)
        weights = with_unique_names([load_weights(inside(self.folder, name)) for name in self._list("weights")])
        try:
            gate, reading = self.content["gate"], self.content["reading"]
            return Session(
                volume=volume,
                objects=tuple(self._object(each, volume) for each in self.content["objects"]),
                models=tuple(weights),
                licence=str(self.content["model"]["licence"]),
                tolerance=Tolerance(gate["least_dice_between_models"], gate["greatest_volume_difference_percent"]),
                reading=None if reading is None else BlindedReading.from_dict(reading),
                made=str(self.content["made_utc"]),
            )
        except InputError:
            raise
        except _DAMAGE as problem:
            raise self._damaged(problem) from problem

    def numbers(self) -> list[tuple[str, tuple[Comparison, ...]]]:
        """Names and comparisons of the objects without their masks, which need the volume: theirs are empty.

        Raises:
            InputError: the manifest is damaged.
        """
        nothing = np.zeros((0, 0, 0), dtype=bool)
        try:
            return [
                (
                    str(entry["name"]),
                    tuple(Comparison.from_dict(each["found"], nothing, nothing) for each in entry["comparisons"]),
                )
                for entry in self.content["objects"]
            ]
        except _DAMAGE as problem:
            raise self._damaged(problem) from problem

    def _object(self, entry: dict[str, Any], volume: Volume) -> SessionObject:
        def mask(name: object) -> np.ndarray:
            return read_labels(inside(self.folder, name), volume) > 0

        comparisons = tuple(
            Comparison.from_dict(each["found"], mask(each["reference_mask"]), mask(each["candidate_mask"]))
            for each in entry["comparisons"]
        )
        jitter = entry["box_jitter"]
        return SessionObject(
            name=str(entry["name"]),
            comparisons=comparisons,
            truth=None if entry["truth"] is None else mask(entry["truth"]),
            jitter=None if jitter is None else BoxJitter.from_dict(jitter),
        )

    def _entry(self, key: str) -> dict[str, Any]:
        value = self.content.get(key)
        if not isinstance(value, dict):
            raise self._damaged(KeyError(key))
        return value

    def _list(self, key: str) -> list[Any]:
        value = self.content.get(key)
        if not isinstance(value, list):
            raise self._damaged(KeyError(key))
        return value

    def _damaged(self, problem: Exception) -> InputError:
        return InputError(f"{self.folder / MANIFEST} is damaged ({problem!r}).")
