"""``pqcomq report``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pqcomq.atomic_files import check_folder
from pqcomq.backends.runtime import Runtime
from pqcomq.cli.terminal.boxes import BoxUnit
from pqcomq.cli.terminal.idle_options import refuse_idle
from pqcomq.cli.terminal.options import (
    BOX_HELP,
    BOX_METAVAR,
    AsJson,
    BoxUnitOption,
    Checkpoint,
    DeviceOption,
    LabelsPart,
    ModalityOption,
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
    labelled,
    object_names,
    opened,
    window_of,
)
from pqcomq.cli.terminal.output import print_json, print_lines, print_written
from pqcomq.cli.terminal.progress_bar import followed
from pqcomq.comparison.box_movement import SHIFT_PIXELS, BoxMovement
from pqcomq.comparison.tolerance import Tolerance
from pqcomq.errors import InputError
from pqcomq.volumes.path_checks import is_folder

if TYPE_CHECKING:
    from pqcomq.comparison.compare import PromptedObject
    from pqcomq.dicom_masks.mask_object import LabelledObjects
    from pqcomq.segmentation.prompt import Prompt

LeastDice = Annotated[float, typer.Option("--dice", help="Gate: least Dice between the models.", metavar="D")]
MostVolume = Annotated[
    float, typer.Option("--volume-percent", help="Gate: greatest difference of the volumes.", metavar="PERCENT")
]

DoubtBelow = Annotated[
    float,
    typer.Option(
        "--doubt-below", min=0, max=1, help="Stability score below which a slice is called in doubt.", metavar="SCORE"
    ),
]


def report(
    context: typer.Context,
    volume: Annotated[Path, typer.Option(help="NIfTI file, DICOM file or DICOM folder.")],
    weights: Annotated[
        list[Path], typer.Option(help="Quantized weights of one model; several may follow.", metavar="FILE...")
    ],
    out: Annotated[Path, typer.Option(help="Folder of the session: report.html, tables, masks, weights.")],
    box: Annotated[list[str] | None, typer.Option(help=f"{BOX_HELP} One object each.", metavar=BOX_METAVAR)] = None,
    point: PointOption = None,
    negative_point: NegativePointOption = None,
    slices: PointSlices = None,
    scribble: ScribbleOption = None,
    box_unit: BoxUnitOption = BoxUnit.voxels,
    labels: Annotated[Path | None, typer.Option(help="Ground truth on the volume's grid.", metavar="FILE")] = None,
    label: Annotated[
        list[int] | None,
        typer.Option(help="Labels in it: an object each, in a box round its label unless --box says.", metavar="N..."),
    ] = None,
    name: Annotated[list[str] | None, typer.Option(help="Names of the objects, in order.", metavar="NAME...")] = None,
    jitter: Annotated[
        bool, typer.Option(help="Also move the boxes, as a yardstick for what quantization changes.")
    ] = True,
    jitter_px: Annotated[
        int, typer.Option(help="Move the edges of boxes by up to this many pixels, either way.", min=1, metavar="N")
    ] = SHIFT_PIXELS,
    dice: LeastDice = Tolerance.dice,
    volume_percent: MostVolume = Tolerance.volume_percent,
    doubt_below: DoubtBelow = Tolerance.stability,
    checkpoint: Checkpoint = None,
    prompts: Annotated[
        Prompting, typer.Option(help="Prompts of the slices beside the middle one.")
    ] = Prompting.propagate,
    window: WindowOption = None,
    series: Series = None,
    part: Part = None,
    remedy: Remedies = None,
    labels_part: LabelsPart = None,
    modality: ModalityOption = None,
    runtime: RuntimeOption = Runtime.auto,
    device: DeviceOption = None,
    overwrite: Overwrite = False,
    json: AsJson = False,
) -> None:
    """Compare on one or more objects and keep everything in a folder: a page to read, tables, and what replays it."""
    if not jitter:
        refuse_idle(context, "--no-jitter moves no boxes", "jitter_px")
    if labels is None:
        refuse_idle(context, "there are no --labels", "labels_part")
    is_folder(volume)  # told before torch is imported, which takes seconds

    from pqcomq.backends.fastest import settled, with_device
    from pqcomq.cli.terminal.prompt_options import prompts_of
    from pqcomq.comparison.compare import compare_objects
    from pqcomq.comparison.compared_model import ComparedModel, check_same_source
    from pqcomq.models.registry import load_model
    from pqcomq.quantization.files.weights_file import load_weights
    from pqcomq.quantization.quantized_model import with_unique_names
    from pqcomq.session.file_names import MANIFEST, PAGE
    from pqcomq.session.save import manifest, save_session
    from pqcomq.session.session import Session

    tolerance = Tolerance(dice, volume_percent, doubt_below)
    check_folder(out, (PAGE, MANIFEST), overwrite=overwrite)
    opened_volume = opened(volume, series, modality, part, remedy)
    movement = BoxMovement(jitter_px) if jitter else None
    marks = point or [], negative_point or []
    is_asked = box or slices or scribble or any(marks)
    given = prompts_of(box or [], *marks, slices, box_unit, opened_volume, scribble) if is_asked else []
    truth = labelled(labels, label or [], opened_volume, labels_part, remedy)
    asked = _objects(given, truth, label or [], name or [], movement)
    models = with_unique_names([load_weights(path) for path in weights])
    full = load_model(models[0].segmenter.key, checkpoint)
    for path, model in zip(weights, models, strict=True):
        check_same_source(full, model, path)
    taken = settled(with_device(runtime, device), models)
    reference = ComparedModel.full(full, taken.in_full_precision)
    candidates = [ComparedModel.quantized(model, taken) for model in models]
    work = compare_objects(opened_volume, asked, reference, candidates, mode=prompts.value, window=window_of(window))
    result = followed(work, f"{', '.join(each.name for each in asked)}, {1 + len(candidates)} precisions")
    session = Session(result, tolerance)
    paths = save_session(session, out, overwrite=overwrite)
    if json:
        print_json(manifest(session))
    else:
        print_lines(verdict.sentence for verdict in session.verdicts)
        print_written(path for path in paths if path.parent == out)


def _objects(
    prompts: Sequence[Prompt],
    truth: LabelledObjects | None,
    label: Sequence[int],
    names: Sequence[str],
    movement: BoxMovement | None,
) -> list[PromptedObject]:
    """What is asked for: names, prompts and ground truths.

    Raises:
        InputError: neither a box nor labels, or options that do not go together.
    """
    from pqcomq.comparison.compare import PromptedObject
    from pqcomq.segmentation.box import Box3D
    from pqcomq.segmentation.prompt import Prompt
    from pqcomq.session.session import check_names

    if label and prompts and max(len(label), len(prompts)) > 1:
        raise InputError(
            "--box, --point and --scribble are of one object; with several labels each gets the box round its own."
        )
    count = max(1, len(label), len(prompts))
    called = object_names(names, count) if names or truth is None else [truth.names[number] for number in label]
    check_names(called)  # before the long work
    if truth is None:
        if not prompts:
            raise InputError("Name what to segment: --box, --point or --scribble, or --labels and --label.")
        return [PromptedObject(each, prompt, movement=movement) for each, prompt in zip(called, prompts, strict=True)]
    found = []
    for name, number in zip(called, label, strict=True):
        mask = truth.mask(number)
        prompt = prompts[0] if prompts else Prompt(Box3D.around(mask))
        found.append(PromptedObject(name, prompt, mask, movement=movement))
    return found
