"""Background work on sessions: generators of steps that touch neither Qt nor layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from napari_pqcomq.jobs.models.model_cache import ModelCache
from napari_pqcomq.translation import tr
from pqcomq.backends.obstacle import obstacle
from pqcomq.backends.runtime import Runtime
from pqcomq.comparison.box_perturbation import BoxJitter, BoxMovement, box_jitter
from pqcomq.comparison.gate import Tolerance
from pqcomq.models.catalogue.model_store import record_of
from pqcomq.progress import Progress, Steps, prefixed
from pqcomq.reader_study.blinded_study import BlindedReading
from pqcomq.segmentation.embedding_cache import EmbeddingCache
from pqcomq.session.load import SavedSession
from pqcomq.session.save import saving
from pqcomq.session.session import Session
from pqcomq.volumes.intensity_window import EightBitSlices
from pqcomq.volumes.volume import Volume

if TYPE_CHECKING:
    from pqcomq.comparison.comparison_result import ComparisonResult


@dataclass(frozen=True, eq=False)
class JitterJob:
    """Move the boxes of a result.

    Attributes:
        result: on screen.
        movement: of the edges.
        cache: with the embeddings of the result.
    """

    result: ComparisonResult
    movement: BoxMovement
    cache: EmbeddingCache

    def steps(self) -> Steps[dict[int, BoxJitter]]:
        """The work: object number → what its moved boxes gave."""
        yield Progress(0, 0, tr("Windowing the volume"))
        window, found = self.result.window, {}
        pixels = EightBitSlices(self.result.volume, window)
        for each in self.result.objects:
            work = box_jitter(
                self.result.volume,
                each.comparisons[0],
                self.result.reference.segmenter,
                truth=each.truth,
                movement=self.movement,
                cache=self.cache,
                pixels=pixels if each.window == window else None,
            )
            found[each.number] = yield from prefixed(work, tr("Moving the box of {name}: ", name=each.name))
        return found


@dataclass(frozen=True, eq=False)
class SaveSessionJob:
    """Write a session.

    Attributes:
        result: on screen, with the moved boxes that were asked for.
        tolerance: of the gate.
        reading: a finished one, or None.
        folder: to be made.
    """

    result: ComparisonResult
    tolerance: Tolerance
    reading: BlindedReading | None
    folder: Path

    def steps(self) -> Steps[list[Path]]:
        """The work: the files written.

        Raises:
            InputError: two objects have one name, or a file exists or cannot be written.
        """
        yield Progress(0, 0, tr("Drawing the report"))
        work = saving(Session(self.result, self.tolerance, self.reading), self.folder)
        return (yield from prefixed(work, tr("Saving: ")))


@dataclass(frozen=True, eq=False)
class OpenedSession:
    """What came out of a folder.

    Attributes:
        session: as saved, with its models ready to run.
        runtime: what runs them from now on: that of the session, or torch where this machine lacks it.
        missing: why it lacks it; None if it does not.
        checkpoint: that its full-precision model was loaded from; None for one that is shipped or kept.
    """

    session: Session
    runtime: Runtime
    missing: str | None
    checkpoint: Path | None


@dataclass(frozen=True, eq=False)
class OpenSessionJob:
    """Read a session.

    Attributes:
        folder: of the session.
        volume: the open one, which must be the session's.
        checkpoints: files of the user's own by the models that they are of; the session says which model it needs.
        models: where the full-precision model stands.
    """

    folder: Path
    volume: Volume
    checkpoints: Mapping[str, Path]
    models: ModelCache

    def steps(self) -> Steps[OpenedSession]:
        """The work: the session, and its models ready to follow a box.

        Raises:
            InputError: it is no session, or one of another volume or checkpoint.
        """
        yield Progress(0, 0, tr("Reading the session"))
        saved = SavedSession.at(self.folder)
        saved.check_volume(self.volume)
        yield Progress(0, 0, tr("Loading the model"))
        checkpoint = self._checkpoint(saved)
        full = self.models.take(saved.model_key, checkpoint)
        yield Progress(0, 0, tr("Reading the weights"))
        weights = saved.weights(full)
        _of_full, runtime = saved.runtimes
        missing = obstacle(runtime)
        if missing is not None:
            runtime = Runtime.torch
        models = yield from self.models.compared_models(full, weights, runtime)
        yield Progress(0, 0, tr("Reading the masks"))
        return OpenedSession(saved.opened(self.volume, models), runtime, missing, checkpoint)

    def _checkpoint(self, saved: SavedSession) -> Path | None:
        """The user's own file for the session's model, unless the weights kept on this machine are the session's."""
        kept = record_of(saved.model_key)
        is_kept = kept is not None and kept.sha256 == saved.checkpoint_sha256
        return None if is_kept else self.checkpoints.get(saved.model_key)
