"""What the manifest of a weights file may hold, whoever wrote it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from pqcomq.json_schema import MOST_TEXT, Count, Finite, NotNegative, Text, Whole

Setting = bool | Annotated[int, Meta(ge=-(2**31), le=2**31)] | Finite | Text | None
_Extent = Annotated[int, Meta(ge=0, le=2**31)]


class Layer(Struct):
    """What the manifest says of one quantized layer.

    Attributes:
        error: share of its output energy lost on the calibration inputs.
        shape: of its weight.
        bits: bit width of its codes; of no meaning where they are entropy-coded.
        run: columns that share a scale; likewise.
        coding: of an entropy-coded layer.
        scales: whether they and the zero-points are stored on coarse grids; None where they are not.
        input_range: lowest and highest calibration input; None where the file does not say.
    """

    error: NotNegative
    shape: Annotated[tuple[_Extent, ...], Meta(max_length=8)]
    bits: Literal[1, 2, 3, 4, 5, 6, 8] | None = None
    run: Count | None = None
    coding: Literal["entropy"] | None = None
    scales: Literal["coarse"] | None = None
    input_range: tuple[Finite, Finite] | None = None

    def __post_init__(self) -> None:
        """See that it is one kind or the other, and that its range is one.

        Raises:
            ValueError: it is not.
        """
        if self.coding is None and (self.bits is None or self.run is None):
            raise ValueError("a layer has neither bits and run nor a coding")
        if self.input_range is not None and self.input_range[0] > self.input_range[1]:
            raise ValueError("an input range ends before it begins")


class AnyManifest(Struct):
    """All that a file of another version must say: its format, which its reader knows or does not."""

    format: Whole | None = None
    network_format: Whole | None = None


class Manifest(AnyManifest, kw_only=True):
    """Of the layers of any network."""

    quantization: Annotated[dict[Text, Setting], Meta(max_length=200)]
    layers: Annotated[dict[Text, Layer], Meta(min_length=1, max_length=100_000)]
    effective_bits: Finite = 0.0


class Source(Struct):
    """The checkpoint that was quantized; its name leads to no folder."""

    key: Text
    checkpoint_name: Annotated[str, Meta(max_length=MOST_TEXT, pattern=r"^[^/\\]*$")]
    checkpoint_sha256: Text
    checkpoint_bytes: Count


class CalibrationVolume(Struct):
    """One volume that it was calibrated on."""

    modality: Text
    slices: Annotated[list[Whole], Meta(max_length=100_000)]
    voxels_sha256: Text
    size_xyz: Annotated[list[_Extent], Meta(max_length=3)] = []
    spacing_mm_xyz: Annotated[list[Finite], Meta(max_length=3)] = []


class Calibration(Struct):
    """What it was calibrated on."""

    slice_count: Count
    volumes: Annotated[list[CalibrationVolume], Meta(max_length=100_000)]


class ModelManifest(Manifest, kw_only=True):
    """Of a model of the MedSAM family."""

    model: Source
    calibration: Calibration
    versions: dict[Text, Any] = {}
