"""What ``session.json`` may hold: every entry that this program makes something of, its kind and its range."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from pqcomq.json_schema import Count, Exact, Finite, NotNegative, Share, Text, Whole
from pqcomq.prompt_schema import Coordinate, Point, Scribble, Window, check_prompt
from pqcomq.segmentation.doubt import DOUBTFUL

_Some = Meta(min_length=1, max_length=100_000)
Seed = Annotated[int, Meta(ge=0, le=2**62)]


class Latency(Exact):
    """Of one network."""

    median_ms: Annotated[float, Meta(ge=1e-6, le=1e300)]  # others are divided by it
    p95_ms: NotNegative
    passes: Count
    each_ms: Annotated[list[NotNegative], Meta(max_length=1_000_000)]


class Execution(Exact):
    """What ran it."""

    runtime: Text
    weights: Text
    activations: Text
    simulated: bool
    threads: Count
    cpu_features: Annotated[list[Text], Meta(max_length=1000)]
    setting: Text = "torch"
    why: Text = ""


class Scores(Exact):
    """Two masks compared; no distance is written for an infinite one."""

    dice: Share
    nsd: Share
    hd95_mm: NotNegative | None
    volume_a_ml: NotNegative
    volume_b_ml: NotNegative
    volume_difference_percent: Finite | None
    both_empty: bool
    hd95_infinite: bool
    nsd_tolerance_mm: NotNegative = 2.0

    def __post_init__(self) -> None:
        """See that a distance is given, or said to be infinite.

        Raises:
            ValueError: neither or both.
        """
        if (self.hd95_mm is None) != self.hd95_infinite:
            raise ValueError("a distance is neither given nor infinite")


class Side(Struct):
    """One model's result."""

    model: Text
    precision: Text
    volume_ml: NotNegative
    encoder: Latency
    decoder: Latency
    speed: Text
    execution: Execution
    peak_process_memory_bytes: Count
    working_memory_bytes: Count
    file_bytes: Count
    effective_bits: NotNegative
    accuracy_against_ground_truth: Scores | None


class SliceScores(Exact):
    """Dice on one slice."""

    z: Whole
    agreement: Share
    reference_accuracy: Share | None
    candidate_accuracy: Share | None
    candidate_stability: Share | None = None


class Environment(Exact):
    """The machine."""

    runtime: Text
    threads: Count
    cpu_capability: Text
    keeps_freed_memory: bool
    machine: Text
    system: Text
    python: Text
    pqcomq: Text


class NamedVolume(Struct):
    """A volume by what identifies it."""

    name: Text
    voxels_sha256: Text


class Found(Struct):
    """One comparison."""

    volume: NamedVolume
    box_x0y0z0x1y1z1: Annotated[list[Coordinate], Meta(min_length=6, max_length=6)] | None
    prompts: Literal["same", "propagate"]
    window: Window
    reference: Side
    candidate: Side
    agreement_between_models: Scores
    slices: Annotated[list[SliceScores], _Some]
    environment: Environment
    full_precision_encoder_in_torch: Latency | None = None
    points: Annotated[list[Point], Meta(max_length=10_000)] = []
    slices_of_points: tuple[Whole, Whole] | None = None
    scribble_zyx0x1: Scribble | None = None

    def __post_init__(self) -> None:
        """See that something was asked.

        Raises:
            ValueError: there is nothing, or there are parts that do not go together.
        """
        check_prompt(self.box_x0y0z0x1y1z1, self.points, self.slices_of_points, self.scribble_zyx0x1)


class Compared(Struct):
    """A comparison with its masks' files."""

    reference_mask: Text
    candidate_mask: Text
    found: Found


class Box(Exact):
    """A 3-D box."""

    x0: Coordinate
    y0: Coordinate
    z0: Whole
    x1: Coordinate
    y1: Coordinate
    z1: Whole


class MovedBox(Exact):
    """One box beside the user's."""

    box: Box
    dice: Share
    accuracy: Share | None


class BoxJitter(Struct):
    """Full precision under moved boxes."""

    shift_pixels: Annotated[int, Meta(ge=0, le=10_000)]
    shift_mm: tuple[NotNegative, NotNegative]
    seed: Seed
    moved: Annotated[list[MovedBox], _Some]


class Object(Struct):
    """One object."""

    name: Text
    truth: Text | None
    comparisons: Annotated[list[Compared], _Some]
    box_jitter: BoxJitter | None
    number: Annotated[int, Meta(ge=1, le=65535)] | UnsetType = UNSET


class Answer(Struct):
    """One answer of a blinded reading."""

    trial: Count
    object: Text
    precision: Text
    slice: Whole
    choice: Literal["left", "right", "none"]
    seconds: NotNegative
    left_was: Text


class Reading(Struct):
    """A finished blinded reading."""

    seed: Seed
    rows: Annotated[list[Answer], _Some]


class Gate(Struct):
    """The tolerance."""

    least_dice_between_models: Annotated[float, Meta(gt=0, le=1)]
    greatest_volume_difference_percent: NotNegative
    in_doubt_below_stability: Share = DOUBTFUL


class Model(Struct):
    """The full-precision model."""

    key: Text
    checkpoint_sha256: Text


class AnySession(Struct):
    """All that a session of another version must say."""

    format: Whole


class SessionFile(AnySession):
    """A whole session."""

    made_utc: Text
    volume: NamedVolume
    model: Model
    weights: Annotated[list[Text], _Some]
    gate: Gate
    objects: Annotated[list[Object], _Some]
    reading: Reading | None

    def __post_init__(self) -> None:
        """See that every object was compared with every model.

        Raises:
            ValueError: one was not.
        """
        if any(len(each.comparisons) != len(self.weights) for each in self.objects):
            raise ValueError("an object has other comparisons than there are weights")
