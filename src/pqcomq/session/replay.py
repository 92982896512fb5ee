"""A session run again, and every number that comes out differently."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

from pqcomq.comparison.compare import PromptedObject, compare_objects
from pqcomq.comparison.comparison_result import ObjectComparison
from pqcomq.comparison.environment import Environment
from pqcomq.comparison.measures.metrics import Scores
from pqcomq.comparison.model_result import Comparison
from pqcomq.progress import Progress, Stopwatch, translated
from pqcomq.segmentation.embedding_cache import EmbeddingCache
from pqcomq.segmentation.propagation import PromptMode
from pqcomq.session.session import Session
from pqcomq.volumes.intensity_window import Window


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


def replay(session: Session) -> Generator[Progress, None, Replay]:
    """Run every comparison of a session again, from the same prompts, weights and window.

    Args:
        session: opened from its folder, with the models to run; see :meth:`.SavedSession.models`.

    Yields:
        :class:`Progress`, a step for every slice of every model.

    Returns:
        The :class:`Replay` (a generator's return value).
    """
    watch = Stopwatch(sum(_steps(found) for found in session.objects))
    replayed = yield from _compared_again(session, watch)
    pairs: list[tuple[str, str, Any, Any]] = []
    timings: list[Difference] = []
    elsewhere: list[Difference] = []
    for found, again in zip(session.objects, replayed, strict=True):
        for one, other in zip(found.comparisons, again.comparisons, strict=True):
            where = f"{found.name}, {one.candidate.precision}"
            pairs += [(where, *pair) for pair in _numbers(one, other)]
            timings += _timings(where, one, other)
            elsewhere += _executions(one, other)
        pairs += _moved(found, again)
    differences = tuple(Difference(*pair) for pair in pairs if pair[2] != pair[3])
    recorded_on, now = session.objects[0].comparisons[0].environment, Environment.here()
    machine = [
        Difference("this machine", name, value, asdict(now)[name])
        for name, value in asdict(recorded_on).items()
        if asdict(now)[name] != value
    ]
    return Replay(len(pairs), differences, (*machine, *dict.fromkeys(elsewhere)), tuple(timings))


def _compared_again(session: Session, watch: Stopwatch) -> Generator[Progress, None, list[ObjectComparison]]:
    """All objects again, in their order; those of one window and way of prompting, as a rule all, in one go."""
    asked = [
        PromptedObject(each.name, each.prompt, each.truth, each.number, each.jitter.movement if each.jitter else None)
        for each in session.objects
    ]
    cache = EmbeddingCache()
    groups: dict[tuple[PromptMode, Window], list[int]] = {}
    for place, found in enumerate(session.objects):
        groups.setdefault((found.mode, found.window), []).append(place)
    again: dict[int, ObjectComparison] = {}
    for (mode, window), places in groups.items():
        work = compare_objects(
            session.volume,
            [asked[place] for place in places],
            session.result.reference,
            session.result.candidates,
            mode=mode,
            window=window,
            cache=cache,
        )
        result = yield from translated(work, partial(_counted, watch))
        again |= dict(zip(places, result.objects, strict=True))
    return [again[place] for place in range(len(asked))]


def _counted(watch: Stopwatch, progress: Progress) -> Progress:
    """What is told before the first slice is done is no step."""
    return watch.step(progress.text) if progress.step else watch.meanwhile(progress.text)


def _moved(recorded: ObjectComparison, replayed: ObjectComparison) -> list[tuple[str, str, Any, Any]]:
    """The moved boxes, where the session has them."""
    if recorded.jitter is None or replayed.jitter is None:
        return []
    where, pairs = f"{recorded.name}, moved boxes", zip(recorded.jitter.moved, replayed.jitter.moved, strict=True)
    return [
        (where, f"{what} of box {number}", then, now)
        for number, (one, other) in enumerate(pairs, start=1)
        for what, then, now in (
            ("Dice", one.dice, other.dice),
            ("Dice against ground truth", one.accuracy, other.accuracy),
        )
        if then is not None
    ]


def _steps(found: ObjectComparison) -> int:
    return len(found.prompt.slices) * (len(found.results) + (found.jitter is not None))


def _numbers(recorded: Comparison, replayed: Comparison) -> Iterator[tuple[str, Any, Any]]:
    """Everything that must repeat: voxels, scores, volumes."""
    for title, one, other in (
        ("full precision's mask", recorded.reference, replayed.reference),
        ("the quantized model's mask", recorded.candidate, replayed.candidate),
    ):
        changed = int(np.count_nonzero(one.mask.voxels != other.mask.voxels))
        yield f"{title}, voxels that differ", 0, changed
        yield f"{title}, mL", one.volume_ml, other.volume_ml
        yield from _scores(f"{title} against ground truth", one.accuracy, other.accuracy)
    yield from _scores("agreement between the models", recorded.agreement, replayed.agreement)
    for one_slice, other_slice in zip(recorded.slices, replayed.slices, strict=True):
        for name, value in asdict(one_slice).items():
            if name == "candidate_stability" and value is None:  # of a session from before it was kept
                continue
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
