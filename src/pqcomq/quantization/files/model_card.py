"""A model card: what a quantized model is, from what and how it was made, what was measured, and its limits.

As JSON it stands in the file's manifest, as Markdown beside the file. Both are made from the manifest, so that a file
from before there were cards gets one as well.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pqcomq.atomic_files import replacing, size_of
from pqcomq.models.catalogue.entries import ENTRIES
from pqcomq.quantization.algorithm.config import QuantizationConfig
from pqcomq.research_only import RESEARCH_ONLY
from pqcomq.wording import counted

LIMITS = (
    "Quantized weights segment otherwise than the full-precision model; by how much depends on the images. Compare "
    "both on your own before you rely on the masks.",
    "What was not in the calibration slices, such as other modalities, contrasts or devices, was not accounted for.",
    "The limits of the full-precision model, which its authors describe, hold as well.",
)

_METHODS = {
    "pcomq": "Permutation-COMQ (arXiv 2604.07674): codes and scales by coordinate descent on the calibration slices",
    "comq": "COMQ (arXiv 2403.07134): codes and scales by coordinate descent on the calibration slices",
    "rtn": "Round to nearest: each weight to the nearest code",
    "ecq": "Whole numbers in an entropy coder's stream, one step an input, fitted to the calibration slices",
}


def card_of(model: Mapping[str, Any], quantization: Mapping[str, Any]) -> dict[str, Any]:
    """The card's entry in the manifest, JSON-ready; the manifest's other entries are not repeated.

    Args:
        model: the manifest's entry ``model``.
        quantization: its entry ``quantization``.
    """
    entry = ENTRIES[model["key"]]
    return {
        "what": f"{entry.title}, weights quantized: {QuantizationConfig.from_dict(quantization).title}",
        "from": {
            "authors_licence": entry.licence,
            "citation": entry.citation,
            "trained_on": entry.trained_on,
            "prompts": list(entry.prompts),
            "page": entry.page,
        },
        "how": _METHODS[str(quantization["method"])],
        "limits": list(LIMITS),
        "use": RESEARCH_ONLY,
    }


def card_path(weights: Path) -> Path:
    """Where the card of a weights file lies: beside it, ending in ``.md``.

    Examples:
        >>> from pathlib import Path
        >>> from pqcomq.quantization.files.model_card import card_path
        >>> card_path(Path("lite-4bit.safetensors")).name
        'lite-4bit.md'
    """
    return weights.with_suffix(".md")


def write_card(
    weights: Path, manifest: Mapping[str, Any], measured: Sequence[str] = (), *, overwrite: bool = False
) -> Path:
    """Write the card beside a weights file.

    Args:
        weights: the file, which exists.
        manifest: of it.
        measured: figures as lines of Markdown; none by default, and the card says so.
        overwrite: replace a card that is already there.

    Raises:
        InputError: the card exists or cannot be written.
    """
    path = card_path(weights)
    with replacing(path, overwrite=overwrite) as partial:
        partial.write_text(markdown(weights, manifest, measured), encoding="utf-8")
    return path


def markdown(weights: Path, manifest: Mapping[str, Any], measured: Sequence[str] = ()) -> str:
    """The card of a weights file.

    Args:
        weights: the file, which exists.
        manifest: of it.
        measured: figures as lines of Markdown.
    """
    card = manifest.get("card") or card_of(manifest["model"], manifest["quantization"])
    sections = {
        "What": _what(weights, manifest, card),
        "From what": _from_what(manifest["model"], card["from"]),
        "How": _how(manifest, card),
        "Measured": measured or [_NOTHING_MEASURED],
        "Limits": [f"- {limit}" for limit in card["limits"]],
    }
    lines = [f"# {card['what']}", "", f"**{card['use']}**", ""]
    for title, content in sections.items():
        lines += [f"## {title}", "", *content, ""]
    return "\n".join(lines)


_NOTHING_MEASURED = "Nothing yet: `pqcomq cohort` measures on labelled cases, `pqcomq card --cohort` enters it here."


def _what(weights: Path, manifest: Mapping[str, Any], card: Mapping[str, Any]) -> list[str]:
    return [
        f"`{weights.name}`, {size_of(weights) / 1e6:.1f} MB: image encoder, prompt encoder and mask decoder. "
        f"Prompt: {', '.join(card['from']['prompts'])}. Written by pqcomq {manifest['versions']['pqcomq']}.",
        "",
        "| bits | |",
        "|---|---|",
        f"| of a code | {_code_bits(manifest['layers'])} |",
        "| stored for each quantized weight, scales, zero-points and permutations counted | "
        f"{manifest['effective_bits']:.3f} |",
    ]


def _code_bits(layers: Mapping[str, Mapping[str, Any]]) -> str:
    """The bits of all layers' codes, with their shares of the weights where layers differ."""
    weights: Counter[str] = Counter()
    for layer in layers.values():
        weights["entropy coded" if layer.get("coding") else str(layer["bits"])] += math.prod(layer["shape"])
    if len(weights) == 1:
        return next(iter(weights))
    return ", ".join(f"{kind}: {_share(count / weights.total())}" for kind, count in sorted(weights.items()))


def _share(part: float) -> str:
    return f"{100 * part:.1f} % of the weights" if part >= 0.001 else "less than 0.1 % of the weights"


def _from_what(source: Mapping[str, Any], origin: Mapping[str, Any]) -> list[str]:
    megabytes = source["checkpoint_bytes"] / 1e6
    return [
        f"`{source['checkpoint_name']}`, {megabytes:.1f} MB, SHA-256 `{source['checkpoint_sha256']}`.",
        "",
        f"- The authors' checkpoint of this model: {origin['page']}",
        f"- Its licence: {origin['authors_licence']}",
        f"- Trained on: {origin['trained_on']}",
        f"- Please cite: {origin['citation']}",
    ]


def _how(manifest: Mapping[str, Any], card: Mapping[str, Any]) -> list[str]:
    layers, calibration = manifest["layers"], manifest["calibration"]
    errors = {name: float(layer["error"]) for name, layer in layers.items()}
    worst = max(errors, key=lambda name: errors[name])
    settings = ", ".join(f"{name} {value}" for name, value in manifest["quantization"].items() if value is not None)
    volumes = [
        f"- {each['modality']}, {' × '.join(map(str, each['size_xyz']))} voxels of "
        f"{' × '.join(f'{step:g}' for step in each['spacing_mm_xyz'])} mm, slices "
        + ", ".join(map(str, each.get("slices", [])))
        for each in calibration["volumes"]
    ]
    return [
        f"{card['how']}.",
        "",
        f"Settings: {settings}.",
        "",
        f"Calibrated on {counted(calibration['slice_count'], 'slice')}:",
        "",
        *(volumes or ["- none"]),
        "",
        f"{counted(len(errors), 'layer')}; share of a layer's output energy that is lost on these slices: mean "
        f"{sum(errors.values()) / len(errors):.2e}, largest {errors[worst]:.2e} in `{worst}`.",
    ]
