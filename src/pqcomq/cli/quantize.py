"""``pqcomq quantize``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pqcomq.cli.options import (
    DEFAULT_METHOD,
    DEFAULT_MODEL,
    AsJson,
    Checkpoint,
    MethodKey,
    ModalityOption,
    ModelKey,
    Overwrite,
    WindowOption,
    opened,
    window_of,
)
from pqcomq.cli.output import print_json, print_lines
from pqcomq.cli.progress import followed
from pqcomq.comparison.result import MEGABYTE
from pqcomq.errors import InputError
from pqcomq.models.registry import load_model
from pqcomq.quantization.settings import BIT_WIDTHS, QuantizationSettings
from pqcomq.quantized.calibration import DEFAULT_SLICES, calibrate_on
from pqcomq.quantized.run import quantize_model
from pqcomq.quantized.weights_file import manifest, save_weights
from pqcomq.whole_files import check_target


def quantize(
    bits: Annotated[int, typer.Option(help=f"Bit width: {', '.join(map(str, BIT_WIDTHS))}.")],
    calibration: Annotated[
        list[Path], typer.Option(help="Volumes to calibrate on; several may follow.", metavar="VOLUME...")
    ],
    out: Annotated[Path, typer.Option(help="File to write, ending in .safetensors.", metavar="FILE")],
    model: Annotated[ModelKey, typer.Option(help="Model to quantize.")] = DEFAULT_MODEL,
    checkpoint: Checkpoint = None,
    method: Annotated[MethodKey, typer.Option(help="rtn: round to nearest.")] = DEFAULT_METHOD,
    calibration_slices: Annotated[int, typer.Option(min=1, help="Slices in all.")] = DEFAULT_SLICES,
    window: WindowOption = None,
    modality: ModalityOption = None,
    overwrite: Overwrite = False,
    json: AsJson = False,
) -> None:
    """Quantize a model's image encoder and save it as one packed file."""
    if bits not in BIT_WIDTHS:
        raise InputError(f"bit width {bits}: choose one of {', '.join(map(str, BIT_WIDTHS))}")
    if out.suffix != ".safetensors":
        raise InputError(f"{out}: quantized weights are written to a file that ends in .safetensors")
    check_target(out, overwrite=overwrite)
    volumes = [opened(path, None, modality) for path in calibration]
    slices = calibrate_on(volumes, calibration_slices, window_of(window))
    full = load_model(model.value, checkpoint)
    settings = QuantizationSettings.default(bits, method.value)  # type: ignore[arg-type]
    quantized = followed(quantize_model(full, slices, settings), f"{full.title}, {settings.title}")
    save_weights(quantized, out, overwrite=overwrite)
    size = out.stat().st_size
    if json:
        print_json({"file": str(out), "file_bytes": size} | manifest(quantized))
        return
    error = sum(quantized.layer_errors.values()) / len(quantized.layer_errors)
    print_lines(
        [
            f"wrote {out}: {size / MEGABYTE:.1f} MB, checkpoint {full.checkpoint_bytes / MEGABYTE:.1f} MB",
            f"{full.title}, {settings.title}: {quantized.effective_bits:.2f} effective bits per encoder weight, "
            f"mean layer error {error:.2e} of the output energy on {len(slices.slices)} calibration slices",
        ]
    )
