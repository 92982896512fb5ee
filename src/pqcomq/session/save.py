"""A session written to a folder that holds all that is needed to read it, check it and run it again, but the volume.

The volume stays where it is, known by the hash of its voxels: it is the patient's, and its path and name may name them.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import pqcomq
from pqcomq.atomic_files import check_folder, replacing
from pqcomq.comparison.comparison_result import ObjectComparison
from pqcomq.csv_table import as_csv
from pqcomq.object_colours import object_colour
from pqcomq.progress import Progress, Stopwatch, finished, translated
from pqcomq.quantization.files.weights_file import save_weights
from pqcomq.segmentation.box_mask import BoxMask
from pqcomq.session.file_names import (
    FORMAT,
    GATE_TABLE,
    MANIFEST,
    MASKS,
    PAGE,
    READING_TABLE,
    SCRIBBLE_FORMAT,
    SLICE_TABLE,
    WEIGHTS,
    slug,
    weights_names,
)
from pqcomq.session.html_report import drawing_page
from pqcomq.session.report_tables import gate_rows, slice_rows
from pqcomq.session.session import Session
from pqcomq.staging import Staging
from pqcomq.volumes.labels.label_writer import write_mask


def save_session(session: Session, folder: Path, *, overwrite: bool = False) -> list[Path]:
    """Write a session at one go; see :func:`saving`."""
    return finished(saving(session, folder, overwrite=overwrite))


def saving(session: Session, folder: Path, *, overwrite: bool = False) -> Generator[Progress, None, list[Path]]:
    """Write a session; all its files appear at the end, and none if the generator is closed before.

    Args:
        session: to write.
        folder: made if need be.
        overwrite: replace files that are already there.

    Yields:
        :class:`Progress` after every object drawn and every file written.

    Returns:
        Every file written; ``session.json`` last, so that a folder that has one is whole (a generator's return value).

    Raises:
        InputError: a file exists or cannot be written.
    """
    masks, weights = _masks(session), weights_names(session.models)
    names = [*_text_names(session), MANIFEST]
    check_folder(folder, names, overwrite=overwrite)
    for part, inner in ((WEIGHTS, weights), (MASKS, masks)):
        check_folder(folder / part, [Path(name).name for name in inner], overwrite=overwrite)
    watch = Stopwatch(len(session.objects) + len(weights) + len(masks))
    html = yield from translated(drawing_page(session), lambda name: watch.step(f"{name} drawn"))
    written: list[Path] = []
    with Staging(folder) as staging:
        for step in _writing(session, folder, weights, masks, overwrite, staging):
            written.append(step)
            yield watch.step(step.name)
        texts = {**_texts(session, html), MANIFEST: json.dumps(manifest(session), indent=2, allow_nan=False) + "\n"}
        for name, text in texts.items():
            with staging.taking(), replacing(folder / name, overwrite=overwrite) as partial:
                partial.write_text(text, encoding="utf-8", newline="")
    return [*written, *(folder / name for name in texts)]


def _text_names(session: Session) -> list[str]:
    return [PAGE, GATE_TABLE, SLICE_TABLE, *([] if session.reading is None else [READING_TABLE])]


def _texts(session: Session, html: str) -> dict[str, str]:
    texts = {PAGE: html, GATE_TABLE: as_csv(gate_rows(session)), SLICE_TABLE: as_csv(slice_rows(session))}
    if session.reading is not None:
        texts[READING_TABLE] = as_csv(session.reading.rows())
    return texts


def _writing(
    session: Session,
    folder: Path,
    weights: list[str],
    masks: dict[str, BoxMask | np.ndarray],
    overwrite: bool,
    staging: Staging,
) -> Iterator[Path]:
    """Weights and masks, file by file; whoever writes between two of them is no part of the set."""
    for name, model in zip(weights, session.models, strict=True):
        with staging.taking():
            save_weights(model, folder / name, overwrite=overwrite)
        yield folder / name
    for name, mask in masks.items():
        # One whole volume at a time: together they would take a hundred MiB each.
        whole = mask.in_volume(session.volume.grid.shape_zyx) if isinstance(mask, BoxMask) else mask
        with staging.taking():
            write_mask(folder / name, whole.astype(np.uint8), session.volume, overwrite=overwrite)
        yield folder / name


def manifest(session: Session) -> dict[str, Any]:
    """Everything but voxels and weights, JSON-ready; no path, no file name, no patient data."""
    return {
        "format": SCRIBBLE_FORMAT if any(each.prompt.scribble for each in session.objects) else FORMAT,
        "program": f"pqcomq {pqcomq.__version__}",
        "made_utc": session.made,
        "volume": _described(session),
        "model": {
            "key": session.models[0].segmenter.key,
            "checkpoint_name": session.models[0].segmenter.checkpoint_name,
            "checkpoint_sha256": session.models[0].segmenter.checkpoint_sha256,
            "licence": session.licence,
        },
        "weights": weights_names(session.models),
        "gate": {
            "least_dice_between_models": session.tolerance.dice,
            "greatest_volume_difference_percent": session.tolerance.volume_percent,
            "in_doubt_below_stability": session.tolerance.stability,
            "verdicts": gate_rows(session),
        },
        "objects": [_object(session, index, each) for index, each in enumerate(session.objects)],
        "reading": None if session.reading is None else session.reading.to_dict(),
    }


def _described(session: Session) -> dict[str, Any]:
    volume = session.volume
    return {
        "name": session.volume_title,
        "voxels_sha256": volume.sha256,
        "modality": volume.modality,
        "size_xyz": list(volume.grid.size),
        "spacing_mm_xyz": list(volume.grid.spacing),
    }


def _object(session: Session, index: int, found: ObjectComparison) -> dict[str, Any]:
    volume = {"name": session.volume_title, "voxels_sha256": session.volume.sha256}
    return {
        "name": found.name,
        "number": found.number,
        "colour": object_colour(found.number),
        "truth": None if found.truth is None else _mask_name(index, found, "truth"),
        "comparisons": [
            {
                "reference_mask": _mask_name(index, found, "full"),
                "candidate_mask": _mask_name(index, found, f"quantized-{number}"),
                "found": comparison.to_dict() | {"volume": volume},
            }
            for number, comparison in enumerate(found.comparisons, start=1)
        ],
        "box_jitter": None if found.jitter is None else found.jitter.to_dict(),
    }


def _masks(session: Session) -> dict[str, BoxMask | np.ndarray]:
    """File names and masks of all objects, ground truths (z, y, x) bool; full precision has one mask an object."""
    masks: dict[str, BoxMask | np.ndarray] = {}
    for index, found in enumerate(session.objects):
        masks[_mask_name(index, found, "full")] = found.reference.mask
        for number, comparison in enumerate(found.comparisons, start=1):
            masks[_mask_name(index, found, f"quantized-{number}")] = comparison.candidate.mask
        if found.truth is not None:
            masks[_mask_name(index, found, "truth")] = found.truth
    return masks


def _mask_name(index: int, found: ObjectComparison, what: str) -> str:
    return f"{MASKS}/{index + 1}-{slug(found.name)}-{what}.nii.gz"
