"""Quantized models that are made for each case anew: calibrated on the case's own image, or on the other patients'."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from pqcomq.cohort.cases.case import Case
from pqcomq.cohort.cases.read_case import volume_of
from pqcomq.cohort.running.cohort_weights import made_file
from pqcomq.cohort.scoring.loaded_models import on_runtimes
from pqcomq.cohort.settings import CALIBRATED_ON, CalibratedOn, CaseRecipe, CohortSettings
from pqcomq.comparison.compared_model import ComparedModel
from pqcomq.errors import InputError
from pqcomq.models.segmenter import Segmenter
from pqcomq.progress import Progress, prefixed
from pqcomq.quantization.calibration.slices import DEFAULT_SLICES, Calibration, calibrate_on
from pqcomq.quantization.files.weights_file import load_weights, read_manifest
from pqcomq.quantization.planning.presets import default_config
from pqcomq.volumes.volume import Volume


def models_for_case(
    case: Case, settings: CohortSettings, cases: Sequence[Case], full: Segmenter, folder: Path
) -> Generator[Progress, None, list[ComparedModel]]:
    """Make the models of the settings' recipes; a file that is there is taken, unless the case's image is another now.

    Args:
        case: that the models are to be judged on.
        settings: of the cohort.
        cases: of the whole cohort.
        full: the model in full precision, in torch.
        folder: of the results.

    Yields:
        :class:`Progress` of every layer.

    Returns:
        Each model on each runtime, in the order of the recipes (a generator's return value).

    Raises:
        InputError: nothing can be calibrated on, or a file cannot be written.
    """
    models = []
    for recipe in settings.recipes:
        path = folder / "weights" / f"{_of_whom(case, recipe)}-{recipe.method}-{recipe.bits}bit.safetensors"
        title = CALIBRATED_ON[recipe.calibrated_on]
        if not path.is_file() or (recipe.calibrated_on == "own" and _is_of_another_image(path, case, settings)):
            config = default_config(settings.model, recipe.bits, recipe.method)
            slices = calibration_of(case, recipe.calibrated_on, settings, cases)
            yield from prefixed(made_file(path, full, slices, config), f"{config.title}, {title}: ")
        model = load_weights(path)
        named = replace(model.segmenter, precision=f"{model.segmenter.precision}, {title}")
        models.append(replace(model, segmenter=named))
    return on_runtimes(models, settings)


def _is_of_another_image(path: Path, case: Case, settings: CohortSettings) -> bool:
    """Whether a case's own model was made before its image was changed; not told where the image cannot be read."""
    try:
        slices = calibration_of(case, "own", settings, ())
        return bool(read_manifest(path)["calibration"] != slices.description)
    except InputError:
        return False  # scoring tells it


def full_in_torch(models: Sequence[ComparedModel]) -> Segmenter:
    """What is quantized: the first of a cohort's models, as it was loaded."""
    return models[0].in_torch or models[0].segmenter


def calibration_of(
    case: Case, calibrated_on: CalibratedOn, settings: CohortSettings, cases: Sequence[Case]
) -> Calibration:
    """The slices that a case's models are calibrated on.

    Of the other patients at most as many as there are slices are drawn, a case of each. Which ones hangs on the seed
    and the patient alone. One whose image cannot be calibrated on is passed over.

    Args:
        case: that the models are to be judged on.
        calibrated_on: which images.
        settings: of the cohort, with the seed.
        cases: of the whole cohort.

    Raises:
        InputError: there is no image to calibrate on.
    """
    if calibrated_on == "own":
        volume = volume_of(case, settings.modality)
        count = min(DEFAULT_SLICES, len(volume.voxels))
        return calibrate_on([volume], count, case.window or settings.window)
    others = {each.unit: each for each in reversed(cases) if each.unit != case.unit}  # the first case of each
    names = sorted(others)
    drawn_from = f"{settings.protocol.seed}/{case.unit}".encode()
    order = np.random.default_rng(list(hashlib.sha256(drawn_from).digest())).permutation(len(names))
    wanted = min(DEFAULT_SLICES, len(names))
    volumes: list[Volume] = []
    for place in order:
        if len(volumes) == wanted:
            break
        other = _usable_volume(others[names[int(place)]], -(-DEFAULT_SLICES // wanted), settings)
        volumes += [] if other is None else [other]
    if not volumes:
        raise InputError("no other patient's image can be calibrated on")
    shortest = min(len(each.voxels) for each in volumes)
    return calibrate_on(volumes, min(DEFAULT_SLICES, shortest * len(volumes)), settings.window)


def _usable_volume(case: Case, slices: int, settings: CohortSettings) -> Volume | None:
    """A case's image, unless it cannot be read, or so many slices of it, or all that it has, be calibrated on."""
    try:
        volume = volume_of(case, settings.modality)
        calibrate_on([volume], min(slices, len(volume.voxels)), settings.window)
    except InputError:
        return None
    return volume


def _of_whom(case: Case, recipe: CaseRecipe) -> str:
    """Beginning of a file's name: a case's own, or one for all cases of a patient; hashes tell nothing of whom."""
    return f"own-{case.key}" if recipe.calibrated_on == "own" else f"without-{case.unit_key}"
