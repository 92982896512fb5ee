"""Background work on sessions: generators of steps that touch neither Qt nor layers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from napari_pqcomq.jobs.model_cache import ModelCache
from pqcomq.backends.openvino_model import obstacle
from pqcomq.backends.runtime import Runtime
from pqcomq.comparison.box_perturbation import BoxJitter, box_jitter
from pqcomq.comparison.compared_model import ComparedModel
from pqcomq.comparison.gate import Tolerance
from pqcomq.progress import Progress, Steps, prefixed
from pqcomq.reader_study.blinded_study import BlindedReading
from pqcomq.session.load import SavedSession
from pqcomq.session.replay import recorded_runtime
from pqcomq.session.save import saving
from pqcomq.session.session import Session, SessionObject
from pqcomq.volumes.volume import Volume

if TYPE_CHECKING:
    from napari_pqcomq.jobs.comparison_result import ShownResult


@dataclass(frozen=True, eq=False)
class JitterJob:
    """Move the boxes of a result.

    Attributes:
        result: on screen.
        pixels: greatest movement of an edge.
    """

    result: ShownResult
    pixels: int

    def steps(self) -> Steps[dict[str, BoxJitter]]:
        """The work: object name → what its moved boxes gave."""
        found: dict[str, BoxJitter] = {}
        for each in self.result.objects:
            work = box_jitter(
                self.result.volume,
                each.comparison,
                self.result.reference.segmenter,
                truth=each.truth,
                shift=self.pixels,
                cache=self.result.cache,
            )
            found[each.name] = yield from prefixed(work, f"Moving the box of {each.name}: ")
        return found


@dataclass(frozen=True, eq=False)
class SaveSessionJob:
    """Write a session.

    Attributes:
        result: on screen.
        jitters: object name → moved boxes, where they were asked for.
        tolerance: of the gate.
        reading: a finished one, or None.
        folder: to be made.
    """

    result: ShownResult
    jitters: dict[str, BoxJitter]
    tolerance: Tolerance
    reading: BlindedReading | None
    folder: Path

    def steps(self) -> Steps[list[Path]]:
        """The work: the files written.

        Raises:
            InputError: a file exists or cannot be written.
        """
        yield Progress(0, 0, "Drawing the report")
        work = saving(session_of(self.result, self.jitters, self.tolerance, self.reading), self.folder)
        return (yield from prefixed(work, "Saving: "))


@dataclass(frozen=True, eq=False)
class OpenedSession:
    """What came out of a folder.

    Attributes:
        session: as saved.
        sides: its models, full precision first.
        runtime: what runs them from now on: that of the session, or torch where this machine lacks it.
        missing: why it lacks it; None if it does not.
    """

    session: Session
    sides: tuple[ComparedModel, ...]
    runtime: Runtime
    missing: str | None


@dataclass(frozen=True, eq=False)
class OpenSessionJob:
    """Read a session.

    Attributes:
        folder: of the session.
        volume: the open one, which must be the session's.
        checkpoint: for a model that has none shipped.
        shelf: where the full-precision model stands.
    """

    folder: Path
    volume: Volume
    checkpoint: Path | None
    shelf: ModelCache

    def steps(self) -> Steps[OpenedSession]:
        """The work: the session, and its models ready to follow a box.

        Raises:
            InputError: it is no session, or one of another volume.
        """
        yield Progress(0, 0, "Reading the session")
        saved = SavedSession.at(self.folder)
        saved.check_volume(self.volume)
        yield Progress(0, 0, "Loading the model")
        full = self.shelf.take(saved.model_key, self.checkpoint)
        yield Progress(0, 0, "Reading masks and weights")
        session = saved.opened(self.volume)
        runtime = recorded_runtime(session.objects[0].comparisons[0].candidate.execution)
        missing = obstacle(runtime)
        if missing is not None:
            runtime = Runtime.torch
        sides = yield from self.shelf.compared_models(full, session.models, runtime)
        return OpenedSession(session, sides, runtime, missing)


def session_of(
    result: ShownResult, jitters: dict[str, BoxJitter], tolerance: Tolerance, reading: BlindedReading | None
) -> Session:
    """A result on screen as a session.

    Raises:
        InputError: a candidate's weights are not at hand, or two objects have the same name.
    """
    return Session(
        volume=result.volume,
        objects=tuple(
            SessionObject(each.name, tuple(each.comparisons), each.truth, jitters.get(each.name))
            for each in result.objects
        ),
        models=tuple(each.weights for each in result.candidates if each.weights is not None),
        licence=result.reference.segmenter.licence,
        tolerance=tolerance,
        reading=reading,
    )
