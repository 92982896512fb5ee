"""``pqcomq bench``."""

from __future__ import annotations

import json as json_format
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pqcomq.atomic_files import check_folder, replacing, together
from pqcomq.backends.runtime import Runtime
from pqcomq.cli.terminal.idle_options import refuse_idle
from pqcomq.cli.terminal.options import (
    DEFAULT_MODEL,
    AsJson,
    Checkpoint,
    LabelsPart,
    ModalityOption,
    ModelKey,
    Overwrite,
    Part,
    Remedies,
    Series,
    labels_on,
    opened,
)
from pqcomq.cli.terminal.output import print_json, print_note, print_table, print_written
from pqcomq.cli.terminal.progress_bar import followed
from pqcomq.errors import InputError
from pqcomq.research_only import RESEARCH_ONLY
from pqcomq.volumes.path_checks import is_folder
from pqcomq.wording import counted

if TYPE_CHECKING:
    from pqcomq.comparison.benchmark import Benchmark
    from pqcomq.comparison.compared_model import ComparedModel
    from pqcomq.models.segmenter import Segmenter
    from pqcomq.quantization.quantized_model import QuantizedModel

BENCH_FILES = ("bench.json", "bench.png")


def bench(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="Folder for bench.json and bench.png.", metavar="DIR")],
    model: Annotated[ModelKey, typer.Option(help="Model.")] = DEFAULT_MODEL,
    checkpoint: Checkpoint = None,
    weights: Annotated[
        list[Path] | None, typer.Option(help="Quantized weights of it; several may follow.", metavar="FILE...")
    ] = None,
    volume: Annotated[Path | None, typer.Option(help="By default the synthetic CT.", metavar="VOLUME")] = None,
    labels: Annotated[Path | None, typer.Option(help="Its ground truth.", metavar="FILE")] = None,
    label: Annotated[list[int] | None, typer.Option(help="Labels; several may follow.", metavar="N...")] = None,
    series: Series = None,
    part: Part = None,
    remedy: Remedies = None,
    labels_part: LabelsPart = None,
    modality: ModalityOption = None,
    most_slices: Annotated[int, typer.Option(min=1, help="Slices for each label.")] = 2,
    published_passes: Annotated[
        int, typer.Option(min=0, help="Passes of the authors' own encoder, as people run it in torch; 0 for none.")
    ] = 3,
    quick: Annotated[
        bool, typer.Option("--quick", help="A first look: one slice for each label, one pass of the authors' code.")
    ] = False,
    overwrite: Overwrite = False,
    json: AsJson = False,
) -> None:
    """Measure latency, Dice and size of a model on all runtimes of this machine, in turns."""
    if volume is not None:
        is_folder(volume)  # told before torch is imported, which takes seconds

    from pqcomq.backends.obstacle import obstacle
    from pqcomq.comparison.benchmark import bench as run_bench
    from pqcomq.comparison.compared_model import check_same_source
    from pqcomq.comparison.evaluate import Protocol
    from pqcomq.models.registry import load_model
    from pqcomq.plots.benchmark_plot import draw_benchmark
    from pqcomq.quantization.files.weights_file import load_weights
    from pqcomq.quantization.quantized_model import with_unique_names
    from pqcomq.samples.synthetic_ct import synthetic_ct

    if quick:
        more = {"most_slices": most_slices > 1, "published_passes": published_passes > 1}
        overruled = [name for name, is_more in more.items() if is_more]
        refuse_idle(context, "--quick is one slice for each label and at most one pass", *overruled)
    check_folder(out, BENCH_FILES, overwrite=overwrite)
    if volume is None and labels is None and not label:
        of_volume = "series", "part", "remedy", "labels_part", "modality"
        refuse_idle(context, "the synthetic CT is measured on unless --volume names another", *of_volume)
        sample = synthetic_ct()
        image, truth, chosen = sample.volume, sample.labels, sorted(sample.names)
    elif volume is None or labels is None or not label:
        raise InputError("--volume, --labels and --label go together.")
    else:
        image, chosen = opened(volume, series, modality, part, remedy), label
        truth = labels_on(image, labels, label, labels_part, remedy).single(labels)
    full = load_model(model.value, checkpoint)
    models = with_unique_names([load_weights(path) for path in weights or []])
    for path, quantized in zip(weights or [], models, strict=True):
        check_same_source(full, quantized, path)
    compared_models = _compared_models(full, models)
    lacking = obstacle(Runtime.openvino)
    if lacking is not None:
        print_note(f"Measured on {Runtime.torch.value} alone: {lacking}.")
    if quick:
        most_slices, published_passes = 1, min(1, published_passes)
    protocol = Protocol(most_slices=most_slices)
    work = run_bench(image, truth, chosen, compared_models, protocol=protocol, published_passes=published_passes)
    found = followed(work, f"{full.title}, {counted(len(compared_models), 'setting')}")
    paths = [out / name for name in BENCH_FILES]
    with together(out):
        with replacing(paths[0], overwrite=overwrite) as partial:
            partial.write_text(json_format.dumps(found.to_dict(), indent=2, allow_nan=False) + "\n", encoding="utf-8")
        with replacing(paths[1], overwrite=overwrite) as partial:
            draw_benchmark(partial, found)
    if json:
        print_json(found.to_dict())
    else:
        _print(found)
        print_written(paths)


