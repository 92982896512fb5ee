"""Options that several commands share, and what they turn into.

What reads volumes is imported where it is called, so that a command's help waits for none of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pqcomq.backends.runtime import Device, Runtime
from pqcomq.cli.terminal.boxes import BoxUnit
from pqcomq.cli.terminal.output import print_note
from pqcomq.cli.terminal.progress_bar import followed
from pqcomq.errors import InputError, printable
from pqcomq.masks.file_formats import MaskKind
from pqcomq.models.catalogue.entries import ENTRIES
from pqcomq.quantization.algorithm.config import METHOD_TITLES
from pqcomq.volumes.import_issues import REMEDIES, Remedy, remedy_named
from pqcomq.volumes.window import PRESETS, Window
from pqcomq.wording import counted

if TYPE_CHECKING:
    import numpy as np

    from pqcomq.dicom_masks.mask_object import LabelledObjects
    from pqcomq.volumes.volume import Volume

ModelKey = StrEnum("ModelKey", {key.replace("-", "_"): key for key in ENTRIES})  # type: ignore[misc]
MethodKey = StrEnum("MethodKey", {key: key for key in METHOD_TITLES})  # type: ignore[misc]
DEFAULT_MODEL, DEFAULT_METHOD = ModelKey("lite-medsam"), MethodKey("pcomq")


class Prompting(StrEnum):
    """Where each slice's prompt comes from."""

    same = "same"
    propagate = "propagate"


class ModalityKey(StrEnum):
    """What kind of image a file holds, where it does not say so itself."""

    ct = "CT"
    mr = "MR"
    other = "other"


RemedyKey = StrEnum("RemedyKey", {name: name for name in REMEDIES})  # type: ignore[misc]

