"""Judging quantized models on the labelled cases of many patients."""

from __future__ import annotations

from collections.abc import Sequence

from pqcomq.api.arguments import StrPath, modality_of, path_of, runtime_of, window_of
from pqcomq.backends.runtime import Runtime
from pqcomq.cohort.cases.find_cases import find_cases, synthetic_cases
from pqcomq.cohort.cohort_result import CohortResult
from pqcomq.cohort.running.prepare import settings_of
from pqcomq.cohort.running.run import Workers, running
from pqcomq.cohort.settings import CohortProtocol
from pqcomq.progress import ProgressCallback, reported
from pqcomq.volumes.intensity_window import Window
from pqcomq.volumes.volume import Modality


def evaluate_cohort(
    dataset: StrPath | int,
    weights: StrPath | Sequence[StrPath],
    out: StrPath,
    *,
    labels: str | int | Sequence[str | int] = (),
    checkpoint: StrPath | None = None,
    protocol: CohortProtocol | None = None,
    window: Window | str | None = None,
    modality: Modality | None = None,
    runtime: Runtime | str = Runtime.auto,
    device: str | None = None,
    workers: int | None = 1,
    scheduler: str = "",
    progress: ProgressCallback | None = None,
) -> CohortResult:
    """Score full precision and quantized models on the labelled cases of many patients.

    Every case lands in ``out`` at once; the same call goes on where an earlier one was stopped. What cannot be scored
    is listed in ``not_scored`` with its reason, and the rest goes on. Needs the extra ``cohort``.

    Args:
        dataset: an nnU-Net data set, a folder of case folders or a manifest, see the page *Cohorts*; or a number of
            synthetic patients.
        weights: one file of quantized weights, or several of one model.
        out: folder of the results.
        labels: to score, one or several, by name or number; all by default.
        checkpoint: of the full-precision model; LiteMedSAM's is shipped.
        protocol: how boxes are made from ground truth; by default on at most 8 slices a label, and round whole organs.
        window: intensity window, or a preset's name, of all cases that bring none.
        modality: ``"CT"``, ``"MR"`` or ``"other"``, of cases that do not say; by default told from the values.
        runtime: what runs the quantized models, see :func:`pqcomq.segment`; full precision runs in the same library.
        device: where torch computes, see :func:`pqcomq.segment`.
        workers: processes; 1 works in this one. With more, or None for as many as the machine allows, call it below
            ``if __name__ == "__main__":``, since Python starts every process with the program's file.
        scheduler: address of a running Dask scheduler, whose workers are used instead.
        progress: called after every prompt or case; an exception that it raises ends the work.

    Returns:
        ``to_dataframe()``, a row for each prompt and model; ``cases``; ``not_scored``.

    Raises:
        InputError: nothing can be scored, no case can have one of the labels, models do not belong together, ``out``
            holds another cohort, or the scheduler does not answer.

    Examples:
        A synthetic patient, one slice a label, LiteMedSAM rounded to nearest:

        >>> import pqcomq
        >>> from pqcomq.cohort.settings import CohortProtocol
        >>> from pqcomq.samples.synthetic_ct import synthetic_ct
        >>> config = pqcomq.default_config("lite-medsam", 8, "rtn")
        >>> quantized = pqcomq.quantize(pqcomq.load_model(), synthetic_ct().volume, config, slices=1)
        >>> pqcomq.save_weights(quantized, "eight.safetensors")
        >>> quick = CohortProtocol(protocols=("slice",), most_slices=1)
        >>> result = pqcomq.evaluate_cohort(1, "eight.safetensors", "cohort", labels=["liver"], protocol=quick)
        >>> result
        CohortResult(1 of 1 case scored, 1 quantized model)
        >>> result.to_dataframe()["role"].tolist()
        ['full precision', 'full precision, moved box', 'quantized']
    """
    asked = [str(each) for each in ([labels] if isinstance(labels, str | int) else labels)]
    folder = path_of(out, "the folder of the results")
    if isinstance(dataset, int):
        found = synthetic_cases(dataset, asked)
    else:
        found = find_cases(path_of(dataset, "a data set"), asked)
    paths = [weights] if isinstance(weights, str) or not isinstance(weights, Sequence) else list(weights)
    settings = settings_of(
        [path_of(each, "a weights file") for each in paths],
        checkpoint=None if checkpoint is None else path_of(checkpoint, "a checkpoint"),
        runtime=runtime_of(runtime, device),
        protocol=protocol,
        window=window_of(window),
        modality=modality_of(modality),
    )
    reported(running(found, settings, folder, Workers(workers, scheduler)), progress)
    return CohortResult.at(folder)
