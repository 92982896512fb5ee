"""What the plan of a cohort, ``cohort.json``, and what its tables hold as text may say."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from pqcomq.json_schema import Count, Exact, Finite, NotNegative, Text, Whole
from pqcomq.prompt_schema import Window

_Many = Meta(max_length=1_000_000)
Modality = Literal["CT", "MR", "other"]
LabelKey = Annotated[str, Meta(pattern="^[0-9]{1,9}$")]
Label = Annotated[int, Meta(ge=0, lt=10**9)]


class Protocol(Exact):
    """How the models are prompted."""

    protocols: Annotated[list[Literal["slice", "organ"]], Meta(min_length=1, max_length=2)]
    most_slices: Annotated[int, Meta(ge=1, le=10**6)] | None
    least_voxels: Annotated[int, Meta(ge=1, le=2**31)]
    margin_voxels: Annotated[int, Meta(ge=0, le=10**4)]
    jitter_pixels: Annotated[int, Meta(ge=0, le=10**4)]
    yardstick_pixels: Annotated[int, Meta(ge=0, le=10**4)]
    seed: Whole


class ModelFile(Exact):
    """One quantized model."""

    path: Text
    fingerprint: Text


class CaseRecipe(Exact):
    """One model that is quantized for each case anew."""

    method: Literal["rtn", "comq", "pcomq", "ecq"]
    bits: Literal[2, 4, 8]
    calibrated_on: Literal["own", "leave-one-out"]


class Settings(Struct):
    """What is computed."""

    model: Text
    checkpoint: Text
    checkpoint_sha256: Text
    quantized: Annotated[list[ModelFile], Meta(max_length=1000)]
    runtime: Text
    threads: Annotated[int, Meta(ge=1, le=4096)]
    protocol: Protocol
    window: Window | None
    modality: Modality | None
    version: Text
    recipes: Annotated[list[CaseRecipe], Meta(max_length=100)] = []
    further_runtimes: Annotated[list[Text], Meta(max_length=20)] = []
    libraries: Text = ""


class Case(Exact):
    """One labelled volume."""

    name: Text
    image: Text | None
    labels: Text | None
    patient: Text
    site: Text
    modality: Modality | None
    window: Window | None
    label_names: dict[LabelKey, Text]
    only: Annotated[list[Label], _Many] | None
    asked: Annotated[list[Text], _Many]
    synthetic_seed: Count | None


class NotScored(Exact):
    """A case or label that cannot be scored."""

    case: Text
    label: Text
    reason: Text


class ModelInfo(Exact):
    """What tables say of a model."""

    name: Text
    role: Text
    title: Text
    code_bits: NotNegative
    effective_bits: NotNegative
    file_bytes: Count
    simulated: bool
    execution: Text


class AnyCohort(Struct):
    """All that a cohort of another version must say."""

    format: Whole


class CohortFile(AnyCohort):
    """A whole plan."""

    settings: Settings
    layout: Text
    cases: Annotated[list[Case], _Many]
    not_scored: Annotated[list[NotScored], _Many]
    models: Annotated[list[ModelInfo], Meta(min_length=1, max_length=1000)]


class Heads(Struct):
    """Of the pictures of a case, kept as text."""

    heads: list[Head]


class Head(Exact):
    """Of one picture."""

    model: Text
    label: Text
    z: Whole
    loss: Finite
    box: Annotated[list[Finite], Meta(min_length=4, max_length=4)]
    spacing_yx: tuple[NotNegative, NotNegative]


class Lost(Struct):
    """Labels of a case that were not scored."""

    labels: list[tuple[Text, Text]]
