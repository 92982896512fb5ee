"""The settings of a cohort from what a user names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pqcomq.backends.fastest import settled
from pqcomq.backends.runtime import Runtime
from pqcomq.cohort.scoring.loaded_models import model_files, read_models
from pqcomq.cohort.settings import CohortProtocol, CohortSettings
from pqcomq.comparison.compared_model import check_same_source
from pqcomq.models.registry import load_model
from pqcomq.volumes.intensity_window import Window
from pqcomq.volumes.volume import Modality


def settings_of(
    weights: Sequence[Path],
    *,
    checkpoint: Path | None = None,
    runtime: Runtime = Runtime.auto,
    threads: int = 1,
    protocol: CohortProtocol | None = None,
    window: Window | None = None,
    modality: Modality | None = None,
) -> CohortSettings:
    """What is computed, once all models were seen to belong together.

    Args:
        weights: files of quantized weights, all of one model.
        checkpoint: of that model; LiteMedSAM's is shipped.
        runtime: that runs the quantized models; ``auto`` is settled here, by this machine.
        threads: of each worker.
        protocol: of the prompts.
        window: for all cases that bring none.
        modality: for all cases that do not say.

    Raises:
        InputError: there are no weights, a file cannot be read, or they belong to different models.
    """
    paths = list(weights)
    key, models = read_models(paths)
    full = load_model(key, checkpoint)
    for path, each in zip(paths, models, strict=True):
        check_same_source(full, each, path)
    return CohortSettings(
        model=full.key,
        checkpoint="" if checkpoint is None else str(checkpoint.resolve()),
        checkpoint_sha256=full.checkpoint_sha256,
        quantized=model_files(paths, models),
        runtime=settled(runtime, models).runtime.value,  # once for all workers
        threads=threads,
        protocol=protocol or CohortProtocol(),
        window=window,
        modality=modality,
    )
