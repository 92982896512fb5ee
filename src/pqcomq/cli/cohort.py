"""``pqcomq cohort``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from pqcomq.atomic_files import check_folder
from pqcomq.backends.runtime import Runtime
from pqcomq.cli.terminal.options import (
    DEFAULT_METHOD,
    DEFAULT_MODEL,
    RUNTIME_HELP,
    AsJson,
    Checkpoint,
    DeviceOption,
    LossMargin,
    MethodKey,
    ModalityKey,
    ModelKey,
    WindowOption,
    opened,
    window_of,
)
from pqcomq.cli.terminal.output import print_note
from pqcomq.cli.terminal.progress_bar import followed
from pqcomq.cohort.packages import check_installed
from pqcomq.cohort.statistics.loss_margin import DEFAULT_MARGIN
from pqcomq.comparison.box_movement import SHIFT_PIXELS
from pqcomq.errors import InputError
from pqcomq.quantization.algorithm.config import Method

if TYPE_CHECKING:
    from pqcomq.cohort.cases.case import CaseList
    from pqcomq.models.segmenter import Segmenter
    from pqcomq.volumes.volume import Modality, Volume


class CalibrateOn(StrEnum):
    """Whose images quantization sees."""

    others = "others"
    own = "own"
    leave_one_out = "leave-one-out"


def cohort(
    out: Annotated[Path, typer.Option(help="Folder of the results; an interrupted run goes on there.", metavar="DIR")],
    dataset: Annotated[
        Path | None,
        typer.Argument(
            help="nnU-Net data set, folder of case folders (image.* and labels.*, or DICOM with a SEG or RTSTRUCT), or "
            "manifest (.csv, .parquet) with the columns case, image, labels and, as you like, modality, window, "
            "patient, site, label_numbers."
        ),
    ] = None,
    weights: Annotated[
        list[Path] | None, typer.Option(help="Quantized weights of one model; several may follow.", metavar="FILE...")
    ] = None,
    model: Annotated[ModelKey, typer.Option(help="Model to quantize, where no weights are given.")] = DEFAULT_MODEL,
    checkpoint: Checkpoint = None,
    bits: Annotated[
        list[int] | None, typer.Option(help="Bit widths to quantize to: 8, 4, 2; several may follow.", metavar="N...")
    ] = None,
    method: Annotated[
        list[MethodKey] | None, typer.Option(help="Methods to quantize by; several may follow.", metavar="METHOD...")
    ] = None,
    calibration: Annotated[
        list[Path] | None,
        typer.Option(
            help="Volumes to calibrate on, of other patients. By default two patients of the cohort, which are then "
            "not scored.",
            metavar="VOLUME...",
        ),
    ] = None,
    calibrate_on: Annotated[
        list[CalibrateOn] | None,
        typer.Option(
            help="others: volumes of other patients, as --calibration says; own: each case's own volume, without its "
            "labels; leave-one-out: all other patients of the cohort. The last two quantize for every case anew. "
            "Several may follow.",
            metavar="others|own|leave-one-out...",
        ),
    ] = None,
    label: Annotated[
        list[str] | None, typer.Option(help="Labels to score, by name or number; all by default.", metavar="LABEL...")
    ] = None,
    prompted_by: Annotated[
        list[str] | None,
        typer.Option(
            help="slice: every slice by its own label's box; organ: a 3-D box, each model following its own masks. "
            "Both by default. A cohort is prompted by boxes alone, whatever else a model takes.",
            metavar="slice|organ",
        ),
    ] = None,
    most_slices: Annotated[int, typer.Option(min=1, help="Evenly spread slices a label; 1 is the middle one.")] = 8,
    least_voxels: Annotated[int, typer.Option(min=1, help="Leave out slices with fewer label voxels.")] = 20,
    margin: Annotated[int, typer.Option(min=0, help="Voxels by which a label's tight box is grown.")] = 2,
    jitter: Annotated[int, typer.Option(min=0, help="Voxels by which each edge of a box is moved at random.")] = 0,
    yardstick: Annotated[
        int, typer.Option(min=0, help="The same for a second box in full precision, to compare with; 0 for none.")
    ] = SHIFT_PIXELS,
    seed: Annotated[int, typer.Option(min=0, help="Of all random movements and draws.")] = 0,
    loss_margin: LossMargin = DEFAULT_MARGIN,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes on this machine; by default as cores and memory allow.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads of each worker.")] = 1,
    scheduler: Annotated[str, typer.Option(help="Address of a running Dask scheduler.", metavar="ADDRESS")] = "",
    shard: Annotated[
        str, typer.Option(help="Only every n-th case from the i-th on, for array jobs.", metavar="i/n")
    ] = "",
    synthetic: Annotated[
        int | None, typer.Option(min=1, help="Synthetic patients instead of a data set.", metavar="N")
    ] = None,
    window: WindowOption = None,
    modality: Annotated[
        ModalityKey | None,
        typer.Option(
            help="Of volumes for which neither the manifest nor a DICOM header tells; by default told from the values."
        ),
    ] = None,
    runtime: Annotated[
        list[Runtime] | None,
        typer.Option(help=f"{RUNTIME_HELP} Several may follow.", metavar="RUNTIME...", show_default="auto"),
    ] = None,
    device: DeviceOption = None,
    json: AsJson = False,
) -> None:
    """Score full precision and quantized models on the labelled cases of many patients, with statistics.

    Every case lands at once, and the same command goes on where it was stopped. What cannot be scored is listed with
    its reason.
    """
    from pqcomq.backends.fastest import with_device
    from pqcomq.cli.terminal.cohort_output import print_cohort
    from pqcomq.cohort.cohort_result import CohortResult
    from pqcomq.cohort.running.prepare import recipes_of, settings_of
    from pqcomq.cohort.running.run import Workers, running, shard_of
    from pqcomq.cohort.settings import CALIBRATED_ON, PROTOCOLS, CohortProtocol
    from pqcomq.models.registry import MODEL_TITLES, load_model

    check_installed()
    check_folder(out, (), overwrite=True)
    found = _found(dataset, synthetic, label or [])
    protocol = CohortProtocol(
        tuple(each for each in PROTOCOLS if prompted_by is None or each in _checked(prompted_by)),
        most_slices, least_voxels, margin, jitter, yardstick, seed,
    )  # fmt: skip
    who = Workers(workers, scheduler, shard_of(shard) if shard else None)
    paths, recipes = list(weights or []), []
    if paths and (bits or method or calibration or calibrate_on):
        raise InputError(
            "--weights are ready; --bits, --method, --calibration and --calibrate-on belong to a model to quantize."
        )
    if not paths:
        ways, methods, widths = _ways(calibrate_on, calibration), _methods(method), bits or [8, 4, 2]
        recipes = recipes_of(found, methods, widths, [each for each in CALIBRATED_ON if each in ways])
        if CalibrateOn.others in ways:
            full = load_model(model.value, checkpoint)
            volumes, found = _to_calibrate_on(found, calibration, modality, seed)
            paths = _quantized(full, widths, methods, volumes, window, out)
    settings = settings_of(
        paths,
        model=model.value,
        recipes=recipes,
        checkpoint=checkpoint,
        runtime=[with_device(each, device) for each in runtime or [Runtime.auto]],
        threads=threads,
        protocol=protocol,
        window=window_of(window),
        modality=modality.value if modality else None,
    )
    if found.not_scored:
        print_note("\n".join(f"not scored: {each.case}: {each.reason}" for each in found.not_scored))
    followed(
        running(found, settings, out, who),
        f"{MODEL_TITLES[settings.model]} on {len(found.cases)} cases",
        lambda: f"finished cases are kept in {out}, and the same command goes on from there",
    )
    print_cohort(CohortResult.at(out), loss_margin, json=json)


def _found(dataset: Path | None, synthetic: int | None, labels: list[str]) -> CaseList:
    """The cases.

    Raises:
        InputError: neither or both of data set and number were given.
    """
    from pqcomq.cohort.cases.find_cases import find_cases, synthetic_cases

    if (dataset is None) == (synthetic is None):
        raise InputError("Name either a data set or --synthetic N.")
    return synthetic_cases(synthetic, labels) if dataset is None else find_cases(dataset, labels)  # type: ignore[arg-type]


def _checked(protocols: list[str]) -> list[str]:
    from pqcomq.cohort.settings import PROTOCOLS

    unknown = next((each for each in protocols if each not in PROTOCOLS), None)
    if unknown is not None:
        raise InputError(f"--prompted-by {unknown}: choose {' or '.join(PROTOCOLS)}.")
    return protocols


def _ways(calibrate_on: list[CalibrateOn] | None, calibration: list[Path] | None) -> set[str]:
    """Whose images quantization sees.

    Raises:
        InputError: volumes are named that none of these ways would look at.
    """
    ways = {each.value for each in calibrate_on or [CalibrateOn.others]}
    if calibration and CalibrateOn.others not in ways:
        raise InputError("--calibration names other volumes; add others to --calibrate-on, or leave it away.")
    return ways


def _methods(given: list[MethodKey] | None) -> list[Method]:
    """The methods asked for, each once, in the order that tables have."""
    wanted = {each.value for each in given or [DEFAULT_METHOD]}
    return [each for each in get_args(Method) if each in wanted]


def _to_calibrate_on(
    found: CaseList, calibration: list[Path] | None, modality: ModalityKey | None, seed: int
) -> tuple[list[Volume], CaseList]:
    """The volumes named for calibration, or two patients' of the cohort; and the cases that may be scored then."""
    from pqcomq.cohort.cases.read_case import taken_for
    from pqcomq.cohort.running.cohort_weights import calibration_volumes, kept_back

    untold: Modality | None = modality.value if modality else None
    if calibration:
        return [taken_for(opened(path, None, None), untold) for path in calibration], found
    chosen, rest = kept_back(found, seed)
    return calibration_volumes(chosen, untold), rest


def _quantized(
    full: Segmenter,
    bits: list[int],
    methods: list[Method],
    volumes: list[Volume],
    window: str | None,
    out: Path,
) -> list[Path]:
    """Weights files of the model."""
    from pqcomq.cohort.running.cohort_weights import making_weights

    work = making_weights(full, bits, methods, volumes, out / "weights", window_of(window))
    return followed(work, f"{full.title}, quantizing")
