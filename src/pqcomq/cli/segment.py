"""``pqcomq segment``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pqcomq.backends.runtime import Runtime
from pqcomq.cli.terminal.boxes import BoxUnit
from pqcomq.cli.terminal.idle_options import refuse_idle
from pqcomq.cli.terminal.options import (
    MASK_ENDINGS,
    AsJson,
    Box,
    BoxUnitOption,
    Checkpoint,
    DeviceOption,
    ModalityOption,
    ModelKey,
    NegativePointOption,
    Overwrite,
    Part,
    PointOption,
    PointSlices,
    Prompting,
    Remedies,
    RuntimeOption,
    ScribbleOption,
    Series,
    WindowOption,
    WithPatient,
    object_names,
    opened,
    window_of,
)
from pqcomq.cli.terminal.output import print_json, print_lines
from pqcomq.cli.terminal.progress_bar import followed
from pqcomq.errors import InputError
from pqcomq.masks.file_formats import mask_kind
from pqcomq.progress import Stopwatch, translated
from pqcomq.volumes.path_checks import is_folder
from pqcomq.wording import counted

if TYPE_CHECKING:
    from pqcomq.masks.named_mask import NamedMask
    from pqcomq.models.segmenter import Segmenter
    from pqcomq.quantization.quantized_model import QuantizedModel
    from pqcomq.segmentation.cascade import CascadeRunner
    from pqcomq.segmentation.prompt import Prompt
    from pqcomq.segmentation.slice_runner import SliceRunner
    from pqcomq.volumes.volume import Volume
    from pqcomq.volumes.window import Window


def segment(
    context: typer.Context,
    volume: Annotated[Path, typer.Argument(help="NIfTI file, DICOM file or DICOM folder.")],
    out: Annotated[
        Path, typer.Option(help=f"Mask to write, on the volume's own grid: {MASK_ENDINGS}.", metavar="FILE")
    ],
    model: Annotated[ModelKey | None, typer.Option(help="Model in full precision.")] = None,
    weights: Annotated[Path | None, typer.Option(help="Quantized weights instead of a model.", metavar="FILE")] = None,
    checkpoint: Checkpoint = None,
    prompts: Annotated[
        Prompting, typer.Option(help="Prompts of the slices beside the middle one.")
    ] = Prompting.propagate,
    name: Annotated[
        list[str] | None,
        typer.Option(help="What a box encloses, e.g. 'right kidney'; once for each box or scribble, in order."),
    ] = None,
    box: Box = None,
    point: PointOption = None,
    negative_point: NegativePointOption = None,
    slices: PointSlices = None,
    scribble: ScribbleOption = None,
    box_unit: BoxUnitOption = BoxUnit.voxels,
    with_patient: WithPatient = False,
    window: WindowOption = None,
    series: Series = None,
    part: Part = None,
    remedy: Remedies = None,
    modality: ModalityOption = None,
    runtime: RuntimeOption = Runtime.auto,
    device: DeviceOption = None,
    cascade: Annotated[
        str | None,
        typer.Option(
            help="With --weights: ask full precision again on slices where the quantized model's stability score is "
            "below this, e.g. 0.8, or below what a folder of a cohort's results tells for these weights.",
            metavar="SCORE|DIR",
        ),
    ] = None,
    overwrite: Overwrite = False,
    json: AsJson = False,
) -> None:
    """Segment what a box, points or a scribble ask for; several boxes or scribbles make one file with a label each."""
    if (model is None) == (weights is None):
        raise InputError("name either --model or --weights")
    if cascade is not None and weights is None:
        raise InputError("--cascade sends slices from a quantized model to full precision, so it needs --weights")
    if weights is not None and cascade is None:
        refuse_idle(context, "--weights hold all that runs, unless --cascade asks full precision", "checkpoint")
    is_folder(volume)  # told before torch is imported, which takes seconds

    import numpy as np

    from pqcomq.backends.fastest import with_device
    from pqcomq.backends.openvino_model import on_runtime
    from pqcomq.cli.terminal.prompt_options import prompts_of
    from pqcomq.dicom_masks.referenced_series import source_series
    from pqcomq.masks.write_masks import check_mask_targets, export_masks
    from pqcomq.models.registry import load_model
    from pqcomq.quantization.files.weights_file import load_weights
    from pqcomq.quantization.quantized_model import QuantizedModel
    from pqcomq.segmentation.cascade import CascadeRunner
    from pqcomq.segmentation.slice_runner import SliceRunner
    from pqcomq.volumes.intensity_window import default_window

    check_mask_targets(out, overwrite=overwrite)
    opened_volume = opened(volume, series, modality, part, remedy, tells=json)
    asked = prompts_of(box or [], point or [], negative_point or [], slices, box_unit, opened_volume, scribble)
    names = object_names(name or [], len(asked))
    if mask_kind(out).is_dicom:
        source_series(opened_volume, keep_identity=with_patient)  # told before the long work
    chosen = window_of(window) or default_window(opened_volume.modality, opened_volume.voxels)
    loaded = load_weights(weights) if weights else load_model(str(model.value), checkpoint)  # type: ignore[union-attr]
    threshold = None if cascade is None else _threshold(cascade, loaded)
    for each in asked:
        (loaded.segmenter if isinstance(loaded, QuantizedModel) else loaded).check_prompts(each.kinds)
    runtime = with_device(runtime, device)
    segmenter = on_runtime(loaded, runtime)
    ran = replace(loaded, segmenter=segmenter) if isinstance(loaded, QuantizedModel) else segmenter
    runner = SliceRunner(segmenter, opened_volume, chosen)
    if threshold is not None:
        full = _full_precision(loaded, checkpoint, runtime)
        runner = CascadeRunner(segmenter, full, threshold, opened_volume, chosen)
    named = list(zip(names, asked, strict=True))
    made = _segmented(ran, runner, named, prompts, chosen, opened_volume)
    paths = export_masks(out, made, opened_volume, with_patient=with_patient, overwrite=overwrite)
    voxel = opened_volume.grid.voxel_millilitres
    volumes = [float(np.count_nonzero(each.mask)) * voxel for each in made.values()]
    if json:
        objects = [{"name": title, "volume_ml": volume} for title, volume in zip(names, volumes, strict=True)]
        print_json(_described(segmenter, runner, sum(volumes), paths) | {"objects": objects})
        return
    model_title = f"{segmenter.title} {segmenter.precision}"
    lines = [
        f"{title}: {volume:.1f} mL on {counted(len(checked.slices), 'slice')}, {model_title}"
        for (title, checked), volume in zip(named, volumes, strict=True)
    ]
    if isinstance(runner, CascadeRunner):
        small, big = runner.seconds
        sent = f"{len(runner.sent)} of {counted(len(runner.decoder_ms), 'prompt')} sent on to full precision"
        lines.append(f"{sent}, whose networks took {big:.1f} s; the quantized model's took {small:.1f} s")
    why = [segmenter.execution.why] if segmenter.execution.why else []
    print_lines([*opened_volume.notes, *lines, *why, f"wrote {out}", f"wrote {paths[1]}: how it was made"])


def _segmented(
    model: Segmenter | QuantizedModel,
    runner: SliceRunner,
    asked: list[tuple[str, Prompt]],
    prompts: Prompting,
    window: Window,
    volume: Volume,
) -> dict[int, NamedMask]:
    """The objects by their numbers, each with the record of how it was made.

    Args:
        model: as it runs, for the records.
        runner: of it on the volume.
        asked: names and prompts of the objects.
        prompts: where those of other slices come from.
        window: of the model's input.
        volume: that is segmented.
    """
    from pqcomq.masks.named_mask import NamedMask
    from pqcomq.masks.origin import Origin
    from pqcomq.segmentation.cascade import CascadeRunner
    from pqcomq.segmentation.propagation import segment_prompt

    made: dict[int, NamedMask] = {}
    title = f"{runner.segmenter.title}, {runner.segmenter.precision}"
    told, watch = 0, Stopwatch(sum(len(prompt.slices) for _name, prompt in asked))  # one for all objects
    for number, (name, prompt) in enumerate(asked, start=1):
        work = translated(segment_prompt(runner, prompt, prompts.value), lambda progress: watch.step(progress.text))
        mask = followed(work, f"{name}: {title}").in_volume(volume.grid.shape_zyx)
        origin = Origin.of(model, prompt, prompts.value, window, mask)
        if isinstance(runner, CascadeRunner):
            sent = sorted(runner.sent[told:])
            origin = replace(origin, cascade={"threshold": runner.threshold, "full_precision_slices": sent})
            told = len(runner.sent)
        made[number] = NamedMask(name, mask, origin)
    return made


def _threshold(given: str, loaded: Segmenter | QuantizedModel) -> float:
    """A stability score, as a number or as a cohort has told it for these weights.

    Raises:
        InputError: it is neither, or the cohort tells none.
    """
    from pqcomq.cli.terminal.output import print_note
    from pqcomq.cli.terminal.stability_score import stability_score
    from pqcomq.cohort.cohort_result import CohortResult
    from pqcomq.cohort.statistics.cascade_threshold import CascadeThreshold
    from pqcomq.quantization.quantized_model import QuantizedModel

    score = stability_score(given)
    if score is not None:
        return score
    segmenter = loaded.segmenter if isinstance(loaded, QuantizedModel) else loaded
    found = CascadeThreshold.of(CohortResult.at(Path(given)), segmenter.fingerprint)
    print_note(found.sentence)
    return found.threshold


def _full_precision(loaded: Segmenter | QuantizedModel, checkpoint: Path | None, runtime: Runtime) -> Segmenter:
    """The model that a quantized one was made from, ready to run.

    Raises:
        InputError: the checkpoint is another one.
    """
    from pqcomq.backends.fastest import settled
    from pqcomq.backends.openvino_model import on_runtime
    from pqcomq.comparison.compared_model import check_same_source
    from pqcomq.models.registry import load_model
    from pqcomq.quantization.quantized_model import QuantizedModel

    if not isinstance(loaded, QuantizedModel):
        raise ValueError("a cascade needs a quantized model")
    full = load_model(loaded.segmenter.key, checkpoint)
    check_same_source(full, loaded)
    return on_runtime(full, settled(runtime, [loaded]).in_full_precision)


def _described(segmenter: Segmenter, runner: SliceRunner, millilitres: float, paths: list[Path]) -> dict[str, object]:
    from pqcomq.comparison.measures.latency import Latency
    from pqcomq.segmentation.cascade import CascadeRunner

    return {
        "file": str(paths[0]),
        "record": str(paths[1]),
        "model": segmenter.title,
        "precision": segmenter.precision,
        "execution": segmenter.execution.to_dict(),
        "checkpoint_sha256": segmenter.checkpoint_sha256,
        "volume_ml": millilitres,
        "encoder": Latency.of(list(runner.encoder_ms.values())).to_dict(),
        "decoder": Latency.of(runner.decoder_ms).to_dict(),
        **(_sent_on(runner) if isinstance(runner, CascadeRunner) else {}),
    }


def _sent_on(runner: CascadeRunner) -> dict[str, object]:
    small, full = runner.seconds
    return {
        "sent_to_full_precision": runner.sent,
        "seconds_of_the_quantized_model": small,
        "seconds_of_full_precision": full,
    }
