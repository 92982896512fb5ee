"""One model in full precision and its quantized copies on the same slices and prompts, side by side."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from pqcomq.comparison.box_perturbation import BoxJitter, BoxMovement, box_jitter
from pqcomq.comparison.compared_model import ComparedModel
from pqcomq.comparison.comparison_result import ComparisonResult, ObjectComparison
from pqcomq.comparison.environment import Environment
from pqcomq.comparison.measures.encoding_times import EncodingTimes, TorchBaseline
from pqcomq.comparison.measures.latency import Latency
from pqcomq.comparison.measures.metrics import dice, scores
from pqcomq.comparison.measures.peak_memory import PeakMemory, watching_memory
from pqcomq.comparison.measures.slice_scores import SliceScores
from pqcomq.comparison.model_result import Comparison, ModelResult
from pqcomq.errors import InputError
from pqcomq.models.segmenter import Segmenter
from pqcomq.progress import Progress, Stopwatch, translated
from pqcomq.segmentation.box import Box3D
from pqcomq.segmentation.box_mask import BoxMask
from pqcomq.segmentation.embedding_cache import EmbeddingCache
from pqcomq.segmentation.prompt import Prompt
from pqcomq.segmentation.propagation import PromptMode, segment_slices
from pqcomq.segmentation.slice_runner import SliceRunner
from pqcomq.volumes.intensity_window import EightBitSlices, Window, default_window
from pqcomq.volumes.volume import Volume


@dataclass(frozen=True, eq=False)
class PromptedObject:
    """One object to compare the models on.

    Attributes:
        name: the user's, free of patient data.
        prompt: a box, points or both, or a scribble; scores are over its slices.
        truth: (z, y, x) bool, ground truth; gives each model an accuracy beside their agreement.
        number: of the object in a volume of labels, from 1; by default its place among the objects.
        movement: also move the box, see :mod:`.box_perturbation`; None for not, and where there is no box.
    """

    name: str
    prompt: Prompt
    truth: np.ndarray | None = field(default=None, repr=False)
    number: int | None = None
    movement: BoxMovement | None = None

    def __post_init__(self) -> None:
        """Take a box for the prompt that it is, and move no box where there is none."""
        object.__setattr__(self, "prompt", Prompt.of(self.prompt))
        if self.prompt.box is None:
            object.__setattr__(self, "movement", None)

    @property
    def box(self) -> Box3D | None:
        """The prompt's box, None where it has none."""
        return self.prompt.box


def compare(
    volume: Volume,
    prompt: Prompt | Box3D,
    reference: ComparedModel,
    candidates: Sequence[ComparedModel],
    *,
    name: str = "object",
    mode: PromptMode = "propagate",
    window: Window | None = None,
    truth: np.ndarray | None = None,
    cache: EmbeddingCache | None = None,
) -> Generator[Progress, None, ComparisonResult]:
    """Segment one prompt with several models and score what they find; see :func:`compare_objects`.

    Args:
        volume: what is segmented.
        prompt: a box, points or both, or a scribble; scores are over its slices.
        reference: full precision.
        candidates: the models held against it, at least one.
        name: of the object.
        mode: where the prompts of the other slices come from.
        window: by default the modality's own.
        truth: (z, y, x) bool, ground truth.
        cache: embeddings to reuse.
    """
    asked = [PromptedObject(name, Prompt.of(prompt), truth)]
    return (yield from compare_objects(volume, asked, reference, candidates, mode=mode, window=window, cache=cache))


