"""``pqcomq cohort``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import typer

from pqcomq.atomic_files import check_folder
from pqcomq.backends.runtime import Runtime
from pqcomq.cli.terminal.cohort_options import (
    Bits,
    BoxMargin,
    CalibratedOnWhom,
    CalibrateOn,
    CalibrationVolumes,
    DataSet,
    Jitter,
    Labels,
    LeastVoxels,
    Methods,
    ModelToQuantize,
    MostSlices,
    Out,
    PromptedByOption,
    Runtimes,
    Scheduler,
    Seed,
    Shard,
    Synthetic,
    Threads,
    UntoldModality,
    Weights,
    WorkerCount,
    Yardstick,
)
from pqcomq.cli.terminal.idle_options import refuse_idle
from pqcomq.cli.terminal.options import (
    DEFAULT_METHOD,
    DEFAULT_MODEL,
    AsJson,
    Checkpoint,
    DeviceOption,
    LossMargin,
    MethodKey,
    ModalityKey,
    Published,
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
from pqcomq.wording import counted

if TYPE_CHECKING:
    from pqcomq.cohort.cases.case import CaseList
    from pqcomq.cohort.running.run import Workers
    from pqcomq.cohort.settings import CaseRecipe, CohortSettings, PromptedBy
    from pqcomq.volumes.volume import Modality, Volume

_WIDTHS = [8, 4, 2]


def cohort(
    context: typer.Context,
    out: Out,
    dataset: DataSet = None,
    weights: Weights = None,
    model: ModelToQuantize = DEFAULT_MODEL,
    checkpoint: Checkpoint = None,
    bits: Bits = None,
    method: Methods = None,
    published: Published = False,
    calibration: CalibrationVolumes = None,
    calibrate_on: CalibratedOnWhom = None,
    label: Labels = None,
    prompted_by: PromptedByOption = None,
    most_slices: MostSlices = 8,
    least_voxels: LeastVoxels = 20,
    margin: BoxMargin = 2,
    jitter: Jitter = 0,
    yardstick: Yardstick = SHIFT_PIXELS,
    seed: Seed = 0,
    loss_margin: LossMargin = DEFAULT_MARGIN,
    workers: WorkerCount = None,
    threads: Threads = 1,
    scheduler: Scheduler = "",
    shard: Shard = "",
    synthetic: Synthetic = None,
    window: WindowOption = None,
    modality: UntoldModality = None,
    runtime: Runtimes = None,
    device: DeviceOption = None,
    json: AsJson = False,
) -> None:
    """Score full precision and quantized models on the labelled cases of many patients, with statistics.

    Every case lands at once, and the same command goes on where it was stopped. What cannot be scored is listed with
    its reason.
    """
    from pqcomq.backends.fastest import with_device
    from pqcomq.cohort.running.cluster import check_scheduler
    from pqcomq.cohort.running.prepare import settings_of
    from pqcomq.cohort.running.run import Workers, shard_of
    from pqcomq.cohort.settings import CohortProtocol

    check_installed()
    check_folder(out, (), overwrite=True)
    found = _found(dataset, synthetic, label or [])
    ways_to_prompt = _prompted_by(prompted_by)
    protocol = CohortProtocol(ways_to_prompt, most_slices, least_voxels, margin, jitter, yardstick, seed)
    who = Workers(workers, scheduler, shard_of(shard) if shard else None)
    paths: list[Path] = list(weights or [])
    recipes: list[CaseRecipe] = []
    if paths and (bits or method or published or calibration or calibrate_on):
        raise InputError(
            "--weights are ready; --bits, --method, --published, --calibration and --calibrate-on belong to a model to "
            "quantize."
        )
    if paths:
        refuse_idle(context, "--weights tell their model", "model")
    if scheduler:
        refuse_idle(context, "the workers are those of the --scheduler", "workers")
    if not paths:
        if scheduler:
            check_scheduler(scheduler)  # before hours of quantizing
        ways, methods = _ways(calibrate_on, calibration), _methods(method)
        if published and ways != {CalibrateOn.others.value}:
            raise InputError("--published: weights by the papers' settings are made once, calibrated on others.")
        to_quantize = _ToQuantize(model.value, checkpoint, bits or _WIDTHS, methods, ways, window, published)
        recipes = to_quantize.recipes(found)
        if CalibrateOn.others in ways:
            paths, found = to_quantize.made(found, calibration, modality, seed, out)
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
    _score(found, settings, out, who, loss_margin, json=json)


def _score(
    found: CaseList, settings: CohortSettings, out: Path, who: Workers, loss_margin: float, *, json: bool
) -> None:
    """Run the cohort, and print what was found."""
    from pqcomq.cli.terminal.cohort_output import print_cohort
    from pqcomq.cohort.cohort_result import CohortResult
    from pqcomq.cohort.running.run import running
    from pqcomq.models.registry import MODEL_TITLES

    if found.not_scored:
        print_note("\n".join(f"not scored: {each.case}: {each.reason}" for each in found.not_scored))
    followed(
        running(found, settings, out, who),
        f"{MODEL_TITLES[settings.model]} on {counted(len(found.cases), 'case')}",
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


def _prompted_by(given: list[str] | None) -> tuple[PromptedBy, ...]:
    """The ways of prompting asked for, all by default.

    Raises:
        InputError: there is no such way.
    """
    from pqcomq.cohort.settings import PROTOCOLS

    unknown = next((each for each in given or () if each not in PROTOCOLS), None)
    if unknown is not None:
        raise InputError(f"--prompted-by {unknown}: choose {' or '.join(PROTOCOLS)}.")
    return tuple(each for each in PROTOCOLS if given is None or each in given)


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


@dataclass(frozen=True)
class _ToQuantize:
    """A model to quantize, where no weights are given.

    Attributes:
        model: its key.
        checkpoint: its weights, None for those at hand.
        bits: widths.
        methods: to quantize by.
        ways: whose images quantization sees, values of :class:`.CalibrateOn`.
        window: that the models see, as an option names it.
        published: by the settings of the methods' papers, not those that measured best.
    """

    model: str
    checkpoint: Path | None
    bits: list[int]
    methods: list[Method]
    ways: set[str]
    window: str | None
    published: bool

    def recipes(self, found: CaseList) -> list[CaseRecipe]:
        """What is quantized for every case anew."""
        from pqcomq.cohort.running.prepare import recipes_of
        from pqcomq.cohort.settings import CALIBRATED_ON

        return recipes_of(found, self.methods, self.bits, [each for each in CALIBRATED_ON if each in self.ways])

    def made(
        self, found: CaseList, calibration: list[Path] | None, modality: ModalityKey | None, seed: int, out: Path
    ) -> tuple[list[Path], CaseList]:
        """Weights files for all cases, and the cases that may be scored with them.

        Args:
            found: the cohort.
            calibration: volumes named for it, else two patients' of the cohort are taken.
            modality: of volumes that do not tell.
            seed: of the choice of patients.
            out: folder of the results.
        """
        from pqcomq.cohort.cohort_store import CohortStore
        from pqcomq.cohort.running.cohort_weights import making_weights
        from pqcomq.models.registry import load_model

        full, place = load_model(self.model, self.checkpoint), out / "weights"
        full.check_prompts(["box"])  # told before hours of quantizing
        volumes, rest = _to_calibrate_on(found, calibration, modality, seed)
        begun = CohortStore(out).settings().quantized if CohortStore.is_at(out) else ()
        work = making_weights(
            full,
            self.bits,
            self.methods,
            volumes,
            place,
            window_of(self.window),
            published=self.published,
            begun_with=[Path(each.path).name for each in begun],
        )
        kept = f"finished weights are kept in {place}, and the same command goes on from there"
        return followed(work, f"{full.title}, quantizing", lambda: kept), rest


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