Checkpoint = Annotated[
    Path | None,
    typer.Option(help="Checkpoint file of the model; LiteMedSAM's weights are shipped.", metavar="FILE"),
]
BOX_HELP = (
    "Lowest and highest column, row and slice of a box, all of which belong to it, counted from 0: x from the "
    "patient's right, y from the front, z from the feet. With --box-unit mm two opposite corners in LPS millimetres."
)
BOX_METAVAR = "X0 Y0 Z0 X1 Y1 Z1"
Box = Annotated[list[str] | None, typer.Option("--box", help=BOX_HELP, metavar=BOX_METAVAR)]
PointOption = Annotated[
    list[str] | None,
    typer.Option(
        "--point",
        help="A point inside the object, beside a box or alone, for models that take points (SAM, MobileSAM); it "
        "prompts its own slice. May be given more than once.",
        metavar="X Y Z",
    ),
]
NegativePointOption = Annotated[
    list[str] | None,
    typer.Option("--negative-point", help="A point outside of the object, likewise.", metavar="X Y Z"),
]
PointSlices = Annotated[
    str | None,
    typer.Option(
        "--slices",
        help="First and last slice to segment from points without a box, or from a scribble; by default those that "
        "they lie on.",
        metavar="FIRST LAST",
    ),
]
ScribbleOption = Annotated[
    Path | None,
    typer.Option(
        "--scribble",
        help="What was drawn freely inside the object, in place of boxes and points, for models that take scribbles "
        "(LiteMedSAM for scribbles): a file of labels on the volume's voxels, a number for each object.",
        metavar="FILE",
    ),
]
BoxUnitOption = Annotated[
    BoxUnit,
    typer.Option("--box-unit", help="Whether boxes and points are in voxels or in the patient's millimetres."),
]
LabelsPart = Annotated[
    int | None, typer.Option(min=1, help="Volume to take of a label file that holds several, counted from 1.")
]
Published = Annotated[
    bool,
    typer.Option("--published", help="The settings of the method's own paper, not those that measured best here."),
]
WindowOption = Annotated[
    str | None,
    typer.Option(
        "--window",
        help=f"Intensity window: {', '.join(PRESETS)}, or LEVEL,WIDTH. "
        "By default abdomen for CT, percentiles otherwise.",
        metavar="NAME|LEVEL,WIDTH",
    ),
]
ModalityOption = Annotated[
    ModalityKey | None,
    typer.Option(
        "--modality",
        help="What the volume is, where its file does not say, or says something else; by default told from the "
        "values.",
    ),
]
Series = Annotated[
    str | None, typer.Option(help="DICOM series to take, where a folder holds several: its UID or number.")
]
Part = Annotated[
    int | None, typer.Option(min=1, help="Volume to take, where a file or series holds several, counted from 1.")
]
Remedies = Annotated[
    list[RemedyKey] | None,
    typer.Option(
        "--remedy",
        help="What to do where slices are no regular grid, or two geometries contradict each other: "
        + "; ".join(f"{name}: {REMEDIES[name]}" for name in REMEDIES)
        + ". May be given more than once.",
    ),
]
RUNTIME_HELP = (
    "What runs the networks: auto, the fastest that this machine has, with full precision in FP32; torch, the "
    "reference, where low bits are simulated; or OpenVINO in float32 or bfloat16 (bf16), weights packed or widened "
    "when loaded, with 8-bit inputs (int8) where the weights allow it."
)
RuntimeOption = Annotated[Runtime, typer.Option("--runtime", help=RUNTIME_HELP)]
DeviceOption = Annotated[
    Device | None,
    typer.Option(
        "--device",
        help="Where torch computes, in FP32: cuda or mps; auto takes one that works here; cpu is the processor. "
        "One that is not there gives way to the processor, and the result says so. By default devices are left alone.",
        show_default=False,
    ),
]
LossMargin = Annotated[
    float,
    typer.Option(min=0.0001, max=1, help="Of a cohort: loss of Dice that would not matter, stated before looking."),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that are already there.")]
WithPatient = Annotated[
    bool,
    typer.Option(
        "--with-patient",
        help="Put the patient's and the study's data into the mask's files, as an archive (PACS) asks for; "
        "without it they name no patient.",
    ),
]
MASK_ENDINGS = ", ".join(kind.value for kind in MaskKind)
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON for machines.")]


def remedies_of(chosen: Sequence[RemedyKey] | None) -> list[Remedy]:
    """The remedies that options name."""
    return [remedy_named(each.value) for each in chosen or ()]


def opened(
    path: Path,
    series: str | None,
    modality: ModalityKey | None,
    part: int | None = None,
    remedies: Sequence[RemedyKey] | None = None,
    *,
    tells: bool = True,
) -> Volume:
    """Read a volume as the options say, with a bar where it takes long.

    What makes it doubtful is told beside the output, unless the command itself ``tells`` all that was found.
    """
    from pqcomq.volumes.volume_reader import reading_volume

    work = reading_volume(
        path,
        series=series,
        part=part,
        modality=modality.value if modality else None,
        remedies=remedies_of(remedies),
    )
    volume = followed(work, f"reading {path.name}")
    _tell(path, [str(each) for each in volume.findings if each.severity != "harmless"] if tells else [])
    return volume


def _tell(path: Path, sentences: Sequence[str]) -> None:
    for sentence in sentences:
        print_note(f"{path.name}: {sentence}")


def labels_on(
    volume: Volume,
    labels: Path,
    label: Sequence[int],
    part: int | None = None,
    remedies: Sequence[RemedyKey] | None = None,
) -> LabelledObjects:
    """The labels asked for of a label file, DICOM SEG or RTSTRUCT; what was odd about it is told beside the output.

    Raises:
        InputError: it cannot be read, or a label does not occur.
    """
    from pqcomq.masks.read_masks import read_masks

    found = read_masks(labels, volume, label, part, remedies_of(remedies))
    for number in label:
        if not found.mask(number).any():
            raise InputError(f"Label {number} does not occur in {labels}.")
    _tell(labels, found.notes)
    return found


def object_names(given: Sequence[str], count: int) -> list[str]:
    """What so many objects are called: as given, else numbered.

    Raises:
        InputError: there are names, but not one for each object.
    """
    if given and len(given) != count:
        raise InputError(f"{counted(len(given), 'name')} for {counted(count, 'object')}: give one each, in order.")
    return [printable(each) for each in given] or (
        ["object"] if count == 1 else [f"object {number}" for number in range(1, count + 1)]
    )


def window_of(text: str | None) -> Window | None:
    """The window that an option names.

    Raises:
        InputError: neither a preset nor two numbers.
    """
    if text is None:
        return None
    if text in PRESETS:
        return PRESETS[text]
    try:
        level, width = (float(number) for number in text.split(","))
    except ValueError:
        raise InputError(f"window {text!r}: name one of {', '.join(PRESETS)}, or give LEVEL,WIDTH") from None
    return Window(level, width)


def labelled(
    labels: Path | None,
    label: Sequence[int],
    volume: Volume,
    part: int | None = None,
    remedies: Sequence[RemedyKey] | None = None,
) -> LabelledObjects | None:
    """The labels asked for of a label file, DICOM SEG or RTSTRUCT; None where neither was given.

    Raises:
        InputError: only one of both options was given, or a label does not occur.
    """
    if (labels is None) != (not label):
        raise InputError("--labels and --label go together: a file and the numbers of labels in it.")
    if labels is None:
        return None
    return labels_on(volume, labels, label, part, remedies)


def truth_of(
    labels: Path | None,
    label: int | None,
    volume: Volume,
    part: int | None = None,
    remedies: Sequence[RemedyKey] | None = None,
) -> np.ndarray | None:
    """One label of a label file as a mask (z, y, x), None where no file was given.

    Raises:
        InputError: only one of both options was given, or the label does not occur.
    """
    found = labelled(labels, [] if label is None else [label], volume, part, remedies)
    return None if found is None or label is None else found.mask(label)
