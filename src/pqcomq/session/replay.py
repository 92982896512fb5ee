"""A session run again, and every number that comes out differently."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import numpy as np

from pqcomq.comparison.box_jitter import box_jitter
from pqcomq.comparison.compare import compare
from pqcomq.comparison.environment import Environment
from pqcomq.comparison.metrics import Scores
from pqcomq.comparison.participant import Participant, check_same_source
from pqcomq.comparison.result import Comparison
from pqcomq.models.segmenter import Segmenter
from pqcomq.progress import Progress, Stopwatch
from pqcomq.segmentation.embedding_cache import EmbeddingCache
from pqcomq.session.session import Session, SessionObject

T = TypeVar("T")


@dataclass(frozen=True)
class Difference:
    """A number that did not come out as it was recorded.

    Attributes:
        where: object and precision.
        what: the number.
        recorded: in the session.
        replayed: now.
    """

    where: str
    what: str
    recorded: Any
    replayed: Any

    def __str__(self) -> str:
        """One line."""
        return f"{self.where}: {self.what} was {self.recorded}, is now {self.replayed}"


@dataclass(frozen=True)
class Replay:
    """What a replay found.

    Attributes:
        checked: numbers and masks compared.
        differences: those that came out differently; empty where the session repeats.
        elsewhere: what is not the same about the machine and the software, which may explain them.
        timings: latencies then and now, which are not expected to repeat.
    """

    checked: int
    differences: tuple[Difference, ...]
    elsewhere: tuple[Difference, ...]
    timings: tuple[Difference, ...]

    @property
    def is_same(self) -> bool:
        """Whether every number and every voxel came out as recorded."""
        return not self.differences

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {**asdict(self), "same": self.is_same}


def replay(session: Session, full: Segmenter) -> Generator[Progress, None, Replay]:
    """Run every comparison of a session again, from the same prompts, weights and window.

    Args:
        session: opened from its folder.
        full: the full-precision model.

    Yields:
        :class:`Progress`, a step for every slice of every side.

    Returns:
        The :class:`Replay` (a generator's return value).

    Raises:
        InputError: the model is not the session's.
    """
    for model in session.models:
        check_same_source(full, model)
    watch = Stopwatch(sum(_steps(found) for found in session.objects))
    pairs: list[tuple[str, str, Any, Any]] = []
    timings: list[Difference] = []
    now = Environment.here()
    cache = EmbeddingCache()
    for found in session.objects:
        for model, recorded in zip(session.models, found.comparisons, strict=True):
            where = f"{found.name}, {recorded.candidate.precision}"
            replayed = yield from _watched(
                compare(
                    session.volume,
                    recorded.box,
                    Participant.full(full),
                    Participant.quantized(model),
                    mode=recorded.mode,
                    window=recorded.window,
                    truth=found.truth,
                    cache=cache,
                ),
                watch,
                where,
            )
            pairs += [(where, *pair) for pair in _numbers(recorded, replayed)]
            timings += _timings(where, recorded, replayed)
        pairs += yield from _jittered(session, found, full, cache, watch)
    differences = tuple(Difference(*pair) for pair in pairs if pair[2] != pair[3])
    recorded_on = session.objects[0].comparisons[0].environment
    elsewhere = tuple(
        Difference("this machine", name, value, asdict(now)[name])
        for name, value in asdict(recorded_on).items()
        if asdict(now)[name] != value
    )
    return Replay(len(pairs), differences, elsewhere, tuple(timings))


def _jittered(
    session: Session, found: SessionObject, full: Segmenter, cache: EmbeddingCache, watch: Stopwatch
) -> Generator[Progress, None, list[tuple[str, str, Any, Any]]]:
    """The moved boxes again, where the session has them."""
    if found.jitter is None:
        return []
    where = f"{found.name}, moved boxes"
    again = yield from _watched(
        box_jitter(
            session.volume,
            found.comparisons[0],
            full,
            truth=found.truth,
            shift=found.jitter.shift_pixels,
            draws=len(found.jitter.moved),
            seed=found.jitter.seed,
            cache=cache,
        ),
        watch,
        where,
    )
    return [
        (where, f"Dice of box {number}", one.dice, other.dice)
        for number, (one, other) in enumerate(zip(found.jitter.moved, again.moved, strict=True), start=1)
    ]


def _watched(work: Generator[Progress, None, T], watch: Stopwatch, where: str) -> Generator[Progress, None, T]:
    """Steps of one piece of work as steps of the whole."""
    while True:
        try:
            progress = next(work)
        except StopIteration as end:
            return end.value
        yield watch.step(f"{where}: {progress.text}")


def _steps(found: SessionObject) -> int:
    slices = len(found.comparisons[0].box.slices)
    return slices * (2 * len(found.comparisons) + (found.jitter is not None))


def _numbers(recorded: Comparison, replayed: Comparison) -> Iterator[tuple[str, Any, Any]]:
    """Everything that must repeat: voxels, scores, volumes."""
    for title, one, other in (
        ("full precision's mask", recorded.reference, replayed.reference),
        ("the quantized model's mask", recorded.candidate, replayed.candidate),
    ):
        changed = int(np.count_nonzero(one.mask != other.mask))
        yield f"{title}, voxels that differ", 0, changed
        yield f"{title}, mL", one.volume_ml, other.volume_ml
        yield from _scores(f"{title} against ground truth", one.accuracy, other.accuracy)
    yield from _scores("agreement between the models", recorded.agreement, replayed.agreement)
    for one_slice, other_slice in zip(recorded.slices, replayed.slices, strict=True):
        for name, value in asdict(one_slice).items():
            yield f"slice {one_slice.z}, {name}", value, asdict(other_slice)[name]


def _scores(title: str, recorded: Scores | None, replayed: Scores | None) -> Iterator[tuple[str, Any, Any]]:
    if recorded is not None and replayed is not None:
        for name, value in recorded.to_dict().items():
            yield f"{title}, {name}", value, replayed.to_dict()[name]


def _timings(where: str, recorded: Comparison, replayed: Comparison) -> Iterator[Difference]:
    for one, other in ((recorded.reference, replayed.reference), (recorded.candidate, replayed.candidate)):
        what = f"{one.precision}, median ms of encoder and decoder"
        then, now = (f"{side.encoder.median_ms:.0f} and {side.decoder.median_ms:.1f}" for side in (one, other))
        yield Difference(where, what, then, now)
