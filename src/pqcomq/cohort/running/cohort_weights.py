"""The quantized models of a cohort, made where no weights files are given."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from pqcomq.atomic_files import made_folder, together
from pqcomq.cohort.cases.case import Case, CaseList, NotScored
from pqcomq.cohort.cases.read_case import volume_of
from pqcomq.errors import InputError
from pqcomq.models.segmenter import Segmenter
from pqcomq.progress import Progress, prefixed
from pqcomq.quantization.algorithm.config import Method, QuantizationConfig
from pqcomq.quantization.calibration.slices import DEFAULT_SLICES, Calibration, calibrate_on
from pqcomq.quantization.files.model_card import write_card
from pqcomq.quantization.files.weights_file import manifest, read_manifest, save_weights
from pqcomq.quantization.planning.presets import default_config
from pqcomq.quantization.quantize_model import quantize_model
from pqcomq.run_lock import held_if_free
from pqcomq.volumes.intensity_window import Window
from pqcomq.volumes.volume import Modality, Volume
from pqcomq.wording import counted

LOOKING_SECONDS = 2.0
"""How often a run looks whether another one has made a file."""

CALIBRATION_PATIENTS = 2
KEPT_BACK = "its patient was drawn for calibration, and a model is not judged on what it was calibrated on"


def kept_back(found: CaseList, seed: int) -> tuple[list[Case], CaseList]:
    """Draw patients to calibrate on; none of their cases is scored.

    Args:
        found: the cohort's cases.
        seed: the same number draws the same patients.

    Returns:
        A case of each patient drawn, and the cohort without those patients.

    Raises:
        InputError: no patient would be left.
    """
    patients = sorted({case.unit for case in found.cases})
    if len(patients) <= CALIBRATION_PATIENTS:
        raise InputError(
            f"The cohort has {counted(len(patients), 'patient')}, too few to keep {CALIBRATION_PATIENTS} back for "
            "calibration; give --calibration VOLUME... of other patients, or --weights FILE..."
        )
    places = np.random.default_rng(seed).choice(len(patients), CALIBRATION_PATIENTS, replace=False)
    drawn = {patients[int(place)] for place in places}
    chosen = [next(case for case in found.cases if case.unit == patient) for patient in sorted(drawn)]
    rest = tuple(case for case in found.cases if case.unit not in drawn)
    left_out = [NotScored(case.name, "", KEPT_BACK) for case in found.cases if case.unit in drawn]
    return chosen, replace(found, cases=rest, not_scored=(*found.not_scored, *left_out))


def calibration_volumes(cases: Sequence[Case], modality: Modality | None) -> list[Volume]:
    """Their images.

    Args:
        cases: of the patients drawn.
        modality: of cases that do not say.
    """
    return [volume_of(case, modality) for case in cases]


def making_weights(
    full: Segmenter,
    bits: Sequence[int],
    methods: Sequence[Method],
    volumes: Sequence[Volume],
    folder: Path,
    window: Window | None = None,
    *,
    published: bool = False,
    begun_with: Sequence[str] = (),
) -> Generator[Progress, None, list[Path]]:
    """Quantize at every width by every method; a file that is there already is taken, if it was made of these slices.

    Several runs, such as the jobs of an array, may do this at the same time: each quantizes what no other one is
    working on, and waits for the rest.

    Args:
        full: the model in full precision.
        bits: widths.
        methods: ``"pcomq"``, ``"comq"``, ``"rtn"``.
        volumes: to calibrate on.
        folder: for the weights files.
        window: of the calibration slices.
        published: by the settings of the methods' papers, not those that measured best.
        begun_with: names of the files that the cohort in the folder above was begun with, if there is one.

    Yields:
        :class:`Progress` of every layer.

    Returns:
        The files, method by method (a generator's return value).

    Raises:
        InputError: a width or method is unknown, nothing can be calibrated on, a file cannot be written, one that is
            there was calibrated otherwise, or the cohort was begun with others.
    """
    try:
        configs = {
            (method, width): QuantizationConfig.published(width, method)
            if published
            else default_config(full.key, width, method)
            for method in methods
            for width in bits
        }
    except ValueError as problem:
        raise InputError(str(problem)) from problem
    ending = f"bit{'-published' * published}.safetensors"
    paths = {folder / f"{full.key}-{method}-{width}{ending}": config for (method, width), config in configs.items()}
    if begun_with and set(begun_with) != {path.name for path in paths}:  # told before hours of quantizing
        raise InputError(
            f"The folder holds a cohort of other models ({', '.join(begun_with)}); choose another folder for --out.",
            folder.parent,
        )
    slices = calibrate_on(volumes, DEFAULT_SLICES, window)
    made_folder(folder)
    own: set[Path] = set()
    while missing := [path for path in paths if not path.is_file()]:
        any_free = False
        for path in missing:
            with held_if_free(path.with_name(f".{path.name}.lock"), path) as free:
                if free and not path.is_file():
                    yield from prefixed(made_file(path, full, slices, paths[path]), f"{paths[path].title}: ")
                    own.add(path)
                any_free |= free
        if not any_free:
            yield Progress(0, 0, f"waiting for another run, which makes {paths[missing[0]].title}")
            time.sleep(LOOKING_SECONDS)
    for path in paths:
        if path not in own:
            check_calibration(path, slices)
    return list(paths)


def check_calibration(path: Path, slices: Calibration) -> None:
    """See that weights of an earlier run were calibrated on what this one would calibrate on.

    A cohort that has grown since draws other patients to calibrate on, and would score those that were drawn before.

    Raises:
        InputError: they were not, or the file is damaged.
    """
    if read_manifest(path)["calibration"] != slices.description:
        raise InputError(
            "The weights that are there were calibrated on other volumes or in another window; choose another folder "
            "for --out.",
            path,
        )


def made_file(
    path: Path, full: Segmenter, slices: Calibration, config: QuantizationConfig
) -> Generator[Progress, None, None]:
    """Quantize, and write the weights file with its card; another process may write the same file meanwhile.

    Args:
        path: of the file.
        full: the model in full precision.
        slices: to calibrate on.
        config: how to quantize.

    Yields:
        :class:`Progress` of every layer.

    Raises:
        InputError: the file cannot be written.
    """
    model = yield from quantize_model(full, slices, config)
    made_folder(path.parent)
    with together(path.parent):
        save_weights(model, path, overwrite=True)
        write_card(path, manifest(model), overwrite=True)
