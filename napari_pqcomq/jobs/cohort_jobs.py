"""Background work on cohorts: generators of steps that touch neither Qt nor layers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_pqcomq.jobs.triton_guard import keep_triton_out
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
from pqcomq.cohort.scoring.loaded_models import QUANTIZED
from pqcomq.cohort.settings import CohortProtocol, CohortSettings
from pqcomq.cohort.statistics.cohort_statistics import CohortStatistics
from pqcomq.cohort.statistics.pairs import paired
from pqcomq.progress import Progress, Steps
from pqcomq.quantization.files.weights_file import load_weights
from pqcomq.quantization.quantized_model import QuantizedModel
from pqcomq.segmentation.box import Box3D
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
        labels: (z, y, x) of the label map that holds the worst prompt's label.
        box: round that label.
        weights: of the model that lost most there.
        prompt: the worst.
    """

    case: Case
    volume: Volume
    labels: np.ndarray
    box: Box3D
    weights: QuantizedModel
    prompt: WorstPrompt


@dataclass(frozen=True, eq=False)
class OpenCaseJob:
    """Read a scored case with the weights that lost most on it.

    Attributes:
        case: of the cohort.
        settings: with which it was scored.
        models: the quantized models' names, in the order of their files.
        prompt: the worst.
    """

    case: Case
    settings: CohortSettings
    models: tuple[str, ...]
    prompt: WorstPrompt

    def steps(self) -> Steps[OpenedCase]:
        """The work.

        Raises:
            InputError: a file is no longer there or no longer what it was.
        """
        yield Progress(0, 0, tr("Opening {case}", case=self.case.name))
        case, volume, found = opened(self.case, self.settings)
        truth = found.mask(self.prompt.number)
        box = Box3D.around(truth, self.settings.protocol.margin_voxels)
        labels = next(each.whole() for each in found.maps if (each.voxels == self.prompt.number).any())
        yield Progress(0, 0, tr("Loading the weights"))
        keep_triton_out()
        path = self.settings.quantized[self.models.index(self.prompt.model)].path
        return OpenedCase(case, volume, labels, box, load_weights(Path(path)), self.prompt)
