"""Names inside a session's folder."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from pqcomq.errors import InputError
from pqcomq.quantization.quantized_model import QuantizedModel

FORMAT, SCRIBBLE_FORMAT = 2, 3
"""From the first on, prompts may have points; the other is only of sessions with a scribble, so that earlier versions
read all the rest."""
READ_FORMATS = (1, FORMAT, SCRIBBLE_FORMAT)
MANIFEST, PAGE, GATE_TABLE, SLICE_TABLE, READING_TABLE = (
    "session.json",
    "report.html",
    "gate.csv",
    "slices.csv",
    "reading.csv",
)
WEIGHTS, MASKS = "weights", "masks"
_LONGEST = 50
"""Letters of an object's name in that of a file, which takes 255 bytes; a letter of some scripts is four."""


def slug(text: str) -> str:
    """A piece of a file name: lower case letters and digits of any script, hyphens between; a long one is cut."""
    return re.sub(r"[\W_]+", "-", text.lower()).strip("-")[:_LONGEST].rstrip("-") or "object"


def weights_names(models: Sequence[QuantizedModel]) -> list[str]:
    """Paths of the weights files in the folder, told apart by what they hold."""
    stems = [
        f"{WEIGHTS}/{model.segmenter.key}-{slug(model.settings.title)}-{model.segmenter.fingerprint[:8]}"
        for model in models
    ]
    # Rounded to nearest they are the same whatever they were calibrated on, and the ranges of their inputs are not.
    before = [stems[:place].count(stem) for place, stem in enumerate(stems)]
    return [f"{stem}{f'-{count + 1}' * bool(count)}.safetensors" for stem, count in zip(stems, before, strict=True)]


def inside(folder: Path, name: object) -> Path:
    """A file that a session names, which must lie in its own folder.

    Raises:
        InputError: it lies elsewhere, or is not there.
    """
    path = folder / str(name)
    try:
        within, there = path.resolve().is_relative_to(folder.resolve()), path.is_file()
    except (OSError, ValueError):  # no name that a file can have
        within, there = False, False
    if not isinstance(name, str) or not within:
        raise InputError(f"The session's file names a file outside the session's folder ({name!r}).", folder / MANIFEST)
    if not there:
        raise InputError("The session's file is missing.", path)
    return path
