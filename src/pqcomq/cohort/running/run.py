"""A cohort from its cases to its tables, in this process or on workers; what is done stays done."""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from pqcomq.atomic_files import made_folder
from pqcomq.cohort.cases.case import Case, CaseList
from pqcomq.cohort.cohort_store import CohortStore
from pqcomq.cohort.packages import check_installed
from pqcomq.cohort.running.case_task import Outcome, working
from pqcomq.cohort.running.case_weights import full_in_torch, models_for_case
from pqcomq.cohort.running.cluster import Cluster, check_scheduler, local_cluster, running_cluster
from pqcomq.cohort.scoring.loaded_models import described, models_of, worker_threads
from pqcomq.cohort.settings import CohortSettings
from pqcomq.comparison.compared_model import ComparedModel
from pqcomq.errors import InputError
from pqcomq.progress import Progress, Stopwatch, prefixed
from pqcomq.run_lock import only_run

WORKER_BYTES, MODEL_BYTES, BYTES_PER_CHECKPOINT_BYTE = 3 * 2**29, 352 * 2**20, 4
"""What a worker takes by itself, for each model that it runs, and for each byte of that model's checkpoint; they decide
how many are started. On OpenVINO two LiteMedSAMs were seen to take 2.6 GB in all, ten 5.6 GB, and two MedSAM ViT-B, of
375 MB, 4.9 GB."""
LOCK, SHARD_LOCK = ".run.lock", ".shard-{}.lock"
LOOKING_SECONDS = 2.0
"""For which a shard waits for the others that look whether the whole cohort is run."""


@dataclass(frozen=True)
class Workers:
    """Who does the work.

    Attributes:
        count: processes on this machine; 1 works in this process, None chooses by cores and memory.
        scheduler: address of a running Dask scheduler instead.
        shard: ``(i, n)``: only every n-th case, from the i-th on, counted from 1; for array jobs.
    """

    count: int | None = None
    scheduler: str = ""
    shard: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if self.count is not None and self.count < 1:
            raise InputError("There must be at least one worker.")
        if self.shard is not None and not 1 <= self.shard[0] <= self.shard[1]:
            raise InputError(f"--shard {self.shard[0]}/{self.shard[1]}: name one of n parts, such as 2/8.")

    def share(self, cases: Sequence[Case]) -> list[Case]:
        """The cases of this shard."""
        first, step = self.shard or (1, 1)
        return list(cases[first - 1 :: step])


def shard_of(text: str) -> tuple[int, int]:
    """``2/8`` as two numbers.

    Raises:
        InputError: it is no such thing.
    """
    matched = re.fullmatch(r"(\d+)/(\d+)", text.strip())
    if matched is None:
        raise InputError(f"--shard {text}: write i/n, such as 2/8.")
    return int(matched[1]), int(matched[2])


