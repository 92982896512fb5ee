"""``pqcomq info``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pqcomq.cli.terminal.idle_options import refuse_idle
from pqcomq.cli.terminal.options import AsJson, Part, Remedies, Series, opened
from pqcomq.cli.terminal.output import print_json, print_lines
from pqcomq.wording import counted

if TYPE_CHECKING:
    from pqcomq.volumes.volume import Volume


def info(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Quantized weights, or a volume: its geometry is reported.")],
    series: Series = None,
    part: Part = None,
    remedy: Remedies = None,
    json: AsJson = False,
) -> None:
    """Say what a file of quantized weights or a volume holds, after checking that it is whole."""
    if file.suffix != ".safetensors":
        _tell_volume(opened(file, series, None, part, remedy, tells=False), json)
        return
    from pqcomq.quantization.files.weights_file import load_weights, manifest  # torch, which volumes do without

    refuse_idle(context, "the file holds quantized weights and no volume", "series", "part", "remedy")
    content = {"file": str(file), "file_bytes": file.stat().st_size if file.is_file() else 0} | manifest(
        load_weights(file)
    )
    if json:
        print_json(content)
    else:
        print_lines(_sentences(content))


def _tell_volume(volume: Volume, json: bool) -> None:
    from pqcomq.volumes.geometry_report import GeometryReport

    report = GeometryReport.of(volume)
    low, high = float(volume.voxels.min()), float(volume.voxels.max())
    if json:
        facts = {"name": volume.name, "modality": volume.modality, "lowest": low, "highest": high}
        print_json(facts | {"sha256": volume.sha256} | report.to_dict())
    else:
        print_lines([f"{volume.name}: {volume.modality}, values {low:g} to {high:g}", *report.sentences()])


def _code_bits(quantization: Mapping[str, Any]) -> str:
    """Entropy-coded weights are never told by a bit width."""
    return "entropy coded" if quantization.get("stored_bits") is not None else str(quantization["bits"])


def _sentences(content: dict[str, Any]) -> list[str]:
    from pqcomq.comparison.model_result import MEGABYTE
    from pqcomq.models.registry import MODEL_TITLES

    source, quantization, calibration = content["model"], content["quantization"], content["calibration"]
    errors = {name: layer["error"] for name, layer in content["layers"].items()}
    worst = max(errors, key=lambda name: errors[name])
    return [
        f"{content['file']}: {content['file_bytes'] / MEGABYTE:.1f} MB",
        f"model       {MODEL_TITLES[source['key']]} from {source['checkpoint_name']} "
        f"({source['checkpoint_bytes'] / MEGABYTE:.1f} MB, sha256 {source['checkpoint_sha256']})",
        f"bits        {_code_bits(quantization)}, {content['effective_bits']:.3f} effective per quantized weight "
        "(scales, zero-points, permutations and an entropy coder's side information counted)",
        "method      " + ", ".join(f"{name} {value}" for name, value in quantization.items() if name != "bits"),
        f"calibration {counted(calibration['slice_count'], 'slice')} of "
        + "; ".join(
            f"{volume['modality']} {'×'.join(map(str, volume['size_xyz']))} voxels at "
            f"{'×'.join(f'{step:g}' for step in volume['spacing_mm_xyz'])} mm"
            for volume in calibration["volumes"]
        ),
        f"layers      {len(errors)}, mean error {sum(errors.values()) / len(errors):.2e} of the output energy, "
        f"largest {errors[worst]:.2e} in {worst}",
        "versions    " + ", ".join(f"{name} {version}" for name, version in content["versions"].items()),
    ]