def compare_objects(
    volume: Volume,
    objects: Sequence[PromptedObject],
    reference: ComparedModel,
    candidates: Sequence[ComparedModel],
    *,
    mode: PromptMode = "propagate",
    window: Window | None = None,
    cache: EmbeddingCache | None = None,
) -> Generator[Progress, None, ComparisonResult]:
    """Segment objects with several models, slice by slice in turn, and score what they find.

    The models take turns on every slice, so that a machine that slows down or speeds up does so for all of them. Where
    something else runs full precision, torch encodes a few of the slices as well: that is what people run today. The
    volume is windowed once and each model warmed up once for all objects; an embedding that one object needed serves
    the others on that slice.

    Args:
        volume: what is segmented.
        objects: at least one.
        reference: full precision; runs once on each object, whatever the number of candidates.
        candidates: the models held against it, at least one.
        mode: with ``propagate`` each model makes its own prompts from its own masks, as in use, so that small
            differences may grow; ``same`` gives all models the user's box on every slice.
        window: by default the modality's own.
        cache: embeddings to reuse.

    Yields:
        :class:`Progress` before each model's first pass, which is not counted, and after every slice of every model
        and of every moved box.

    Returns:
        The :class:`.ComparisonResult` (a generator's return value).

    Raises:
        InputError: a prompt lies outside, the model takes no such prompt, a truth is on another grid or of several
            objects, or there is nothing to compare.
    """
    if not objects or not candidates:
        raise InputError("A comparison needs at least one object and one model beside full precision.")
    for each in objects:
        reference.segmenter.check_prompts(each.prompt.kinds)
    asked = [_checked(each, place, volume) for place, each in enumerate(objects, start=1)]
    run = _Run(volume, (reference, *candidates), mode, window, cache)
    watch = Stopwatch(sum(run.steps(each) for each in asked))
    yield from translated(run.warm_up(asked[0].prompt), watch.meanwhile)
    watch.leave_out()
    found = []
    for each in asked:
        which = f"{each.name}: " if len(asked) > 1 else ""
        work = run.on_object(each)
        found.append((yield from translated(work, partial(_told, watch, which))))
    return ComparisonResult(volume, tuple(found), reference, tuple(candidates))


@dataclass(frozen=True)
class _Aside:
    """What was done beside the slices of a comparison, in words; it takes place a few times, at the beginning."""

    text: str


def _told(watch: Stopwatch, which: str, done: str | _Aside) -> Progress:
    if isinstance(done, _Aside):
        watch.leave_out()
        return watch.meanwhile(which + done.text)
    return watch.step(which + done)


def _checked(asked: PromptedObject, place: int, volume: Volume) -> PromptedObject:
    """The object with a number.

    Raises:
        InputError: its prompt or its truth does not fit the volume, or the truth is of several objects.
    """
    shape = volume.grid.shape_zyx
    prompt = asked.prompt.checked(shape)
    if asked.truth is not None and asked.truth.shape != shape:
        raise InputError(f"ground truth of shape {asked.truth.shape} does not fit the volume's {shape}")
    if asked.truth is not None and asked.truth.dtype != bool:
        labels = np.unique(asked.truth[asked.truth != 0])
        if len(labels) > 1:  # all of them together would pass for the object
            raise InputError(
                f"The ground truth holds {len(labels)} labels; give the mask of one object, such as "
                f"labels == {labels[0]:g}."
            )
    return replace(asked, prompt=prompt, number=place if asked.number is None else asked.number)


