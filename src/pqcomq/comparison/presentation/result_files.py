"""A comparison or an evaluation as files."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from pqcomq.atomic_files import replacing, together
from pqcomq.comparison.evaluate import Evaluation
from pqcomq.comparison.model_result import Comparison
from pqcomq.comparison.presentation.comparison_text import RESEARCH_ONLY, side_lines, side_title
from pqcomq.comparison.presentation.figure import draw_comparison
from pqcomq.csv_table import write_table
from pqcomq.object_colours import object_colour
from pqcomq.volumes.intensity_window import EightBitSlices
from pqcomq.volumes.volume import Volume

COMPARISON_FILES = ("comparison.json", "comparison.csv", "comparison.png")
EVALUATION_FILES = ("evaluation.json", "evaluation.csv")


def write_comparison(
    comparison: Comparison,
    volume: Volume,
    folder: Path,
    *,
    truth: np.ndarray | None = None,
    overwrite: bool = False,
) -> list[Path]:
    """Write all numbers (JSON), Dice on each slice (CSV) and the slice where the models agree least (PNG).

    Args:
        comparison: what was found.
        volume: that it was found on.
        folder: made if need be.
        truth: (z, y, x) bool, drawn as an outline where there is one.
        overwrite: replace files that are already there.

    Returns:
        The files, in the order of :data:`COMPARISON_FILES`.

    Raises:
        InputError: a file exists or cannot be written.
    """
    paths = [folder / name for name in COMPARISON_FILES]
    with together(folder):
        _write_json(paths[0], comparison.to_dict(), overwrite)
        write_table([asdict(each) for each in comparison.slices], paths[1], overwrite=overwrite)
        with replacing(paths[2], overwrite=overwrite) as partial:
            _draw(partial, comparison, volume, truth)
    return paths


def _draw(path: Path, comparison: Comparison, volume: Volume, truth: np.ndarray | None) -> None:
    """The slice where the models agree least."""
    z = comparison.worst_slice
    spacing = volume.grid.spacing_zyx
    draw_comparison(
        path,
        EightBitSlices(volume, comparison.window)[z],
        comparison.reference.mask.on_slice(z),
        comparison.candidate.mask.on_slice(z),
        box=comparison.prompt.edges,
        points=comparison.prompt.points_on(z),
        scribble=comparison.prompt.drawn_on(z, volume.grid.shape_zyx[1:]),
        box_colour=object_colour(1),
        truth=None if truth is None else truth[z],
        left_lines=[side_title(comparison.reference), *side_lines(comparison, comparison.reference)],
        right_lines=[side_title(comparison.candidate), *side_lines(comparison, comparison.candidate)],
        title=f"{comparison.volume_name} · slice {z}, where the two agree least · {RESEARCH_ONLY}",
        spacing_yx=(spacing[1], spacing[2]),
    )


def write_evaluation(evaluation: Evaluation, folder: Path, *, overwrite: bool = False) -> list[Path]:
    """Write everything (JSON) and every prompt's result (CSV).

    Args:
        evaluation: what was found.
        folder: made if need be.
        overwrite: replace files that are already there.

    Returns:
        The files, in the order of :data:`EVALUATION_FILES`.

    Raises:
        InputError: a file exists or cannot be written.
    """
    paths = [folder / name for name in EVALUATION_FILES]
    with together(folder):
        _write_json(paths[0], evaluation.to_dict(), overwrite)
        write_table([asdict(each) for each in evaluation.prompts], paths[1], overwrite=overwrite)
    return paths


def _write_json(path: Path, content: dict[str, Any], overwrite: bool) -> None:
    with replacing(path, overwrite=overwrite) as partial:
        # JSON has no NaN and no infinity; a number that became one is a fault to be heard of.
        partial.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", encoding="utf-8")
