"""One case as a task: scored and landed, whatever process runs it."""

from __future__ import annotations

import traceback
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pqcomq.cohort.cases.case import Case
from pqcomq.cohort.cases.case_checks import without_paths
from pqcomq.cohort.cohort_store import FAILED, NOT_SCORED, SCORED, CohortStore
from pqcomq.cohort.running.case_weights import full_in_torch, models_for_case
from pqcomq.cohort.scoring.loaded_models import models_of, worker_threads
from pqcomq.cohort.scoring.score_case import score_case
from pqcomq.cohort.settings import CohortSettings
from pqcomq.errors import InputError
from pqcomq.progress import finished, translated


@dataclass(frozen=True)
class Outcome:
    """What became of a case.

    Attributes:
        case: name.
        status: scored, not scored or failed.
        reason: why not; empty otherwise.
        seconds: that it took.
    """

    case: str
    status: str
    reason: str = ""
    seconds: float = 0.0


class RunStoppedError(InputError):
    """What stops the whole run: results cannot be kept, or models not be loaded. The run can be resumed."""


def working(case: Case, settings: CohortSettings, folder: Path) -> Generator[str, None, Outcome]:
    """Score a case and land it in the store.

    Args:
        case: which.
        settings: of the cohort.
        folder: of the results.

    Yields:
        What was just done.

    Returns:
        What became of it (a generator's return value).

    Raises:
        RunStoppedError: models cannot be loaded, or the results cannot be written.
    """
    store = CohortStore(folder)
    with worker_threads(settings.threads):
        try:
            models = list(models_of(settings))
        except InputError as problem:
            raise RunStoppedError(str(problem)) from problem
        try:
            if settings.recipes:
                making = models_for_case(case, settings, store.found().cases, full_in_torch(models), folder)
                models += yield from translated(making, lambda progress: progress.text)
            result = yield from score_case(case, settings, models)
        except InputError as problem:
            return _left_out(store, case, NOT_SCORED, without_paths(problem, case))
        except MemoryError:
            return _left_out(store, case, FAILED, "there was not enough memory for it")
        except Exception as problem:
            # A fault of ours or of a library on one odd case must not cost the night's work; it is told, and the case
            # is tried again by the next run.
            last = traceback.extract_tb(problem.__traceback__)[-1]
            told = f"{type(problem).__name__} in {Path(last.filename).name}: {without_paths(problem, case)}"
            return _left_out(store, case, FAILED, told)
        _landed(store.write, result)
    return Outcome(case.name, SCORED, seconds=result.seconds)


def score_and_land(case: dict[str, Any], settings: dict[str, Any], folder: str) -> Outcome:
    """The same for a worker in another process; arguments JSON-ready."""
    return finished(working(Case.from_dict(case), CohortSettings.from_dict(settings), Path(folder)))


def _left_out(store: CohortStore, case: Case, status: str, reason: str) -> Outcome:
    _landed(store.write_fault, case, status, reason)
    return Outcome(case.name, status, reason)


def _landed(write: Any, *arguments: Any) -> None:  # noqa: ANN401 (either of the store's two)
    try:
        write(*arguments)
    except (InputError, OSError) as problem:
        raise RunStoppedError(
            f"{problem} Nothing that was written before is lost: the same command goes on."
        ) from problem