def _compared_models(full: Segmenter, models: list[QuantizedModel]) -> list[ComparedModel]:
    """Torch, full precision in both floating-point types, and each file in every way that this machine can run it."""
    from pqcomq.backends.fastest import hindrance
    from pqcomq.backends.openvino_model import runs_in_integers
    from pqcomq.comparison.compared_model import ComparedModel

    here: list[Runtime] = [each for each in Runtime.settings() if each is not Runtime.torch and hindrance(each) is None]
    floats = [runtime for runtime in here if not (runtime.integers or runtime.widens or runtime.packs)]
    rows = [ComparedModel.full(full), *(ComparedModel.full(full, runtime) for runtime in floats)]
    for model in models:
        ways = [runtime for runtime in here if not runtime.integers or runs_in_integers(model)]
        rows += [ComparedModel.quantized(model, runtime) for runtime in ways or [Runtime.torch]]
    return rows


def _times(gain: float | None) -> str:
    return "" if gain is None else f"{gain:.2f}"


def _print(found: Benchmark) -> None:
    from pqcomq.comparison.benchmark import BOXES
    from pqcomq.comparison.model_result import MEGABYTE
    from pqcomq.comparison.presentation.evaluation_table import SIMULATED, in_own_column
    from pqcomq.models.execution import cpu_name

    rows = found.evaluation.summaries
    torch_row, fast = rows[0], found.full_on_fast_runtime
    with_simulated = any(row.simulated for row in rows)
    columns = [
        "Setting",
        "encoder ms",
        *[SIMULATED] * with_simulated,
        "× FP32 in torch",
        "× FP32 in OpenVINO",
        "× fastest unquantized",
        "slices/s",
        "decoder ms",
        "× torch",
        f"{BOXES} boxes ms",
        "Dice vs truth",
        "worst",
        "Dice vs FP32",
        "worst vs FP32",
        "MB",
    ]
    table = [
        [
            row.precision + (" (torch)" if row is torch_row else ""),
            *in_own_column(f"{row.encoder.median_ms:.0f}", row, with_simulated),
            *(_times(found.encoder_gain(row, other)) for other in (torch_row, fast, found.fastest_unquantized)),
            *(each if not row.simulated else "" for each in (f"{rate:.2f}", f"{row.decoder.median_ms:.1f}")),
            _times(found.decoder_gain(row)),
            "" if row.simulated else f"{batch.median_ms:.1f}",
            f"{row.dice:.4f}",
            f"{row.worst_dice:.3f}",
            f"{row.agreement:.4f}",
            f"{row.worst_agreement:.3f}",
            f"{row.file_bytes / MEGABYTE:.1f}",
        ]
        for row, batch, rate in zip(rows, found.batches, found.rates, strict=True)
    ]
    if found.published is not None:
        published = found.published.median_ms
        table.insert(0, ["FP32, authors' own code", f"{published:.0f}", *[""] * (len(columns) - 2)])
    run = torch_row.execution
    caption = (
        f"Medians of settings taking turns, slices/s of a volume; {cpu_name()}, "
        f"{run.threads_title}, {', '.join(run.cpu_features)}. "
        f"Fastest unquantized: {found.fastest_unquantized.precision}. simulated: runs widened, "
        f"low bits save the file's size, not time. {RESEARCH_ONLY}"
    )
    print_table(f"{torch_row.model} on {found.evaluation.volume_name}", columns, table, caption)
