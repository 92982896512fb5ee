"""``pqcomq evaluate``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pqcomq.atomic_files import check_folder
from pqcomq.backends.runtime import Runtime
from pqcomq.cli.terminal.options import (
    AsJson,
    Checkpoint,
    DeviceOption,
    LabelsPart,
    ModalityOption,
    Overwrite,
    Part,
    Remedies,
    RuntimeOption,
    Series,
    WindowOption,
    labels_on,
    opened,
    window_of,
)
from pqcomq.cli.terminal.output import print_json, print_table, print_written
from pqcomq.cli.terminal.progress_bar import followed
from pqcomq.research_only import RESEARCH_ONLY
from pqcomq.volumes.path_checks import is_folder
from pqcomq.wording import counted

if TYPE_CHECKING:
    from pqcomq.comparison.evaluate import Evaluation


class PromptKind(StrEnum):
    """What a slice is prompted with."""

    box = "box"
    point = "point"
    both = "box and point"


def evaluate(
    volume: Annotated[Path, typer.Option(help="NIfTI file, DICOM file or DICOM folder.")],
    labels: Annotated[
        Path, typer.Option(help="Ground truth on the volume's voxels: NIfTI, NRRD, MetaImage, DICOM SEG or RTSTRUCT.")
    ],
    label: Annotated[list[int], typer.Option(help="Labels to segment; several may follow.", metavar="N...")],
    weights: Annotated[
        list[Path], typer.Option(help="Quantized weights of one model; several may follow.", metavar="FILE...")
    ],
    out: Annotated[Path, typer.Option(help="Folder for evaluation.json and .csv.", metavar="DIR")],
    checkpoint: Checkpoint = None,
    most_slices: Annotated[int, typer.Option(min=1, help="Evenly spread slices for each label at most.")] = 8,
    least_voxels: Annotated[int, typer.Option(min=1, help="Leave out slices with fewer label voxels.")] = 50,
    margin: Annotated[int, typer.Option(min=0, help="Voxels by which a label's tight box is grown.")] = 2,
    prompt: Annotated[
        PromptKind,
        typer.Option(help="What each slice is prompted with; the point is the one deepest inside the label."),
    ] = PromptKind.box,
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
    """Score full precision and quantized weights against ground truth, organ by organ, prompted from the labels."""
    is_folder(volume)  # told before torch is imported, which takes seconds

    from pqcomq.backends.fastest import settled, with_device
    from pqcomq.comparison.compared_model import ComparedModel, check_same_source
    from pqcomq.comparison.evaluate import Protocol
    from pqcomq.comparison.evaluate import evaluate as run_evaluation
    from pqcomq.comparison.presentation.result_files import EVALUATION_FILES, write_evaluation
    from pqcomq.models.registry import load_model
    from pqcomq.quantization.files.weights_file import load_weights
    from pqcomq.quantization.quantized_model import with_unique_names

    check_folder(out, EVALUATION_FILES, overwrite=overwrite)
    opened_volume = opened(volume, series, modality, part, remedy)
    truth = labels_on(opened_volume, labels, label, labels_part, remedy).single(labels)
    models = with_unique_names([load_weights(path) for path in weights])
    full = load_model(models[0].segmenter.key, checkpoint)
    for path, model in zip(weights, models, strict=True):
        check_same_source(full, model, path)
    taken = settled(with_device(runtime, device), models)
    compared_models = [ComparedModel.full(full)]
    if taken.runtime is not Runtime.torch:
        # As people run it today, and the best that the same runtime gives.
        compared_models.append(ComparedModel.full(full, taken.in_full_precision))
    compared_models += [ComparedModel.quantized(model, taken) for model in models]
    work = run_evaluation(
        opened_volume,
        truth,
        label,
        compared_models,
        protocol=Protocol(margin, least_voxels, most_slices, prompt.value),
        window=window_of(window),
    )
    evaluation = followed(work, f"{full.title}, {len(compared_models)} precisions")
    paths = write_evaluation(evaluation, out, overwrite=overwrite)
    if json:
        print_json(evaluation.to_dict())
    else:
        _print(evaluation)
        print_written(paths)


def _print(evaluation: Evaluation) -> None:
    """All precisions over all labels, then label by label."""
    from pqcomq.comparison.presentation.evaluation_table import evaluation_table

    first = evaluation.summaries[0]
    prompts = counted(len(evaluation.prompts) // len(evaluation.summaries), "prompt")
    title = f"{evaluation.volume_name}: {first.model}, {prompts}"
    columns, rows = evaluation_table(evaluation.summaries)
    caption = (
        "worst: the worst prompt. bits: effective, per quantized weight. simulated: low bits run widened to FP32. "
    )
    caption += " ".join(filter(None, [evaluation.summaries[-1].execution.why, RESEARCH_ONLY]))
    print_table(title, columns, rows, caption)
    labels = list(first.dice_by_label)
    count = len(evaluation.summaries)
    by_label = []
    for place, each in enumerate(evaluation.summaries):
        own = evaluation.prompts[place::count]  # the models take turns on every prompt
        worst = {label: min(prompt.dice for prompt in own if prompt.label == label) for label in labels}
        by_label.append([each.precision, *(f"{each.dice_by_label[one]:.3f} ({worst[one]:.2f})" for one in labels)])
    print_table(
        "Dice vs ground truth by label, the worst slice in brackets", ["Precision", *map(str, labels)], by_label
    )
