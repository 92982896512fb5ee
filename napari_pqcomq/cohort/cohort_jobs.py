"""Background work on cohorts: generators of steps that touch neither Qt nor layers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_pqcomq.jobs.models.triton_guard import keep_triton_out
from napari_pqcomq.translation import tr
from pqcomq.backends.runtime import Runtime
from pqcomq.cohort.cases.case import Case, CaseList
from pqcomq.cohort.cases.find_cases import find_cases
from pqcomq.cohort.cases.read_case import opened
from pqcomq.cohort.cohort_result import CohortResult
from pqcomq.cohort.cohort_store import CohortStore
from pqcomq.cohort.report.files import write_results
from pqcomq.cohort.running.prepare import settings_of
from pqcomq.cohort.running.run import Workers, running
from pqcomq.cohort.scoring.loaded_models import QUANTIZED, load_kept, models_of, worker_threads
from pqcomq.cohort.scoring.truth_boxes import organ_prompt, slice_prompts
from pqcomq.cohort.settings import CohortProtocol
from pqcomq.cohort.statistics.cohort_statistics import CohortStatistics
from pqcomq.cohort.statistics.pairs import paired
from pqcomq.errors import InputError
from pqcomq.progress import Progress, Steps
from pqcomq.quantization.quantized_model import QuantizedModel
from pqcomq.segmentation.box import Box3D
from pqcomq.volumes.intensity_window import Window
from pqcomq.volumes.volume import Modality, Volume


@dataclass(frozen=True, eq=False)
class FindCasesJob:
    """List the cases of a data set.

    Attributes:
        dataset: folder or manifest.
    """

    dataset: Path

    def steps(self) -> Steps[CaseList]:
        """The work.

        Raises:
            InputError: there is no case that can be scored.
        """
        yield Progress(0, 0, tr("Looking for cases in {dataset}", dataset=self.dataset.name))
        return find_cases(self.dataset)


@dataclass(frozen=True)
class WorstPrompt:
    """The slice of a case on which a quantized model lost most Dice against full precision's.

    Attributes:
        model: name of the quantized model.
        label: title of the label.
        number: of the label.
        z: slice.
        full_dice: of full precision, against ground truth.
        quantized_dice: of the quantized model, against ground truth.
    """

    model: str
    label: str
    number: int
    z: int
    full_dice: float
    quantized_dice: float

    @property
    def loss(self) -> float:
        """Dice that quantization lost, negative where it gained."""
        return self.full_dice - self.quantized_dice


@dataclass(frozen=True, eq=False)
class CohortOutcome:
    """What a cohort's run has led to.

    Attributes:
        result: in its folder.
        statistics: of it.
        worst: case → its worst prompt over all quantized models.
    """

    result: CohortResult
    statistics: CohortStatistics
    worst: dict[str, WorstPrompt]

    @property
    def states(self) -> dict[str, str]:
        """Case → ``"scored"``, or what was wrong with it; cases that were not tried yet are missing."""
        rows = self.result.cases.to_dict("records")
        return {str(row["case"]): str(row["status"]) + f": {row['reason']}" * bool(row["reason"]) for row in rows}

    @classmethod
    def at(cls, folder: Path, margin: float) -> CohortOutcome:
        """Read from a folder of results.

        Raises:
            InputError: it holds none, or no case was scored.
        """
        result = CohortResult.at(folder)
        statistics = CohortStatistics.of(result, margin)
        worst: dict[str, WorstPrompt] = {}
        for model in (each.name for each in result.models if each.role == QUANTIZED):
            table = paired(result.scores, model, statistics.decided_by)
            for row in table.sort_values("difference").drop_duplicates("case").to_dict("records"):
                prompt = WorstPrompt(
                    model,
                    str(row["label"]),
                    int(row["label_number"]),
                    int(row["slice"]),
                    float(row["full_dice"]),
                    float(row["quantized_dice"]),
                )
                if row["case"] not in worst or prompt.loss > worst[row["case"]].loss:
                    worst[row["case"]] = prompt
        return cls(result, statistics, worst)


@dataclass(frozen=True, eq=False)
class ReadOutcomeJob:
    """What a run that was stopped has led to by then.

    Attributes:
        folder: of the results.
        margin: of non-inferiority, Dice.
    """

    folder: Path
    margin: float

    def steps(self) -> Steps[CohortOutcome | None]:
        """The work: None where no case was scored."""
        yield Progress(0, 0, tr("Reading what is done"))
        if not CohortStore.is_at(self.folder) or not CohortResult.at(self.folder).scored:
            return None
        return CohortOutcome.at(self.folder, self.margin)


@dataclass(frozen=True, eq=False)
class CohortJob:
    """Score all cases that are not done yet; each lands at once.

    Attributes:
        found: the cases.
        weights: files of quantized weights.
        protocol: of the prompts.
        runtime: that runs the quantized models.
        folder: of the results.
        margin: of non-inferiority, Dice.
        modality: of cases that do not say; None to guess.
    """

    found: CaseList
    weights: tuple[Path, ...]
    protocol: CohortProtocol
    runtime: Runtime
    folder: Path
    margin: float
    modality: Modality | None = None

    def steps(self) -> Steps[CohortOutcome]:
        """The work.

        Raises:
            InputError: the models do not belong together, the folder holds another cohort, or nothing was scored.
        """
        yield Progress(0, 0, tr("Loading the models"))
        keep_triton_out()
        settings = settings_of(self.weights, runtime=self.runtime, protocol=self.protocol, modality=self.modality)
        yield Progress(0, 0, tr("Loading the models"))  # a turn at which Cancel is heard: each part may take long
        with worker_threads(settings.threads):
            models_of(settings)
        yield Progress(0, 0, tr("Loading the models"))
        yield from running(self.found, settings, self.folder, Workers(1))
        yield Progress(0, 0, tr("Computing the statistics and writing the report"))
        outcome = CohortOutcome.at(self.folder, self.margin)
        write_results(outcome.result, outcome.statistics)
        return outcome


@dataclass(frozen=True, eq=False)
class OpenedCase:
    """A case, ready to be compared at its worst prompt.

    Attributes:
        case: with the names of its labels.
        volume: its image.
        window: that the models saw it in; None for the modality's own.
        labels: (z, y, x) of the label map that holds the worst prompt's label.
        box: that the worst prompt was scored with.
        weights: of the model that lost most there.
        prompt: the worst.
    """

    case: Case
    volume: Volume
    window: Window | None
    labels: np.ndarray
    box: Box3D
    weights: QuantizedModel
    prompt: WorstPrompt


@dataclass(frozen=True, eq=False)
class OpenCaseJob:
    """Read a scored case with the weights that lost most on it.

    Attributes:
        result: of the cohort.
        name: of the case.
        prompt: the worst.
    """

    result: CohortResult
    name: str
    prompt: WorstPrompt

    def steps(self) -> Steps[OpenedCase]:
        """The work.

        Raises:
            InputError: a file is no longer there or no longer what it was.
        """
        yield Progress(0, 0, tr("Opening {case}", case=self.name))
        store, settings = self.result.store, self.result.settings
        changed = InputError(
            tr(
                "The image or labels of {case} have changed since they were scored; Run scores it again.",
                case=self.name,
            )
        )
        kept = next(each for each in store.found().cases if each.name == self.name)
        if store.is_outdated(kept):
            raise changed
        case, volume, found = opened(kept, settings)
        if volume.sha256 != self.result.cases.set_index("case")["voxels_sha256"][self.name]:
            raise changed  # a folder of DICOM, which is not looked into before
        box = _scored_box(case, found.mask(self.prompt.number), self.prompt, settings.protocol)
        labels = next(each.whole() for each in found.maps if (each.voxels == self.prompt.number).any())
        yield Progress(0, 0, tr("Loading the weights"))
        keep_triton_out()
        models = [each.name for each in self.result.models if each.role == QUANTIZED]
        weights = load_kept(settings.quantized[models.index(self.prompt.model)])
        return OpenedCase(case, volume, case.window or settings.window, labels, box, weights, self.prompt)


def _scored_box(case: Case, truth: np.ndarray, prompt: WorstPrompt, protocol: CohortProtocol) -> Box3D:
    """The box that a prompt was scored with: on its slice alone, or round the whole organ."""
    if prompt.z < 0:
        return organ_prompt(truth, prompt.number, case.name, protocol).box
    prompts = slice_prompts(truth, prompt.number, case.name, protocol)
    x0, y0, x1, y1 = next(each.box for each in prompts if each.z == prompt.z).tolist()
    return Box3D(x0, y0, prompt.z, x1, y1, prompt.z)
