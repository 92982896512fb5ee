"""The settings of a cohort from what a user names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pqcomq.backends.fastest import settled
from pqcomq.backends.runtime import Runtime
from pqcomq.cohort.cases.case import CaseList
from pqcomq.cohort.scoring.loaded_models import model_files, read_models
from pqcomq.cohort.settings import CalibratedOn, CaseRecipe, CohortProtocol, CohortSettings
from pqcomq.comparison.compared_model import check_same_source
from pqcomq.errors import InputError
from pqcomq.models.registry import load_model
from pqcomq.quantization.algorithm.config import BIT_WIDTHS, Method
from pqcomq.volumes.intensity_window import Window
from pqcomq.volumes.volume import Modality


def recipes_of(
    found: CaseList, methods: Sequence[Method], bits: Sequence[int], calibrated_on: Sequence[CalibratedOn]
) -> list[CaseRecipe]:
    """Every method at every width on each calibration, for each case anew.

    Args:
        found: the cohort.
        methods: to quantize by.
        bits: widths.
        calibrated_on: which images.

    Raises:
        InputError: no other patient would be left to calibrate on, or there is no such width.
    """
    if "leave-one-out" in calibrated_on and len({case.unit for case in found.cases}) < 2:
        raise InputError("To leave one patient out of the calibration, the cohort needs at least 2.")
    odd = next((width for width in bits if width not in BIT_WIDTHS), None)
    if odd is not None:
        raise InputError(f"There is no width of {odd} bits; choose among {', '.join(map(str, BIT_WIDTHS))}.")
    return [
        CaseRecipe(method, width, each) for each in calibrated_on for method in methods for width in dict.fromkeys(bits)
    ]


def settings_of(
    weights: Sequence[Path],
    *,
    model: str = "lite-medsam",
    recipes: Sequence[CaseRecipe] = (),
    checkpoint: Path | None = None,
    runtime: Runtime | Sequence[Runtime] = Runtime.auto,
    threads: int = 1,
    protocol: CohortProtocol | None = None,
    window: Window | None = None,
    modality: Modality | None = None,
) -> CohortSettings:
    """What is computed, once all models were seen to belong together.

    Args:
        weights: files of quantized weights, all of one model; none where there are recipes.
        model: key of the model that recipes quantize; files name theirs.
        recipes: models that are quantized for each case anew.
        checkpoint: of that model; LiteMedSAM's is shipped.
        runtime: one or several that run the quantized models; ``auto`` is settled here, by this machine.
        threads: of each worker.
        protocol: of the prompts.
        window: for all cases that bring none.
        modality: for all cases that do not say.

    Raises:
        InputError: there are no weights, a file cannot be read, they belong to different models, or the model takes
            no boxes.
    """
    paths = list(weights)
    key, models = read_models(paths) if paths or not recipes else (model, [])
    full = load_model(key, checkpoint)
    full.check_prompts(["box"])  # a cohort prompts with the boxes of its labels
    for path, each in zip(paths, models, strict=True):
        check_same_source(full, each, path)
    asked = [runtime] if isinstance(runtime, Runtime) else list(runtime)
    first, *further = dict.fromkeys(settled(each, [*models, *recipes]).runtime.value for each in asked)
    return CohortSettings(
        model=full.key,
        checkpoint="" if checkpoint is None else str(checkpoint.resolve()),
        checkpoint_sha256=full.checkpoint_sha256,
        quantized=model_files(paths, models),
        runtime=first,  # settled once for all workers
        threads=threads,
        protocol=protocol or CohortProtocol(),
        window=window,
        modality=modality,
        recipes=tuple(recipes),
        further_runtimes=tuple(further),
    )
