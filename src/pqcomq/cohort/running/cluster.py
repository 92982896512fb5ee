"""The cases on Dask's workers: started on this machine, or those of a cluster that runs already.

Dask distributes, restarts lost workers and moves their work; nothing of that is done here.
"""

from __future__ import annotations

import logging
import platform
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pqcomq
from pqcomq.cohort.cases.case import Case
from pqcomq.cohort.cohort_store import FAILED
from pqcomq.cohort.packages import check_installed
from pqcomq.cohort.running.case_task import Outcome, RunStoppedError, score_and_land
from pqcomq.cohort.settings import CohortSettings, running_libraries
from pqcomq.errors import InputError

ANSWER_WITHIN = "20s"
"""How long a scheduler may take to answer."""
_ALLOCATION = {
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": 128 * 2**20,
    "distributed.nanny.pre-spawn-environ.MALLOC_MMAP_THRESHOLD_": 32 * 2**20,
}
"""Dask lets its workers give memory back at every turn; each array of a volume then costs thousands of page faults."""
_WAITING_PER_WORKER = 3
"""Cases handed over for each worker beyond the one that it scores: the rest wait here, however many there are."""


class Cluster:
    """A scheduler with its workers.

    Attributes:
        workers: how many there are now.
        dashboard: address of Dask's page about them; empty where its package is missing.
    """

    def __init__(self, client: Any) -> None:  # noqa: ANN401 (distributed has no types)
        self._client = client
        self.dashboard: str = client.dashboard_link if find_spec("bokeh") else ""

    @property
    def workers(self) -> int:
        """How many there are now."""
        return len(self._client.scheduler_info(n_workers=-1)["workers"])

    def outcomes(self, cases: Sequence[Case], settings: CohortSettings, folder: Path) -> Iterator[Outcome]:
        """Score cases on the workers.

        Args:
            cases: in the order that they are begun.
            settings: of the cohort.
            folder: of the results, which all workers see under the same path.

        Yields:
            What became of each, as they are done.

        Raises:
            RunStoppedError: results cannot be kept, or the scheduler is lost.
        """
        from distributed import as_completed

        waiting = list(reversed(cases))
        content, place = settings.to_dict(), str(folder.resolve())
        names: dict[str, str] = {}

        def handed_over(case: Case) -> Any:  # noqa: ANN401
            future = self._client.submit(score_and_land, case.to_dict(), content, place, pure=False)
            names[future.key] = case.name
            return future

        at_once = max(1, self.workers) * (1 + _WAITING_PER_WORKER)
        first = [handed_over(waiting.pop()) for _ in range(min(at_once, len(waiting)))]
        done = as_completed(first)
        for future in done:
            yield self._outcome(future, names.pop(future.key))
            if waiting:
                done.add(handed_over(waiting.pop()))

    def _outcome(self, future: Any, case: str) -> Outcome:  # noqa: ANN401
        from distributed.scheduler import KilledWorker

        try:
            outcome: Outcome = future.result()
        except RunStoppedError:
            raise
        except KilledWorker:
            return Outcome(case, FAILED, "every worker that took it was lost; there may be too little memory for it")
        except CancelledError as problem:  # Dask gives up all that it was to wait for, in sentences of its own
            raise RunStoppedError(
                "The scheduler was lost, or gave up what it was handed; the same command goes on where this one ended."
            ) from problem
        except (OSError, TimeoutError, RuntimeError) as problem:
            raise RunStoppedError(
                f"the scheduler or a worker was lost ({problem}); the same command goes on."
            ) from problem
        return outcome


@contextmanager
def local_cluster(workers: int, threads: int) -> Iterator[Cluster]:
    """Workers on this machine, each a process; they end with the block.

    Args:
        workers: how many.
        threads: each one's own, for the networks; a worker scores one case at a time.

    Raises:
        InputError: Dask is not installed.
    """
    check_installed("distributed")
    import dask
    from distributed import Client, LocalCluster

    with (
        dask.config.set(_ALLOCATION),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            dashboard_address="127.0.0.1:0",  # of Dask's own choice: two runs on a machine do not meet
            silence_logs=logging.CRITICAL,
            env={"OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "PASSIVE"},
        ) as cluster,
        Client(cluster) as client,
    ):
        yield Cluster(client)


@contextmanager
def running_cluster(address: str) -> Iterator[Cluster]:
    """The workers of a scheduler that runs already; they are left running.

    Args:
        address: of the scheduler, e.g. ``tcp://node1:8786``.

    Raises:
        InputError: it does not answer, has no workers, or they run another version.
    """
    check_installed("distributed")
    from distributed import Client

    try:
        client = Client(address, timeout=ANSWER_WITHIN)
    except (OSError, TimeoutError, ValueError) as problem:
        raise InputError(f"--scheduler {address}: no scheduler answers there.") from problem
    with client:
        _check_workers(client, address)
        yield Cluster(client)


def check_scheduler(address: str) -> None:
    """See that a scheduler answers and that its workers will do, before hours of work.

    Raises:
        InputError: as :func:`running_cluster`.
    """
    with running_cluster(address):
        pass


def versions_here() -> dict[str, str]:
    """What must be the same on all workers."""
    python = ".".join(platform.python_version_tuple()[:2])
    return {"pqcomq": pqcomq.__version__, "Python": python, "libraries": running_libraries()}


def _check_workers(client: Any, address: str) -> None:  # noqa: ANN401
    """See that there are workers, and that they run this version.

    Raises:
        InputError: they do not.
    """
    try:
        found = client.run(versions_here)
    except (ImportError, AttributeError) as problem:
        raise InputError(f"--scheduler {address}: its workers lack pqcomq {pqcomq.__version__}.") from problem
    if not found:
        raise InputError(f"--scheduler {address}: the scheduler has no workers.")
    ours = versions_here()
    for name, version in ours.items():
        other = next((each.get(name, "an unknown one") for each in found.values() if each.get(name) != version), None)
        if other is not None:
            raise InputError(f"--scheduler {address}: a worker runs {name} {other}, not {version} as here.")
