"""A session run again, and every number that comes out differently."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import numpy as np

from pqcomq.backends.runtime import Runtime
from pqcomq.comparison.box_perturbation import box_jitter
from pqcomq.comparison.compare import compare
from pqcomq.comparison.compared_model import ComparedModel, check_same_source
from pqcomq.comparison.environment import Environment
from pqcomq.comparison.metrics import Scores
from pqcomq.comparison.result import Comparison
from pqcomq.errors import InputError
from pqcomq.models.execution import Execution
from pqcomq.models.segmenter import Segmenter
from pqcomq.progress import Progress, Stopwatch, translated
from pqcomq.quantization.quantized_model import QuantizedModel
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


def replay(session: Session, full: Segmenter, runtime: Runtime | None = None) -> Generator[Progress, None, Replay]:
    """Run every comparison of a session again, from the same prompts, weights and window.

    Args:
        session: opened from its folder.
        full: the full-precision model.
        runtime: by default those that the session was made with; another gives other numbers.

    Yields:
        :class:`Progress`, a step for every slice of every side.

    Returns:
        The :class:`Replay` (a generator's return value).

    Raises:
        InputError: the model is not the session's, or this machine does not have the session's runtime.
    """
    for model in session.models:
        check_same_source(full, model)
    watch = Stopwatch(sum(_steps(found) for found in session.objects))
    pairs: list[tuple[str, str, Any, Any]] = []
    timings: list[Difference] = []
    elsewhere: list[Difference] = []
    now = Environment.here()
    cache, sides = EmbeddingCache(), _Sides(full, runtime)
    for found in session.objects:
        for model, recorded in zip(session.models, found.comparisons, strict=True):
            where = f"{found.name}, {recorded.candidate.precision}"
            replayed = yield from _watched(
                compare(
                    session.volume,
                    recorded.box,
                    sides.reference(recorded.reference.execution),
                    sides.candidate(model, recorded.candidate.execution),
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
            elsewhere += _executions(recorded, replayed)
        reference = sides.reference(found.comparisons[0].reference.execution)
        pairs += yield from _jittered(session, found, reference.segmenter, cache, watch)
    differences = tuple(Difference(*pair) for pair in pairs if pair[2] != pair[3])
    recorded_on = session.objects[0].comparisons[0].environment
    machine = [
        Difference("this machine", name, value, asdict(now)[name])
        for name, value in asdict(recorded_on).items()
        if asdict(now)[name] != value
    ]
    return Replay(len(pairs), differences, (*machine, *dict.fromkeys(elsewhere)), tuple(timings))


class _Sides:
    """The models on the runtimes that a session tells, each made ready once."""

    def __init__(self, full: Segmenter, runtime: Runtime | None) -> None:
        self._full, self._asked = full, runtime
        self._ready: dict[tuple[str, Runtime], ComparedModel] = {}

    def reference(self, recorded: Execution) -> ComparedModel:
        """Full precision as it ran then."""
        runtime = recorded_runtime(recorded) if self._asked is None else self._asked.in_full_precision
        return self._made(self._full.fingerprint, runtime, lambda: ComparedModel.full(self._full, runtime))

    def candidate(self, model: QuantizedModel, recorded: Execution) -> ComparedModel:
        """A quantized model as it ran then."""
        runtime = recorded_runtime(recorded) if self._asked is None else self._asked
        return self._made(model.segmenter.fingerprint, runtime, lambda: ComparedModel.quantized(model, runtime))

    def _made(self, fingerprint: str, runtime: Runtime, make: Callable[[], ComparedModel]) -> ComparedModel:
        key = (fingerprint, runtime)
        try:
            if key not in self._ready:
                self._ready[key] = make()
        except InputError as problem:
            if self._asked is not None:
                raise
            raise InputError(
                f"the session was made with runtime {runtime.value}, which repeats its numbers and is missing here: "
                f"{problem}; another, asked for with --runtime, gives other numbers"
            ) from problem
        return self._ready[key]


def recorded_runtime(recorded: Execution) -> Runtime:
    """The runtime that a session tells of one side.

    Raises:
        InputError: this version has none of that name.
    """
    try:
        return Runtime(recorded.setting)
    except ValueError as problem:
        raise InputError(
            f"the session was made with runtime {recorded.setting!r}, which this version does not know"
        ) from problem


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
    return (yield from translated(work, lambda progress: watch.step(f"{where}: {progress.text}")))


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


def _executions(recorded: Comparison, replayed: Comparison) -> Iterator[Difference]:
    """Where the networks were run by something else, another version or other threads."""
    for one, other in ((recorded.reference, replayed.reference), (recorded.candidate, replayed.candidate)):
        if one.execution.title != other.execution.title:
            yield Difference("this machine", f"what ran {one.precision}", one.execution.title, other.execution.title)


def _timings(where: str, recorded: Comparison, replayed: Comparison) -> Iterator[Difference]:
    for one, other in ((recorded.reference, replayed.reference), (recorded.candidate, replayed.candidate)):
        what = f"{one.precision}, median ms of encoder and decoder"
        then, now = (f"{side.encoder.median_ms:.0f} and {side.decoder.median_ms:.1f}" for side in (one, other))
        yield Difference(where, what, then, now)
