"""``pqcomq compare``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pqcomq.atomic_files import check_folder, together
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
    WithPatient,
    opened,
    truth_of,
    window_of,
)
from pqcomq.cli.terminal.output import print_json, print_table, print_written
from pqcomq.cli.terminal.progress_bar import followed
from pqcomq.errors import printable
from pqcomq.masks.file_formats import mask_kind, sidecar
from pqcomq.research_only import RESEARCH_ONLY
from pqcomq.volumes.path_checks import is_folder

if TYPE_CHECKING:
    from pqcomq.comparison.comparison_result import ComparisonResult
    from pqcomq.comparison.model_result import Comparison
    from pqcomq.masks.named_mask import NamedMask

MASK_NAMES = ("full_precision", "quantized")
"""File names of the two masks, without their ending."""


def compare(
    context: typer.Context,
    volume: Annotated[Path, typer.Argument(help="NIfTI file, DICOM file or DICOM folder.")],
    weights: Annotated[Path, typer.Option(help="Quantized weights.", metavar="FILE")],
    out: Annotated[Path, typer.Option(help="Folder for comparison.json, .csv and .png.", metavar="DIR")],
    checkpoint: Checkpoint = None,
    labels: Annotated[Path | None, typer.Option(help="Ground truth on the volume's voxels.", metavar="FILE")] = None,
    label: Annotated[int | None, typer.Option(help="Number of the label in it.")] = None,
    labels_part: LabelsPart = None,
    box: Box = None,
    point: PointOption = None,
    negative_point: NegativePointOption = None,
    slices: PointSlices = None,
    scribble: ScribbleOption = None,
    box_unit: BoxUnitOption = BoxUnit.voxels,
    prompts: Annotated[
        Prompting,
        typer.Option(help="propagate: each model prompts itself from slice to slice; same: your box on every slice."),
    ] = Prompting.propagate,
    masks: Annotated[str | None, typer.Option(help=f"Also write both masks: {MASK_ENDINGS}.", metavar="ENDING")] = None,
    name: Annotated[str, typer.Option(help="What the box encloses, e.g. 'right kidney'.")] = "object",
    with_patient: WithPatient = False,
    window: WindowOption = None,
    series: Series = None,
    part: Part = None,
    remedy: Remedies = None,
    modality: ModalityOption = None,
    runtime: RuntimeOption = Runtime.auto,
    device: DeviceOption = None,
    overwrite: Overwrite = False,
    json: AsJson = False,
) -> None:
    """Compare a quantized model with the full-precision model that it was made from."""
    if labels is None:
        refuse_idle(context, "there are no --labels", "labels_part")
    if masks is None:
        refuse_idle(context, "it is of the files of --masks", "with_patient", "name")
    is_folder(volume)  # told before torch is imported, which takes seconds

    from pqcomq.backends.fastest import settled, with_device
    from pqcomq.cli.terminal.prompt_options import single_prompt
    from pqcomq.comparison.compare import compare as run_comparison
    from pqcomq.comparison.compared_model import ComparedModel, check_same_source
    from pqcomq.comparison.presentation.result_files import COMPARISON_FILES, write_comparison
    from pqcomq.dicom_masks.referenced_series import source_series
    from pqcomq.masks.write_masks import export_masks
    from pqcomq.models.registry import load_model
    from pqcomq.quantization.files.weights_file import load_weights

    mask_paths = [] if masks is None else [out / f"{side}.{masks.removeprefix('.')}" for side in MASK_NAMES]
    files = [file.name for path in mask_paths for file in (path, sidecar(path))]
    check_folder(out, [*COMPARISON_FILES, *files], overwrite=overwrite)
    opened_volume = opened(volume, series, modality, part, remedy)
    if any(mask_kind(path).is_dicom for path in mask_paths):
        source_series(opened_volume, keep_identity=with_patient)  # told before the long work
    checked = single_prompt(box or [], point or [], negative_point or [], slices, box_unit, opened_volume, scribble)
    truth = truth_of(labels, label, opened_volume, labels_part, remedy)
    quantized = load_weights(weights)
    full = load_model(quantized.segmenter.key, checkpoint)
    check_same_source(full, quantized, weights)
    full.check_prompts(checked.kinds)
    taken = settled(with_device(runtime, device), [quantized])
    work = run_comparison(
        opened_volume,
        checked,
        ComparedModel.full(full, taken.in_full_precision),
        [ComparedModel.quantized(quantized, taken)],
        name=printable(name),  # of letters that files can hold
        mode=prompts.value,
        window=window_of(window),
        truth=truth,
    )
    result = followed(work, f"{full.title}, FP32 and {quantized.segmenter.precision}")
    (comparison,) = result.comparisons
    with together(out):
        paths = write_comparison(comparison, opened_volume, out, truth=truth, overwrite=overwrite)
        for path, named in zip(mask_paths, _masks(result), strict=False):
            paths += export_masks(path, {1: named}, opened_volume, with_patient=with_patient, overwrite=overwrite)
    if json:
        print_json(comparison.to_dict())
    else:
        print_comparison(comparison)
        print_written(paths)


def _masks(result: ComparisonResult) -> Iterator[NamedMask]:
    """Both masks, in the order of ``MASK_NAMES``, each made when it is asked for."""
    from pqcomq.masks.named_mask import NamedMask
    from pqcomq.masks.origin import Origin

    (found,) = result.objects
    for model, drawn in zip(result.models, found.results, strict=True):
        mask = drawn.mask_in(result.volume.grid.shape_zyx)
        yield NamedMask(found.name, mask, Origin.of(model.as_run, found.prompt, found.mode, found.window, mask))


def print_comparison(comparison: Comparison) -> None:
    """The table for people."""
    from pqcomq.comparison.presentation.comparison_text import comparison_rows, side_title
    from pqcomq.comparison.presentation.speed_text import remark_on_speed

    reference, candidate = comparison.reference, comparison.candidate
    remark = remark_on_speed(comparison)
    print_table(
        f"{comparison.volume_name}, slices {comparison.prompt.first} to {comparison.prompt.last}",
        ["", side_title(reference), side_title(candidate)],
        comparison_rows(comparison),
        caption=" ".join(filter(None, [remark and f"{remark}.", candidate.execution.why, RESEARCH_ONLY])),
    )
