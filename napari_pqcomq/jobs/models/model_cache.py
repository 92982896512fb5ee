"""The models at hand, so that none is read from disk, quantized or compiled again for each job."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_pqcomq.jobs.models.choices import ModelChoice, WeightsOrigin
from napari_pqcomq.jobs.models.triton_guard import keep_triton_out
from napari_pqcomq.translation import tr
from pqcomq.backends.fastest import settled
from pqcomq.backends.runtime import Runtime, Taken
from pqcomq.comparison.compared_model import ComparedModel
from pqcomq.models.registry import load_model
from pqcomq.models.segmenter import Segmenter
from pqcomq.progress import Progress, Steps
from pqcomq.quantization.quantized_model import QuantizedModel

_MOST_BYTES, _FEWEST = 2**29, 4
"""Of quantized networks, each as large in memory as full precision; all widths of one comparison stay at hand."""


@dataclass(frozen=True, eq=False)
class _Kept:
    """Quantized weights, for whom they were made, and on what; None for those that a file or a session brought."""

    choice: ModelChoice
    origin: WeightsOrigin | None
    weights: QuantizedModel


class ModelCache:
    """Holds one full-precision model (the larger one takes some 400 MB), its quantized copies, and compiled models.

    :meth:`take` and :meth:`compared_models` are called in a job's thread, :meth:`keep` in any, the others on the GUI's.
    """

    def __init__(self) -> None:
        self._key: tuple[str, Path | None] | None = None
        self._model: Segmenter | None = None
        # By key, and fingerprints of weights and of input ranges, which are a calibration's even where weights are not.
        self._ready: dict[tuple[str, str, str, Taken], ComparedModel] = {}
        self._quantized: tuple[_Kept, ...] = ()  # the newest last
        self._lock = threading.Lock()

    @property
    def newest(self) -> QuantizedModel | None:
        """The quantized weights that were made or loaded last."""
        kept = self._quantized
        return kept[-1].weights if kept else None

    def quantized(self, choice: ModelChoice, origin: WeightsOrigin | None = None) -> QuantizedModel | None:
        """The quantized weights of a choice, the newest of several; None where there are none.

        Args:
            choice: of model and settings.
            origin: what they are to be made on; None for anything. Weights out of a file serve in any place.
        """
        for each in reversed(self._quantized):
            if each.choice == choice and (each.origin is None or origin in (None, each.origin)):
                return each.weights
        return None

    def missing(self, choices: Sequence[ModelChoice], origin: WeightsOrigin | None = None) -> tuple[ModelChoice, ...]:
        """Those choices whose weights are still to be made."""
        return tuple(choice for choice in choices if self.quantized(choice, origin) is None)

    def made_elsewhere(self, choices: Sequence[ModelChoice]) -> WeightsOrigin | None:
        """On what else weights of all of these choices were made, the last of several; None for nowhere."""
        origins = [each.origin for each in self._quantized if each.origin is not None]
        complete = (each for each in reversed(origins) if not self.missing(choices, each))
        return next(complete, None)

    def keep(self, choice: ModelChoice, weights: QuantizedModel, origin: WeightsOrigin | None = None) -> None:
        """Keep quantized weights that were made or loaded.

        Those of other models and checkpoints are dropped, and of too many the oldest.

        Args:
            choice: that they belong to.
            weights: to keep.
            origin: what they were made on; None for those out of a file, which serve for any volume.
        """
        with self._lock:
            kept = [
                each
                for each in self._quantized
                if (each.choice.key, each.choice.checkpoint) == (choice.key, choice.checkpoint)
                and (each.choice, each.origin) != (choice, origin)
            ]
            most = max(_FEWEST, _MOST_BYTES // max(1, weights.segmenter.checkpoint_bytes))
            self._quantized = (*kept, _Kept(choice, origin, weights))[-most:]

    def rest(self) -> None:
        """Let go of what can be made again in a moment: full precision, and compiled models."""
        self._key, self._model, self._ready = None, None, {}

    def forget(self, key: str) -> None:
        """A model's own weights are no longer on this machine: those that come next may be others."""
        with self._lock:
            self._quantized = tuple(
                each for each in self._quantized if (each.choice.key, each.choice.checkpoint) != (key, None)
            )
        if self._key == (key, None):
            self.rest()

    def take(self, key: str, checkpoint: Path | None) -> Segmenter:
        """The full-precision model, loaded unless it is at hand already.

        Raises:
            InputError: its checkpoint cannot be used.
        """
        model = self._model  # a dock that closes lets go of it at any time
        if model is None or self._key != (key, checkpoint):
            model = self._model = self._key = None
            keep_triton_out()
            model = self._model = load_model(key, checkpoint)
            self._key = (key, checkpoint)
        return model

    def compared_models(
        self, full: Segmenter, weights: Sequence[QuantizedModel], runtime: Runtime
    ) -> Steps[tuple[ComparedModel, ...]]:
        """The models as they take part in a comparison, compiled unless they are at hand already.

        Args:
            full: in full precision; runs in the runtime's own full precision.
            weights: its quantized copies.
            runtime: for them; ``auto`` is settled first, which takes some seconds once on each machine.

        Yields:
            A step before that and before each model that has to be compiled.

        Returns:
            Full precision first (a generator's return value).

        Raises:
            InputError: this machine cannot run them so.
        """
        if runtime is Runtime.auto:
            yield Progress(0, 0, tr("Finding the fastest setting of this machine"))
        taken = settled(runtime, weights)
        # The key is part of it: two models may have one checkpoint, and prepare slices differently.
        wanted: dict[tuple[str, str, str, Taken], Segmenter | QuantizedModel] = {
            (full.key, full.fingerprint, "", taken.in_full_precision): full,
            **{(each.segmenter.key, each.segmenter.fingerprint, each.ranges_sha256, taken): each for each in weights},
        }
        ready = {key: kept for key, kept in self._ready.items() if key in wanted}
        for key, model in wanted.items():
            runs_on = key[-1]
            if key not in ready:
                title = model.settings.title if isinstance(model, QuantizedModel) else model.precision
                yield Progress(len(ready), len(wanted), tr("Making {title} ready", title=title))
                ready[key] = _compared_model(model, runs_on)
        self._ready = ready
        return tuple(ready[key] for key in wanted)


def _compared_model(model: Segmenter | QuantizedModel, runtime: Taken) -> ComparedModel:
    if isinstance(model, QuantizedModel):
        return ComparedModel.quantized(model, runtime)
    return ComparedModel.full(model, runtime)
