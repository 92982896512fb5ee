"""The table of speeds in ``docs/for_researchers.md``, made anew: LiteMedSAM by the defaults of every command.

    python tests/benchmarks/speed_table.py --calibration CT1 CT2 --volume CT --labels LABELS --label 1 2 5 \
        [--weights FILES] [--out FOLDER]

Quantizes to 4 bits by the defaults unless weights are named, runs what ``pqcomq bench`` runs, and prints the table as
Markdown with the processor's name above it. Run it with nothing else running.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from pqcomq.cpu_settings import apply_cpu_settings

apply_cpu_settings()

from pqcomq.backends.fastest import settled  # noqa: E402
from pqcomq.backends.runtime import Runtime  # noqa: E402
from pqcomq.cli.app import main as pqcomq  # noqa: E402
from pqcomq.models.execution import cpu_name  # noqa: E402
from pqcomq.quantization.files.weights_file import load_weights  # noqa: E402


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calibration", nargs="*", default=[], type=Path)
    parser.add_argument("--volume", required=True, type=Path)
    parser.add_argument("--labels", required=True, type=Path)
    parser.add_argument("--label", nargs="+", required=True)
    parser.add_argument("--weights", nargs="*", default=[], type=Path)
    parser.add_argument("--out", default=Path("speed-table"), type=Path)
    asked = parser.parse_args()
    asked.out.mkdir(exist_ok=True)
    weights = asked.weights
    if not weights:
        weights = [asked.out / "lite-4bit.safetensors"]
        run("quantize", "--bits", 4, "--calibration", *asked.calibration, "--out", weights[0], "--overwrite")
    measured = ["--volume", asked.volume, "--labels", asked.labels, "--label", *asked.label, "--quick"]
    run("bench", *measured, "--weights", *weights, "--out", asked.out, "--overwrite")
    content = json.loads((asked.out / "bench.json").read_text(encoding="utf-8"))
    taken = settled(Runtime.auto, [load_weights(path) for path in weights]).runtime
    print(table(content, taken))


def run(*arguments: object) -> None:
    """A command of the product; ends the process where it fails."""
    try:
        pqcomq([str(each) for each in arguments])
    except SystemExit as end:
        if end.code:
            sys.exit(end.code)


def table(content: dict[str, Any], taken: Runtime) -> str:
    """The rows of a benchmark's record as Markdown; what ``auto`` takes is bold."""
    lines = [
        f"{cpu_name()}, {content['summaries'][0]['execution']['threads']} threads:",
        "",
        "| setting | encoder ms | × FP32 in torch | × FP32 in OpenVINO | × fastest unquantized | slices/s | decoder ms "
        "| Dice vs ground truth | Dice vs full precision |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    rows = zip(content["summaries"], content["speedups"], content["slices_of_a_volume_per_second"], strict=True)
    for row, speedups, rate in rows:
        title = row["precision"] + (", torch" if row["execution"]["setting"] == "torch" else "")
        if row["execution"]["setting"] == taken and row["effective_bits"] < 32:
            title = f"**{title}**"
        against = ("fp32_in_torch", "fp32_on_the_fast_runtime", "the_fastest_unquantized")
        gains = (speedups[f"encoder_against_{each}"] for each in against)
        ratios = " | ".join("" if gain is None else f"{gain:.2f}" for gain in gains)
        lines.append(
            f"| {title} | {row['encoder']['median_ms']:.0f} | {ratios} | {rate:.1f} "
            f"| {row['decoder']['median_ms']:.1f} | {row['dice']:.3f} | {row['agreement']:.3f} |"
        )
    published = content["encoder_as_published_in_torch"]
    if published is not None:
        lines += ["", f"The authors' own code in torch: {published['median_ms']:.0f} ms."]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
