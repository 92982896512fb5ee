"""``pqcomq demo``."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from pqcomq.atomic_files import check_folder
from pqcomq.backends.runtime import Runtime
from pqcomq.cli.terminal.idle_options import refuse_idle
from pqcomq.cli.terminal.options import Overwrite
from pqcomq.cli.terminal.output import print_lines, print_written
from pqcomq.cli.terminal.progress_bar import followed
from pqcomq.cli.terminal.statuses import FAULT, PASSED, Answer
from pqcomq.errors import InputError
from pqcomq.quantization.algorithm.config import BIT_WIDTHS

_ORGAN = "right kidney"

DEMO_SLICES = 2
"""Of calibration, on the sample itself: enough for a first look."""

_WINDOW = "napari_pqcomq.demo"
"""Started as a program of its own: the engine does not import its plugin."""


def demo(
    context: typer.Context,
    headless: Annotated[bool, typer.Option("--headless", help="No window: write PNG, JSON and CSV.")] = False,
    out: Annotated[Path, typer.Option(help="Folder for the files of --headless.")] = Path("pqcomq-demo"),
    bits: Annotated[int, typer.Option(help=f"Bit width: {', '.join(map(str, BIT_WIDTHS))}.")] = 4,
    overwrite: Overwrite = False,
) -> None:
    """Quantize LiteMedSAM and compare it on a synthetic abdominal CT: all of it on this machine, no network."""
    if bits not in BIT_WIDTHS:
        raise InputError(f"bit width {bits}: choose one of {', '.join(map(str, BIT_WIDTHS))}")
    if headless:
        _run(out, bits, overwrite=overwrite)
    else:
        refuse_idle(context, "it belongs to --headless, and the window writes no files", "out", "overwrite")
        _open_window(bits)


def _run(out: Path, bits: int, *, overwrite: bool) -> None:
    """Everything that the window does, into files."""
    from pqcomq.backends.fastest import settled
    from pqcomq.cli.compare import print_comparison
    from pqcomq.comparison.compare import compare
    from pqcomq.comparison.compared_model import ComparedModel
    from pqcomq.comparison.presentation.result_files import COMPARISON_FILES, write_comparison
    from pqcomq.models.registry import load_model
    from pqcomq.quantization.calibration.slices import calibrate_on
    from pqcomq.quantization.planning.presets import quick_config
    from pqcomq.quantization.quantize_model import quantize_model
    from pqcomq.samples.synthetic_ct import synthetic_ct

    check_folder(out, COMPARISON_FILES, overwrite=overwrite)
    sample = synthetic_ct()
    label = next(number for number, name in sample.names.items() if name == _ORGAN)
    full = load_model("lite-medsam")
    settings = quick_config(full.key, bits)
    calibration = calibrate_on([sample.volume], DEMO_SLICES)
    print_lines(
        [
            f"A first look: calibrated on {DEMO_SLICES} slices of the sample itself, one width for all layers; "
            "pqcomq quantize takes more and chooses widths."
        ]
    )
    quantized = followed(quantize_model(full, calibration, settings), f"{full.title}, {settings.title}")
    truth = sample.labels == label
    taken = settled(Runtime.auto, [quantized])
    work = compare(
        sample.volume,
        sample.boxes[label],
        ComparedModel.full(full, taken.in_full_precision),
        [ComparedModel.quantized(quantized, taken)],
        name=_ORGAN,
        mode="propagate",
        truth=truth,
    )
    (comparison,) = followed(work, f"Comparing on the {sample.names[label]}").comparisons
    paths = write_comparison(comparison, sample.volume, out, truth=truth, overwrite=overwrite)
    print_comparison(comparison)
    print_written(paths)


def _open_window(bits: int) -> None:
    """Run the plugin's demo in a process of its own.

    Raises:
        InputError: napari is not installed, or there is no screen.
    """
    if importlib.util.find_spec("napari") is None or importlib.util.find_spec("napari_pqcomq") is None:
        raise InputError(
            'the window needs napari, which is not installed: pip install "napari-pqcomq[napari]", '
            "or run the demo with --headless"
        )
    screenless = sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or os.environ.get("QT_QPA_PLATFORM")
    )
    if screenless:
        raise InputError("there is no screen here; run the demo with --headless")
    finished = subprocess.run([sys.executable, "-m", _WINDOW, str(bits)], check=False)  # noqa: S603
    raise Answer(FAULT if finished.returncode else PASSED)  # the window answers nothing
