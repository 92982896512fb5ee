"""The models at hand, so that none is read from disk, quantized or compiled again for each job."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from napari_pqcomq.jobs.choices import ModelChoice
from napari_pqcomq.jobs.triton_guard import keep_triton_out
from pqcomq.backends.fastest import settled
from pqcomq.backends.runtime import Runtime, Taken
from pqcomq.comparison.compared_model import ComparedModel
from pqcomq.models.registry import load_model
from pqcomq.models.segmenter import Segmenter
from pqcomq.progress import Progress, Steps
from pqcomq.quantization.quantized_model import QuantizedModel


class ModelCache:
    """Holds one full-precision model (the larger one takes some 400 MB), its quantized copies, and compiled models.

    :meth:`take` and :meth:`compared_models` are called in a job's thread, the others on the GUI's.
    """

    def __init__(self) -> None:
        self._key: tuple[str, Path | None] | None = None
        self._model: Segmenter | None = None
        self._ready: dict[tuple[str, Taken], ComparedModel] = {}  # by fingerprint of the weights
        self._quantized: dict[ModelChoice, QuantizedModel] = {}
        self._newest: QuantizedModel | None = None

    @property
    def newest(self) -> QuantizedModel | None:
        """The quantized weights that were made or loaded last."""
        return self._newest

    def quantized(self, choice: ModelChoice) -> QuantizedModel | None:
        """The quantized weights of a choice, None where they are not at hand."""
        return self._quantized.get(choice)

    def missing(self, choices: Sequence[ModelChoice]) -> tuple[ModelChoice, ...]:
        """Those choices whose weights are still to be made."""
        return tuple(choice for choice in choices if choice not in self._quantized)

    def keep(self, choice: ModelChoice, weights: QuantizedModel) -> None:
        """Keep quantized weights that were made or loaded; those of other models and checkpoints are dropped."""
        source = (choice.key, choice.checkpoint)
        kept = self._quantized.items()
        self._quantized = {each: model for each, model in kept if (each.key, each.checkpoint) == source}
        self._quantized[choice] = self._newest = weights

    def take(self, key: str, checkpoint: Path | None) -> Segmenter:
        """The full-precision model, loaded unless it is at hand already.

        Raises:
            InputError: its checkpoint cannot be used.
        """
        if self._model is None or self._key != (key, checkpoint):
            self._model, self._key = None, None
            keep_triton_out()
            self._model = load_model(key, checkpoint)
            self._key = (key, checkpoint)
        return self._model

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
            yield Progress(0, 0, "Finding the fastest setting of this machine")
        taken = settled(runtime, weights)
        wanted: dict[tuple[str, Taken], Segmenter | QuantizedModel] = {
            (full.fingerprint, taken.in_full_precision): full,
            **{(each.segmenter.fingerprint, taken): each for each in weights},
        }
        ready = {key: kept for key, kept in self._ready.items() if key in wanted}
        for key, model in wanted.items():
            if key not in ready:
                title = model.settings.title if isinstance(model, QuantizedModel) else model.precision
                yield Progress(len(ready), len(wanted), f"Making {title} ready for {key[1].runtime.value}")
                ready[key] = _compared_model(model, key[1])
        self._ready = ready
        return tuple(ready[key] for key in wanted)


def _compared_model(model: Segmenter | QuantizedModel, runtime: Taken) -> ComparedModel:
    if isinstance(model, QuantizedModel):
        return ComparedModel.quantized(model, runtime)
    return ComparedModel.full(model, runtime)
