"""Quantized weights on disk, by all that their bytes depend on: checkpoint, slices, settings and versions."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pqcomq.atomic_files import made_folder
from pqcomq.autosave.places import LAYERS, LOCK, put_aside, weights_folder
from pqcomq.errors import InputError
from pqcomq.models.segmenter import Segmenter
from pqcomq.quantization.algorithm.config import QuantizationConfig
from pqcomq.quantization.algorithm.quantize_layer import QuantizedLayer
from pqcomq.quantization.calibration.slices import Calibration
from pqcomq.quantization.files.resume import Journal, run_identity
from pqcomq.quantization.files.weights_file import load_weights, save_weights
from pqcomq.quantization.planning.mixed_precision import LayerPlan
from pqcomq.quantization.quantized_model import QuantizedModel
from pqcomq.run_lock import held_if_free


@dataclass(frozen=True, eq=False)
class RecalledWeights:
    """Weights that were on disk.

    Attributes:
        weights: the same bits as when they were made.
        made: when, UTC.
    """

    weights: QuantizedModel
    made: datetime


class KeptWeights:
    """The weights of one user.

    Args:
        folder: of all that is kept, made when it is needed.

    Attributes:
        notes: what was wrong, one sentence each; whoever tells the user takes them.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notes: list[str] = []

    def recall(self, full: Segmenter, calibration: Calibration, settings: QuantizationConfig) -> RecalledWeights | None:
        """The weights that quantizing would make; None where they are still to be made.

        Those that are damaged are put aside and noted.
        """
        path = self._path(full, calibration, settings)
        if not path.is_file():
            return None
        try:
            written = path.stat().st_mtime
            weights = load_weights(path)
            os.utime(path, (time.time(), written))  # used: what was not for the longest time is deleted first
        except (InputError, OSError) as problem:
            with suppress(OSError):
                put_aside(path, self.folder)
            self.notes.append(f"Weights kept on disk cannot be used and are made again: {problem}")
            return None
        return RecalledWeights(weights, datetime.fromtimestamp(written, UTC))

    def keep(self, full: Segmenter, calibration: Calibration, weights: QuantizedModel) -> None:
        """Write weights that were just made.

        A disk that refuses is noted, and costs nothing but the next quantization's time.
        """
        path = self._path(full, calibration, weights.settings)
        try:
            made_folder(path.parent)
            save_weights(weights, path, overwrite=True)
        except InputError as problem:
            self.notes.append(f"The quantized weights were not kept on disk: {problem}")

    @contextmanager
    def layers(
        self, full: Segmenter, calibration: Calibration, settings: QuantizationConfig
    ) -> Iterator[Journal | None]:
        """Keep every finished layer while weights are made, so that a killed or cancelled run goes on from there.

        Yields:
            The journal; None where another process makes the same weights, or the disk refuses.
        """
        path = self._path(full, calibration, settings)
        journal = None
        with ExitStack() as held:
            try:
                made_folder(path.parent)
                if held.enter_context(held_if_free(path.with_suffix(LOCK), path)):
                    identity = run_identity(full, calibration, settings)
                    journal = _OptionalJournal.open(path.with_suffix(LAYERS), identity)
            except (InputError, OSError) as problem:
                self.notes.append(f"Finished layers are not kept on disk: {problem}")
            yield journal
            if journal is not None:
                journal.discard()

    def _path(self, full: Segmenter, calibration: Calibration, settings: QuantizationConfig) -> Path:
        identity = json.dumps(run_identity(full, calibration, settings), sort_keys=True, default=str)
        return weights_folder(self.folder) / f"{hashlib.sha256(identity.encode()).hexdigest()[:32]}.safetensors"


class _OptionalJournal(Journal):
    """A journal that a full disk stops from being kept, and not the run."""

    def keep_plan(self, plan: dict[str, LayerPlan]) -> None:
        with suppress(InputError):
            super().keep_plan(plan)

    def keep_layer(self, name: str, layer: QuantizedLayer) -> None:
        with suppress(InputError):
            super().keep_layer(name, layer)
