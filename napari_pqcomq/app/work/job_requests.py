"""What the panels ask for, as jobs for the background."""

from __future__ import annotations

import numpy as np

from napari_pqcomq.app.panels.panels import Panels
from napari_pqcomq.jobs.comparing.cascade_jobs import CascadeJob
from napari_pqcomq.jobs.comparing.comparison_jobs import CompareJob, ReadyModelsJob
from napari_pqcomq.jobs.comparing.kept_work import KeptWork
from napari_pqcomq.jobs.models.choices import ModelChoice, WeightsOrigin
from napari_pqcomq.jobs.models.model_cache import ModelCache
from napari_pqcomq.jobs.models.weights_jobs import QuantizeJob
from napari_pqcomq.prompts.objects.drawn_object import DrawnObject
from napari_pqcomq.translation import tr
from pqcomq.errors import InputError
from pqcomq.quantization.quantized_model import QuantizedModel
from pqcomq.segmentation.embedding_cache import EmbeddingCache
from pqcomq.volumes.volume import Volume

NO_VOLUME = tr("Open a NIfTI file or a DICOM folder, or a sample: “Open…” above, or drop it on the picture.")
NO_CHECKPOINT = tr("Step 2 fetches this model's weights, or takes over the file that you have.")

_FAST = 0.5
"""Time of a pass on the runtimes that are taken by default, of that in torch."""


def quantize_job(
    panels: Panels, kept: KeptWork, choices: tuple[ModelChoice, ...], origin: WeightsOrigin
) -> QuantizeJob:
    """Quantize some of the chosen bit widths.

    Raises:
        InputError: there is no volume, or no checkpoint.
    """
    volume = _volume(panels)
    return QuantizeJob(
        choices,
        panels.calibration.choice,
        volume,
        panels.volume.intensity_window,
        kept.models,
        origin,
        kept.on_disk,
    )


def live_job(panels: Panels, models: ModelCache, weights: tuple[QuantizedModel, ...]) -> ReadyModelsJob:
    """Have the chosen models ready to follow a box.

    Raises:
        InputError: there is no volume, or no checkpoint.
    """
    _volume(panels)
    return ReadyModelsJob(panels.model.choice, weights, panels.model.runtime, models)


def compare_job(
    panels: Panels, models: ModelCache, weights: tuple[QuantizedModel, ...], embeddings: EmbeddingCache
) -> CompareJob:
    """Run the chosen models on the ticked objects, or on the current one where none is ticked.

    Raises:
        InputError: there is no volume, no checkpoint or no object, or the ground truth does not fit.
    """
    volume = _volume(panels)
    prompts, current = _prompts(panels), panels.objects.current_prompt
    return CompareJob(
        choice=panels.model.choice,
        weights=weights,
        volume=volume,
        window=panels.volume.intensity_window,
        prompts=prompts,
        mode=panels.prompts.mode,
        truths=_truths(panels, prompts, current),
        runtime=panels.model.runtime,
        models=models,
        cache=embeddings,
    )


def cascade_job(panels: Panels, models: ModelCache, weights: QuantizedModel, embeddings: EmbeddingCache) -> CascadeJob:
    """Run a quantized model on the same objects, and full precision where that is in doubt.

    Raises:
        InputError: there is no volume, no checkpoint or no object.
    """
    return CascadeJob(
        choice=panels.model.choice,
        weights=weights,
        threshold=panels.cascade.threshold,
        volume=_volume(panels),
        window=panels.volume.intensity_window,
        prompts=_prompts(panels),
        mode=panels.prompts.mode,
        runtime=panels.model.runtime,
        models=models,
        cache=embeddings,
    )


def expected_passes(panels: Panels, models: int) -> float:
    """How long the models take on the ticked objects, in the time of a pass of the encoder in torch.

    Slices that are encoded already are not looked at: this divides a bar, and the time left is measured.

    Args:
        panels: with the objects.
        models: that run.
    """
    slices = {z for each in panels.objects.compared for z in each.extent.slices}
    return _FAST * models * max(len(slices), 1)


def _prompts(panels: Panels) -> tuple[DrawnObject, ...]:
    """The ticked objects, or the current one where none is ticked.

    Raises:
        InputError: there is none.
    """
    current = panels.objects.current_prompt
    if current is None:
        raise InputError(tr("Nothing is prompted yet: press “Draw a box” and drag a rectangle round the organ."))
    return panels.objects.compared or (current,)


def _volume(panels: Panels) -> Volume:
    volume = panels.volume.volume
    if volume is None:
        raise InputError(NO_VOLUME)
    if panels.model.lacks_checkpoint:
        raise InputError(NO_CHECKPOINT)
    return volume


def _truths(panels: Panels, prompts: tuple[DrawnObject, ...], current: DrawnObject | None) -> dict[int, np.ndarray]:
    """Ground truth by object number: of the label that the user has set for an object, else the fullest in its box."""
    truths = {}
    for prompt in prompts:
        found = panels.truth.truth() if prompt == current else panels.truth.truth_in(prompt.extent, prompt.number)
        if found is not None:
            truths[prompt.number] = found
    return truths
