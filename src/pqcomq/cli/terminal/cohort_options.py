"""Options of ``pqcomq cohort``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pqcomq.backends.runtime import Runtime
from pqcomq.cli.terminal.options import RUNTIME_HELP, MethodKey, ModalityKey, ModelKey


class CalibrateOn(StrEnum):
    """Whose images quantization sees."""

    others = "others"
    own = "own"
    leave_one_out = "leave-one-out"


Out = Annotated[Path, typer.Option(help="Folder of the results; an interrupted run goes on there.", metavar="DIR")]
DataSet = Annotated[
    Path | None,
    typer.Argument(
        help="nnU-Net data set, folder of case folders (image.* and labels.*, or DICOM with a SEG or RTSTRUCT), or "
        "manifest (.csv, .parquet) with the columns case, image, labels and, as you like, modality, window, "
        "patient, site, label_numbers."
    ),
]
Weights = Annotated[
    list[Path] | None, typer.Option(help="Quantized weights of one model; several may follow.", metavar="FILE...")
]
ModelToQuantize = Annotated[ModelKey, typer.Option(help="Model to quantize, where no weights are given.")]
Bits = Annotated[
    list[int] | None, typer.Option(help="Bit widths to quantize to: 8, 4, 2; several may follow.", metavar="N...")
]
Methods = Annotated[
    list[MethodKey] | None, typer.Option(help="Methods to quantize by; several may follow.", metavar="METHOD...")
]
CalibrationVolumes = Annotated[
    list[Path] | None,
    typer.Option(
        help="Volumes to calibrate on, of other patients. By default two patients of the cohort, which are then "
        "not scored.",
        metavar="VOLUME...",
    ),
]
CalibratedOnWhom = Annotated[
    list[CalibrateOn] | None,
    typer.Option(
        help="others: volumes of other patients, as --calibration says; own: each case's own volume, without its "
        "labels; leave-one-out: all other patients of the cohort. The last two quantize for every case anew. "
        "Several may follow.",
        metavar="others|own|leave-one-out...",
    ),
]
Labels = Annotated[
    list[str] | None, typer.Option(help="Labels to score, by name or number; all by default.", metavar="LABEL...")
]
PromptedByOption = Annotated[
    list[str] | None,
    typer.Option(
        help="slice: every slice by its own label's box; organ: a 3-D box, each model following its own masks. "
        "Both by default. A cohort is prompted by boxes alone, whatever else a model takes.",
        metavar="slice|organ",
    ),
]
MostSlices = Annotated[int, typer.Option(min=1, help="Evenly spread slices a label; 1 is the middle one.")]
LeastVoxels = Annotated[int, typer.Option(min=1, help="Leave out slices with fewer label voxels.")]
BoxMargin = Annotated[int, typer.Option(min=0, help="Voxels by which a label's tight box is grown.")]
Jitter = Annotated[int, typer.Option(min=0, help="Voxels by which each edge of a box is moved at random.")]
Yardstick = Annotated[
    int, typer.Option(min=0, help="The same for a second box in full precision, to compare with; 0 for none.")
]
Seed = Annotated[int, typer.Option(min=0, help="Of all random movements and draws.")]
WorkerCount = Annotated[
    int | None, typer.Option(min=1, help="Processes on this machine; by default as cores and memory allow.")
]
Threads = Annotated[int, typer.Option(min=1, help="Threads of each worker.")]
Scheduler = Annotated[str, typer.Option(help="Address of a running Dask scheduler.", metavar="ADDRESS")]
Shard = Annotated[str, typer.Option(help="Only every n-th case from the i-th on, for array jobs.", metavar="i/n")]
Synthetic = Annotated[int | None, typer.Option(min=1, help="Synthetic patients instead of a data set.", metavar="N")]
UntoldModality = Annotated[
    ModalityKey | None,
    typer.Option(
        help="Of volumes for which neither the manifest nor a DICOM header tells; by default told from the values."
    ),
]
Runtimes = Annotated[
    list[Runtime] | None,
    typer.Option(help=f"{RUNTIME_HELP} Several may follow.", metavar="RUNTIME...", show_default="auto"),
]
