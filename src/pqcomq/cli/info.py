"""``pqcomq info``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pqcomq.cli.options import AsJson
from pqcomq.cli.output import print_json, print_lines
from pqcomq.comparison.result import MEGABYTE
from pqcomq.models.registry import MODEL_TITLES
from pqcomq.quantized.weights_file import load_weights, manifest


def info(
    file: Annotated[Path, typer.Argument(help="Quantized weights.")],
    json: AsJson = False,
) -> None:
    """Say what a file of quantized weights holds, after checking that it is whole."""
    content = {"file": str(file), "file_bytes": file.stat().st_size if file.is_file() else 0} | manifest(
        load_weights(file)
    )
    if json:
        print_json(content)
    else:
        print_lines(_sentences(content))


def _sentences(content: dict[str, Any]) -> list[str]:
    source, quantization, calibration = content["model"], content["quantization"], content["calibration"]
    errors = {name: layer["error"] for name, layer in content["layers"].items()}
    worst = max(errors, key=lambda name: errors[name])
    return [
        f"{content['file']}: {content['file_bytes'] / MEGABYTE:.1f} MB",
        f"model       {MODEL_TITLES[source['key']]} from {source['checkpoint_name']} "
        f"({source['checkpoint_bytes'] / MEGABYTE:.1f} MB, sha256 {source['checkpoint_sha256']})",
        f"bits        {quantization['bits']}, {content['effective_bits']:.3f} effective per encoder weight "
        "(scales, zero-points and permutations counted)",
        "method      " + ", ".join(f"{name} {value}" for name, value in quantization.items() if name != "bits"),
        f"calibration {calibration['slice_count']} slices of "
        + "; ".join(
            f"{volume['modality']} {'×'.join(map(str, volume['size_xyz']))} voxels at "
            f"{'×'.join(f'{step:g}' for step in volume['spacing_mm_xyz'])} mm"
            for volume in calibration["volumes"]
        ),
        f"layers      {len(errors)}, mean error {sum(errors.values()) / len(errors):.2e} of the output energy, "
        f"largest {errors[worst]:.2e} in {worst}",
        "versions    " + ", ".join(f"{name} {version}" for name, version in content["versions"].items()),
    ]
