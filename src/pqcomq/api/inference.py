"""Segmenting, and judging a quantized model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import get_args

import numpy as np

from pqcomq.api.arguments import StrPath, check_models, labels_of, mask_of, prompt_of, runtime_of, volume_of, window_of
from pqcomq.backends.fastest import settled
from pqcomq.backends.openvino_model import on_runtime
from pqcomq.backends.runtime import Runtime
from pqcomq.comparison.compare import compare as compare_steps
from pqcomq.comparison.compared_model import ComparedModel, check_same_source
from pqcomq.comparison.comparison_result import ComparisonResult
from pqcomq.comparison.evaluate import Evaluation, Protocol
from pqcomq.comparison.evaluate import evaluate as evaluate_steps
from pqcomq.errors import InputError
from pqcomq.models.segmenter import Segmenter
from pqcomq.progress import ProgressCallback, reported
from pqcomq.quantization.quantized_model import QuantizedModel, with_unique_names
from pqcomq.segmentation.box import Box3D
from pqcomq.segmentation.prompt import Prompt
from pqcomq.segmentation.propagation import PromptMode, segment_prompt
from pqcomq.segmentation.slice_runner import SliceRunner
from pqcomq.volumes.intensity_window import Window
from pqcomq.volumes.volume import Volume


def segment(
    volume: Volume | StrPath,
    prompt: Prompt | Box3D | Iterable[float],
    model: Segmenter | QuantizedModel,
    *,
    prompts: PromptMode = "propagate",
    window: Window | str | None = None,
    runtime: Runtime | str = Runtime.auto,
    device: str | None = None,
    progress: ProgressCallback | None = None,
) -> np.ndarray:
    """Segment what a box or points ask for through a volume.

    Slice by slice as in the MedSAM authors' script: from the middle slice up, then down, each mask's tight box, grown a
    little, prompting the next slice. A point prompts its own slice beside that box; without a box, the first slice is
    that of the most central positive point.

    Args:
        volume: or its path.
        prompt: a box (or its six numbers x0, y0, z0, x1, y1, z1), points, or both; in voxels of the volume in LPS
            order, z1 included. SAM and MobileSAM take points, MedSAM and LiteMedSAM boxes alone.
        model: in full precision or quantized.
        prompts: ``"propagate"``, or ``"same"`` for the prompt itself on every slice.
        window: intensity window of the model's input, or a preset's name; by default the modality's own.
        runtime: what runs the networks: ``"auto"``, the fastest that this machine has (full precision in FP32);
            ``"torch"``, the reference; or one of OpenVINO's, ``"openvino"``, ``"openvino-widened"``,
            ``"openvino-bf16"``, ``"openvino-bf16-widened"``, ``"openvino-int8"``, ``"openvino-int8-bf16"``; or torch
            on a device, ``"torch-cuda"`` and ``"torch-mps"``, with ``-half`` in float16, with ``-packed`` with weights
            packed in the device's memory.
        device: where torch computes, in float32: ``"cuda"``, ``"mps"``, ``"cpu"``, or ``"auto"`` for a device that
            works here, else the processor. One that is not there gives way to the processor.
        progress: called after every slice; an exception that it raises ends the work.

    Returns:
        The mask, (z, y, x) bool, on ``volume.grid``.

    Raises:
        InputError: the prompt lies outside, the model takes no such prompt, or this machine lacks the runtime.

    Examples:
        >>> import pqcomq
        >>> from pqcomq.samples.synthetic_ct import synthetic_ct
        >>> volume = synthetic_ct().volume
        >>> mask = pqcomq.segment(volume, [58, 139, 26, 102, 183, 27], pqcomq.load_model())
        >>> mask.shape, mask.dtype.name, bool(mask[26].any()), bool(mask[25].any())
        ((60, 256, 256), 'bool', True, False)
    """
    opened = volume_of(volume)
    checked = prompt_of(prompt).checked(opened.grid.shape_zyx)
    check_models((model, (Segmenter, QuantizedModel)))
    (model.segmenter if isinstance(model, QuantizedModel) else model).check_prompts(checked.kinds)
    runner = SliceRunner(on_runtime(model, runtime_of(runtime, device)), opened, window_of(window))
    return reported(segment_prompt(runner, checked, _mode(prompts)), progress).in_volume(opened.grid.shape_zyx)


def compare(
    volume: Volume | StrPath,
    prompt: Prompt | Box3D | Iterable[float],
    reference: Segmenter,
    candidates: QuantizedModel | Sequence[QuantizedModel],
    *,
    name: str = "object",
    truth: np.ndarray | None = None,
    prompts: PromptMode = "propagate",
    window: Window | str | None = None,
    runtime: Runtime | str = Runtime.auto,
    device: str | None = None,
    progress: ProgressCallback | None = None,
) -> ComparisonResult:
    """Hold quantized models against the full-precision model that they were made from, on one prompt.

    All models take turns on every slice. Agreement is of a quantized model with full precision, accuracy is of each
    model with ground truth; the two are never mixed. Dice, the normalized surface distance at 2 mm and the 95 %
    Hausdorff distance are taken over the prompt's slices, in the volume's own spacing.

    Args:
        volume: or its path.
        prompt: a box (or its six numbers x0, y0, z0, x1, y1, z1), points, or both; in voxels of the volume in LPS
            order, z1 included. SAM and MobileSAM take points, MedSAM and LiteMedSAM boxes alone.
        reference: full precision.
        candidates: one quantized copy of it, or several.
        name: of the object, for tables.
        truth: (z, y, x) bool, ground truth on ``volume.grid``.
        prompts: ``"propagate"``: each model prompts itself from slice to slice, as in use; ``"same"``: the prompt
            itself on every slice.
        window: intensity window of the models' input, or a preset's name; by default the modality's own.
        runtime: what runs the quantized models, see :func:`segment`; full precision runs in the same library in
            float32.
        device: where torch computes, see :func:`segment`.
        progress: called after every slice of every model; an exception that it raises ends the work.

    Returns:
        Masks, scores and latencies; ``to_dataframe()`` for the numbers, and a table in a notebook.

    Raises:
        InputError: the prompt lies outside, the model takes no such prompt, the truth is on another grid, a candidate
            was made from another checkpoint, or this machine lacks the runtime.

    Examples:
        >>> import pqcomq
        >>> from pqcomq.samples.synthetic_ct import synthetic_ct
        >>> volume = synthetic_ct().volume
        >>> full = pqcomq.load_model()
        >>> config = pqcomq.default_config("lite-medsam", 8, "rtn")
        >>> quantized = pqcomq.quantize(full, volume, config, slices=1)
        >>> box = [58, 139, 26, 102, 183, 27]
        >>> result = pqcomq.compare(volume, box, full, quantized, name="kidney", runtime="torch")
        >>> result
        ComparisonResult(LiteMedSAM on Synthetic abdominal CT, kidney: FP32, 8-bit Round to nearest)
        >>> bool(result.comparisons[0].agreement.dice > 0.9)
        True
    """
    opened, mode, chosen = volume_of(volume), _mode(prompts), runtime_of(runtime, device)
    mask = mask_of(truth)
    full, models = _compared(reference, candidates, chosen)
    asked = prompt_of(prompt)
    work = compare_steps(opened, asked, full, models, name=name, mode=mode, window=window_of(window), truth=mask)
    return reported(work, progress)


def evaluate(
    volume: Volume | StrPath,
    labels: np.ndarray | StrPath,
    reference: Segmenter,
    candidates: QuantizedModel | Sequence[QuantizedModel],
    *,
    only: int | Sequence[int] | None = None,
    protocol: Protocol | None = None,
    window: Window | str | None = None,
    runtime: Runtime | str = Runtime.auto,
    device: str | None = None,
    progress: ProgressCallback | None = None,
) -> Evaluation:
    """Score full precision and quantized models against ground truth, label by label.

    Each label is prompted on some of its slices with its own tight box, grown by 2 voxels.

    Args:
        volume: or its path.
        labels: (z, y, x) label map on ``volume.grid``, or the path of one: NIfTI, NRRD, MetaImage, DICOM SEG or
            RTSTRUCT.
        reference: full precision.
        candidates: one quantized copy of it, or several.
        only: label to prompt, or several, by number; by default all but 0.
        protocol: which slices are prompted and how; by default at most 8 slices a label, those with 50 voxels of it.
        window: intensity window of the models' input, or a preset's name; by default the modality's own.
        runtime: what runs the quantized models, see :func:`segment`; full precision runs in torch, and on another
            runtime there too, in float32.
        device: where torch computes, see :func:`segment`.
        progress: called after every prompt of every model; an exception that it raises ends the work.

    Returns:
        ``summaries``, a row for each model: mean Dice and NSD against ground truth, agreement (Dice) with full
        precision, latencies in ms, bits and bytes.

    Raises:
        InputError: a label has no slice to prompt, the labels lie on another grid, or as :func:`compare`.

    Examples:
        >>> import pqcomq
        >>> from pqcomq.comparison.evaluate import Protocol
        >>> from pqcomq.samples.synthetic_ct import synthetic_ct
        >>> sample = synthetic_ct()
        >>> full = pqcomq.load_model()
        >>> config = pqcomq.default_config("lite-medsam", 8, "rtn")
        >>> quantized = pqcomq.quantize(full, sample.volume, config, slices=1)
        >>> once = Protocol(most_slices=1)
        >>> asked = {"only": [2], "protocol": once, "runtime": "torch"}
        >>> found = pqcomq.evaluate(sample.volume, sample.labels, full, quantized, **asked)
        >>> [row.precision for row in found.summaries]
        ['FP32', '8-bit Round to nearest']
        >>> bool(found.summaries[1].agreement > 0.9)
        True
    """
    opened, chosen = volume_of(volume), runtime_of(runtime, device)
    only = [only] if isinstance(only, int) else only
    truth = labels_of(labels, opened, only)
    numbers = [int(each) for each in np.unique(truth) if each] if only is None else list(only)
    if not numbers:
        raise InputError("The label map holds no label, so there is nothing to evaluate on.")
    full, models = _compared(reference, candidates, chosen)
    in_torch = [] if full.in_torch is None else [ComparedModel.full(full.in_torch)]
    work = evaluate_steps(
        opened, truth, numbers, [*in_torch, full, *models], protocol=protocol, window=window_of(window)
    )
    return reported(work, progress)


def _compared(
    reference: Segmenter, candidates: QuantizedModel | Sequence[QuantizedModel], runtime: Runtime
) -> tuple[ComparedModel, list[ComparedModel]]:
    """The models as they take part, full precision apart.

    Raises:
        InputError: a candidate was made from another model, or this machine lacks the runtime.
    """
    are_several = isinstance(candidates, Iterable) and not isinstance(candidates, str)
    several: list[QuantizedModel] = list(candidates) if are_several else [candidates]  # type: ignore[list-item, arg-type]
    check_models((reference, (Segmenter,)), *((each, (QuantizedModel,)) for each in several))
    for each in several:
        check_same_source(reference, each)
    taken = settled(runtime, several)
    full = ComparedModel.full(reference, taken.in_full_precision)
    return full, [ComparedModel.quantized(each, taken) for each in with_unique_names(several)]


def _mode(prompts: str) -> PromptMode:
    """Where prompts come from.

    Raises:
        InputError: there is no such way.
    """
    modes: tuple[PromptMode, ...] = get_args(PromptMode)
    for mode in modes:
        if prompts == mode:
            return mode
    raise InputError(f"There are no prompts {prompts!r}; name one of {', '.join(modes)}.")