class _Run:
    """Everything that the objects of one comparison share: the windowed volume, the warmed-up models, the embeddings.

    Args:
        volume: what is segmented.
        models: full precision first.
        mode: where the prompts come from.
        window: None for the modality's own.
        cache: embeddings to reuse, or None.
    """

    def __init__(
        self,
        volume: Volume,
        models: tuple[ComparedModel, ...],
        mode: PromptMode,
        window: Window | None,
        cache: EmbeddingCache | None,
    ) -> None:
        self._volume, self._models, self._mode = volume, models, mode
        self._window = window or default_window(volume.modality, volume.voxels)
        self._pixels = EightBitSlices(volume, self._window)
        self._cache = EmbeddingCache() if cache is None else cache
        self._environment = Environment.here()
        self._memories: list[PeakMemory] = []
        in_torch = models[0].in_torch
        self._torch = TorchBaseline(None if in_torch is None else self._runner(in_torch))
        self._times = [EncodingTimes() for _model in models]

    def warm_up(self, prompt: Prompt) -> Generator[str, None, None]:
        """A pass of each model that is not timed; yields what is done next, since each takes as long as a slice."""
        for runner in self._fresh_runners():
            yield f"a first slice, not timed, {runner.segmenter.precision}"
            self._memories.append(_warmed_up(runner, prompt))

    def steps(self, asked: PromptedObject) -> int:
        """How many steps an object takes."""
        return len(asked.prompt.slices) * (len(self._models) + (asked.movement is not None))

    def on_object(self, asked: PromptedObject) -> Generator[str | _Aside, None, ObjectComparison]:
        """Compare on one object; yields what was just done, a text for each step."""
        runners = self._fresh_runners()
        masks = yield from self._segmented(runners, asked.prompt)
        reference, *candidates = (
            self._result(*sources, asked.truth)
            for sources in zip(self._models, runners, self._times, self._memories, masks, strict=True)
        )
        comparisons = tuple(
            self._held(reference, candidate, runner.stability, asked)
            for candidate, runner in zip(candidates, runners[1:], strict=True)
        )
        jitter = None
        if asked.movement is not None:  # now, while the embeddings of this object are still kept
            jitter = yield from self._moved(comparisons[0], asked.truth, asked.movement)
        return ObjectComparison(asked.name, comparisons, asked.truth, jitter, asked.number or 1)

    def _fresh_runners(self) -> list[SliceRunner]:
        """One for each model, with no latency in it yet."""
        return [self._runner(each.segmenter) for each in self._models]

    def _runner(self, segmenter: Segmenter) -> SliceRunner:
        return SliceRunner(segmenter, self._volume, self._window, self._cache, self._pixels)

    def _segmented(
        self, runners: Sequence[SliceRunner], prompt: Prompt
    ) -> Generator[str | _Aside, None, list[BoxMask]]:
        """Each model's mask of one object, the models in turns."""
        masks = [BoxMask.empty(prompt, runner.shape) for runner in runners]
        passes = [segment_slices(runner, prompt, self._mode, mask) for runner, mask in zip(runners, masks, strict=True)]
        for _turn in prompt.slices:
            for runner, slices, times in zip(runners, passes, self._times, strict=True):
                z = next(slices)
                times.note(runner, z)
                yield f"slice {z}, {runner.segmenter.precision}"
            if self._torch.take_turn(z):
                yield _Aside(f"slice {z} in torch, to hold the others against")
        return masks

    def _result(
        self,
        compared_model: ComparedModel,
        runner: SliceRunner,
        times: EncodingTimes,
        memory: PeakMemory,
        mask: BoxMask,
        truth: np.ndarray | None,
    ) -> ModelResult:
        """What one model found on one object."""
        grid, segmenter = self._volume.grid, compared_model.segmenter
        return ModelResult(
            model=segmenter.title,
            precision=segmenter.precision,
            mask=mask,
            volume_ml=float(mask.voxel_count) * grid.voxel_millilitres,
            encoder=times.on(runner.encoder_ms),
            decoder=Latency.of(runner.decoder_ms),
            peak_memory_bytes=memory.peak_bytes,
            working_memory_bytes=memory.rise_bytes,
            file_bytes=compared_model.file_bytes,
            effective_bits=compared_model.effective_bits,
            simulated=compared_model.simulated,
            execution=segmenter.execution,
            accuracy=None if truth is None else scores(truth[mask.inside], mask.voxels, grid.spacing_zyx),
        )

    def _held(
        self, reference: ModelResult, candidate: ModelResult, stability: Mapping[int, float], asked: PromptedObject
    ) -> Comparison:
        """One candidate, with its stability by slice, held against full precision."""
        masks = reference.mask, candidate.mask
        return Comparison(
            volume_name=self._volume.name,
            volume_sha256=self._volume.sha256,
            prompt=asked.prompt,
            mode=self._mode,
            window=self._window,
            reference=reference,
            candidate=candidate,
            agreement=scores(masks[0].voxels, masks[1].voxels, self._volume.grid.spacing_zyx),
            slices=tuple(_slice_scores(z, *masks, asked.truth, stability.get(z)) for z in asked.prompt.slices),
            environment=self._environment,
            torch_encoder=self._torch.latency,
        )

    def _moved(
        self, comparison: Comparison, truth: np.ndarray | None, movement: BoxMovement
    ) -> Generator[str, None, BoxJitter]:
        """Full precision under moved boxes."""
        work = box_jitter(
            self._volume,
            comparison,
            self._models[0].segmenter,
            truth=truth,
            movement=movement,
            cache=self._cache,
            pixels=self._pixels,
        )
        return (yield from translated(work, lambda progress: progress.text))


def _warmed_up(runner: SliceRunner, prompt: Prompt) -> PeakMemory:
    """The pass that is not timed; the memory that it takes is that of any pass."""
    with watching_memory() as memory:
        asked = prompt.on_slice(prompt.start, prompt.rectangle, runner.shape)
        if asked is not None:  # never: a prompt asks on the slice that it starts on
            runner.warm_up(prompt.start, asked)
    return memory


def _slice_scores(
    z: int, reference: BoxMask, candidate: BoxMask, truth: np.ndarray | None, stability: float | None
) -> SliceScores:
    one, other = reference.on_slice(z), candidate.on_slice(z)
    return SliceScores(
        z,
        dice(one, other),
        None if truth is None else dice(truth[z], one),
        None if truth is None else dice(truth[z], other),
        stability,
    )
