"""``pqcomq segment``."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from pqcomq.cli.options import (
    AsJson,
    Box,
    Checkpoint,
    ModalityOption,
    ModelKey,
    Overwrite,
    Prompts,
    Series,
    WindowOption,
    opened,
    window_of,
)
from pqcomq.cli.output import print_json, print_lines
from pqcomq.cli.progress import followed
from pqcomq.comparison.latency import Latency
from pqcomq.errors import InputError
from pqcomq.models.registry import load_model
from pqcomq.models.segmenter import Segmenter
from pqcomq.progress import Progress, Stopwatch
from pqcomq.quantized.weights_file import load_weights
from pqcomq.segmentation.box import Box3D
from pqcomq.segmentation.propagation import PromptMode, segment_slices
from pqcomq.segmentation.slice_runner import SliceRunner
from pqcomq.volumes.writing import write_mask
from pqcomq.whole_files import check_target


def segment(
    volume: Annotated[Path, typer.Argument(help="NIfTI file, DICOM file or DICOM folder.")],
    box: Box,
    out: Annotated[Path, typer.Option(help="Mask to write, .nii.gz, on the volume's own grid.", metavar="FILE")],
    model: Annotated[ModelKey | None, typer.Option(help="Model in full precision.")] = None,
    weights: Annotated[Path | None, typer.Option(help="Quantized weights instead of a model.", metavar="FILE")] = None,
    checkpoint: Checkpoint = None,
    prompts: Annotated[Prompts, typer.Option(help="Prompts of the slices beside the middle one.")] = Prompts.propagate,
    window: WindowOption = None,
    series: Series = None,
    modality: ModalityOption = None,
    overwrite: Overwrite = False,
    json: AsJson = False,
) -> None:
    """Segment what lies in a box through a volume."""
    if (model is None) == (weights is None):
        raise InputError("name either --model or --weights")
    check_target(out, overwrite=overwrite)
    opened_volume = opened(volume, series, modality)
    checked = Box3D.of(box).checked(opened_volume.grid.shape_zyx)
    segmenter = load_weights(weights).segmenter if weights else load_model(str(model.value), checkpoint)  # type: ignore[union-attr]
    runner = SliceRunner(segmenter, opened_volume, window_of(window))
    mask = followed(_segmented(runner, checked, prompts.value), f"{segmenter.title}, {segmenter.precision}")
    write_mask(out, mask, opened_volume, overwrite=overwrite)
    millilitres = float(np.count_nonzero(mask)) * opened_volume.grid.voxel_millilitres
    if json:
        print_json(_described(segmenter, runner, millilitres, out))
        return
    print_lines(
        [
            *opened_volume.notes,
            f"wrote {out}: {millilitres:.1f} mL on {len(checked.slices)} slices, "
            f"{segmenter.title} {segmenter.precision}",
        ]
    )


def _segmented(runner: SliceRunner, box: Box3D, mode: PromptMode) -> Generator[Progress, None, np.ndarray]:
    """The mask, with progress on the way."""
    mask = np.zeros((runner.slices, *runner.shape), dtype=bool)
    watch = Stopwatch(len(box.slices))
    for z in segment_slices(runner, box, mode, mask):
        yield watch.step(f"slice {z}")
    return mask


def _described(segmenter: Segmenter, runner: SliceRunner, millilitres: float, out: Path) -> dict[str, object]:
    return {
        "file": str(out),
        "model": segmenter.title,
        "precision": segmenter.precision,
        "checkpoint_sha256": segmenter.checkpoint_sha256,
        "volume_ml": millilitres,
        "encoder": Latency.of(list(runner.encoder_ms.values())).to_dict(),
        "decoder": Latency.of(runner.decoder_ms).to_dict(),
    }