def usual_workers(cases: int, threads: int, models: int, checkpoint_bytes: int) -> int:
    """As many as this machine's cores and free memory allow, and no more than there are cases.

    Args:
        cases: to be scored.
        threads: of each worker.
        models: that each of them runs.
        checkpoint_bytes: of the model in full precision, from which all of them were made.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    a_model = MODEL_BYTES + BYTES_PER_CHECKPOINT_BYTE * checkpoint_bytes
    by_memory = int(psutil.virtual_memory().available // (WORKER_BYTES + models * a_model))
    return max(1, min(cores // threads, by_memory, cases))


def running(
    found: CaseList, settings: CohortSettings, folder: Path, workers: Workers | None = None
) -> Generator[Progress, None, list[Outcome]]:
    """Score all cases that are not done yet, or whose files have changed since; every case lands at once.

    Args:
        found: the cohort's cases.
        settings: what is computed; must be those of an earlier run in the same folder.
        folder: of the results.
        workers: by default as many as the machine allows.

    Yields:
        :class:`Progress` after every case, and in one process after every prompt.

    Returns:
        What became of the cases of this run (a generator's return value).

    Raises:
        InputError: the folder holds another cohort, another run is writing there, models cannot be loaded, or
            results cannot be written; what was done before is kept, and the same call goes on.
    """
    check_installed()
    who, store = workers or Workers(), CohortStore(folder)
    if who.scheduler and not all(store.is_done(each) for each in who.share(found.cases)):
        check_scheduler(who.scheduler)  # before models are loaded, or even made for hours
    with worker_threads(settings.threads):
        models = models_of(settings)  # before anything is made: a fault of theirs is told at once
    with _only_run(made_folder(folder), who):
        return (yield from _running(found, settings, folder, who, models))


def _running(
    found: CaseList, settings: CohortSettings, folder: Path, who: Workers, models: Sequence[ComparedModel]
) -> Generator[Progress, None, list[Outcome]]:
    store = CohortStore(folder)
    store.check(settings, found.cases)
    with worker_threads(settings.threads):
        made = yield from _made_first(found, settings, models, folder)
    store.begin(settings, found, described([*models, *made]))
    share = who.share(found.cases)
    waiting = [case for case in share if not store.is_done(case) or store.is_outdated(case)]
    watch, done = Stopwatch(len(waiting)), []
    if not waiting:
        return []
    usual = usual_workers(len(waiting), settings.threads, len(models) + len(made), models[0].file_bytes)
    count = usual if who.count is None else who.count
    if who.scheduler or count > 1:
        with closing(_on_workers(waiting, settings, folder, who, min(count, len(waiting)))) as outcomes:
            for told in outcomes:
                if isinstance(told, Outcome):
                    done.append(told)
                    yield watch.step(_told(told))
                else:
                    yield watch.meanwhile(told)
        return done
    for case in waiting:
        work = working(case, settings, folder)
        while True:
            try:
                text = next(work)
            except StopIteration as end:
                done.append(end.value)
                break
            yield watch.meanwhile(f"{case.name}: {text}")
        yield watch.step(_told(done[-1]))
    return done


def _made_first(
    found: CaseList, settings: CohortSettings, models: Sequence[ComparedModel], folder: Path
) -> Generator[Progress, None, list[ComparedModel]]:
    """The models that are made for each case anew, for the first case that allows it: the tables tell of their bits.

    Raises:
        InputError: they can be made for no case; the reason of the first is told.
    """
    problems = []
    for case in found.cases if settings.recipes else ():
        try:
            work = models_for_case(case, settings, found.cases, full_in_torch(models), folder)
            return (yield from prefixed(work, f"{case.name}: "))
        except InputError as problem:
            problems.append(problem)
    if problems:
        raise problems[0]
    return []


@contextmanager
def _only_run(folder: Path, who: Workers) -> Iterator[None]:
    """Hold a folder for this run, which shards of one cohort may share.

    Raises:
        InputError: another run is writing there.
    """
    whole = folder / LOCK
    if who.shard is None:
        with only_run(whole, folder):
            for shard in folder.glob(SHARD_LOCK.format("*")):
                with only_run(shard, folder):
                    pass
            yield
        return
    with only_run(folder / SHARD_LOCK.format("-of-".join(map(str, who.shard))), folder):
        with only_run(whole, folder, wait=LOOKING_SECONDS):  # other shards look at it too
            pass
        yield


def _on_workers(
    waiting: Sequence[Case], settings: CohortSettings, folder: Path, who: Workers, count: int
) -> Generator[Outcome | str, None, None]:
    opened = running_cluster(who.scheduler) if who.scheduler else local_cluster(count, settings.threads)
    with opened as cluster:
        yield _greeting(cluster)
        yield from cluster.outcomes(waiting, settings, folder)


def _greeting(cluster: Cluster) -> str:
    where = f", dashboard {cluster.dashboard}" if cluster.dashboard else ""
    return f"{cluster.workers} workers{where}"


def _told(outcome: Outcome) -> str:
    return f"{outcome.case}: {outcome.status}" + (f", {outcome.reason}" if outcome.reason else "")
