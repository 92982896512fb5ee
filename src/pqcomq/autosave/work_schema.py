"""What ``work.json`` may hold."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from pqcomq.json_schema import Exact, Sha256, Text, Whole
from pqcomq.prompt_schema import Coordinate, Point, Scribble, Window, check_prompt

Label = Annotated[int, Meta(ge=1, le=65535)]


class Prompt(Exact):
    """A box, points, or both, or else a scribble."""

    box_x0y0z0x1y1z1: Annotated[list[Coordinate], Meta(min_length=6, max_length=6)] | None
    points: Annotated[list[Point], Meta(max_length=10_000)]
    slices_of_points: tuple[Whole, Whole] | None
    scribble_zyx0x1: Scribble | None = None

    def __post_init__(self) -> None:
        """See that something is asked.

        Raises:
            ValueError: there is nothing, or there are parts that do not go together.
        """
        check_prompt(self.box_x0y0z0x1y1z1, self.points, self.slices_of_points, self.scribble_zyx0x1)


class Object(Exact):
    """A named prompt."""

    number: Label
    name: Text
    prompt: Prompt
    compared: bool


class MaskOrigin(Exact):
    """What drew a mask."""

    model: dict[str, Any]
    precision: Text
    quantization: dict[str, Any] | None
    prompt: Prompt
    mode: Literal["same", "propagate"]
    window: Window
    mask_sha256: Sha256
    cascade: dict[str, Any] | None


class NamedLabel(Exact):
    """One label of a layer."""

    label: Label
    name: Text
    origin: MaskOrigin | None


class Labels(Exact):
    """A layer of masks; its voxels are in a file named by its own hash."""

    sha256: Sha256
    name: Text
    labels: Annotated[list[NamedLabel], Meta(max_length=65535)]


class OfVolume(Exact):
    """The volume by what identifies it, and where it was opened from."""

    key: Sha256
    modality: Literal["CT", "MR", "other"]
    path: Text | None


class Work(Exact):
    """All that was done on a volume."""

    saved_utc: Text
    is_closed: bool
    volume: OfVolume
    settings: dict[Text, Text]
    current: Annotated[int, Meta(ge=-1, le=65535)]
    objects: Annotated[list[Object], Meta(max_length=65535)]
    layers: Annotated[list[Labels], Meta(max_length=1000)]


class WorkFile(Struct):
    """The file: the work, and the hash of its text."""

    format: Whole
    sha256: Sha256
    work: Work
