"""What can be chosen about a quantization."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, Self, get_args

BIT_WIDTHS = (2, 4, 8)
"""That are chosen among."""

LAYER_WIDTHS = (1, 2, 3, 4, 5, 6, 8)
"""That a layer may have, where widths are mixed."""

Method = Literal["rtn", "comq", "pcomq", "ecq"]
Granularity = Literal["layer", "channel", "group"]
Permutation = Literal["none", "magnitude"]
Order = Literal["cyclic", "greedy"]
ZeroPoint = Literal["integer", "symmetric", "real"]
Inputs = Literal["full", "quantized"]
Tones = Literal["own", "varied"]
Scales = Literal["free", "multiples", "coarse"]

METHOD_TITLES: dict[Method, str] = {
    "rtn": "Round to nearest",
    "comq": "COMQ",
    "pcomq": "Permutation-COMQ",
    "ecq": "Entropy coded",
}

PUBLISHED_TITLE = " as published"
"""Behind the title of a method with its paper's settings."""

DEFAULT_SLICES = 8
"""Of calibration, where nothing else is chosen."""

STORED_BITS = (1.0, 6.0)
"""Fewest and most bits a weight that entropy-coded layers may be asked to take."""

GROUP_SIZE = 64
"""Input channels in a group where nothing else is chosen, and where the budget chooses."""

_MOST = 2**31

_RETIRED = {"correct_bias", "input_damping"}
"""Settings of earlier versions that a weights file may still name. What they did stands in the file's tensors (a
corrected bias as the layer's own), so nothing is left to do on reading."""

_CHOICES: dict[str, tuple[str, ...]] = {
    "method": get_args(Method),
    "granularity": get_args(Granularity),
    "permutation": get_args(Permutation),
    "order": get_args(Order),
    "zero_point": get_args(ZeroPoint),
    "inputs": get_args(Inputs),
    "tones": get_args(Tones),
    "scales": get_args(Scales),
}


@dataclass(frozen=True)
class QuantizationConfig:
    """One way of quantizing layers.

    What is right for a model at a bit width is asked of :func:`.presets.default_config`. Fields left out here stand for
    the method on each layer by itself, every layer alike; they take nothing of the model into account.

    Attributes:
        bits: bit width of a code, 2, 4 or 8, of a layer also 1, 3, 5 or 6; of ``ecq`` 8, that of the layers too small
            to be entropy-coded.
        method: ``rtn`` rounds to nearest and never looks at inputs; ``comq`` descends coordinate by coordinate
            (arXiv 2403.07134); ``pcomq`` permutes first (arXiv 2604.07674); ``ecq`` rounds to unclamped integers with
            one step an input channel, by error feedback alone, for an entropy coder to store.
        granularity: the unit that shares a scale and zero-point: the whole ``layer``, an output ``channel``, or a
            ``group`` of input channels within an output channel.
        group_size: input channels in a group; the last group of a layer may be smaller. A budget chooses it itself.
        permutation: input channels in ascending ``magnitude`` of their weights before grouping, or ``none``. One
            permutation serves the whole layer: one per output channel would cost more bits than 4-bit codes.
        order: columns visited as stored (``cyclic``) or by descending weight × input norm (``greedy``), one order a
            layer.
        sweeps: passes over all columns, each followed by the closed-form update of every scale; 0 for ``rtn``.
        search_clipping: choose each unit's λ, the share of its range that the codes span, by the least error weighted
            with the inputs' energy; otherwise λ = 1 (plain min–max).
        zero_point: ``integer`` as published; ``symmetric``, the middle code 2^(b−1) everywhere; or ``real``, updated in
            closed form together with the scale.
        scales: ``free``, any float16; or ``multiples``: those of an output channel's groups are 1 to 15 times one scale
            of the channel, so that with symmetric zero-points its weights are signed bytes and that scale, which
            processors multiply as they are, and groups cost no speed; or ``coarse``: powers of 2^(1 / 2^b), and real
            zero-points in quarters of a code, so that a file stores b + 2 bits of each, see :mod:`.coarse_scales`.
        feedback: round the first pass with each error passed on to the columns not yet rounded (GPTQ,
            arXiv 2210.17323), so that the descent starts from a better point.
        damping: share of the mean input energy added to every input's own, against fitting a small calibration set.
        inputs: fit each layer to its inputs in the ``full`` model, or to those in the model whose layers before it are
            already ``quantized``, so that it also makes up for their errors.
        budget: effective bits a weight to be spent where they help most, layers then taking 2, 4 or 8 bits, with coarse
            scales 1 to 6 or 8, and groups of 32 to 128 input channels; None gives every layer :attr:`bits` and
            :attr:`group_size`.
        decoder: quantize the mask decoder's linear layers too.
        tones: calibrate on slices in their ``own`` grey values, or every other one in ``varied`` tones, as other
            scanners and modalities might show the same anatomy.
        stored_bits: of ``ecq``, bits a weight in the file, side information included, from 1 to 6; spread over layers
            by the damage that each one's errors do. None for the other methods.

    Raises:
        ValueError: a setting is outside its range.
    """

    bits: int
    method: Method = "pcomq"
    granularity: Granularity = "group"
    group_size: int = GROUP_SIZE
    permutation: Permutation = "magnitude"
    order: Order = "greedy"
    sweeps: int = 6
    search_clipping: bool = True
    zero_point: ZeroPoint = "real"
    scales: Scales = "free"
    feedback: bool = True
    damping: float = 0.01
    inputs: Inputs = "full"
    budget: float | None = None
    decoder: bool = False
    tones: Tones = "own"
    stored_bits: float | None = None

    def __post_init__(self) -> None:
        if self.bits not in LAYER_WIDTHS:
            raise ValueError(f"bit width {self.bits}: choose one of {LAYER_WIDTHS}")
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise ValueError(f"{name.replace('_', ' ')} {getattr(self, name)!r}: choose one of {choices}")
        if self.group_size < 1 or self.sweeps < 0 or not 0 <= self.damping < math.inf:
            raise ValueError("group size must be at least 1, sweeps and damping at least 0")
        if max(self.group_size, self.sweeps, self.damping, self.budget or 0) > _MOST:
            raise ValueError("group size, sweeps, damping and budget must be at most 2^31, as files hold no more")
        learns = self.sweeps or self.feedback or self.search_clipping
        if self.budget is not None and not 0 < self.budget < math.inf:
            raise ValueError("a budget is a positive number of bits a weight")
        if self.budget is not None and self.group_size != GROUP_SIZE:
            raise ValueError(
                f"group size {self.group_size}: a budget chooses each layer's groups itself; set the budget to none too"
            )
        if self.method == "rtn" and (learns or self.permutation != "none" or self.inputs != "full"):
            raise ValueError("round to nearest takes no sweeps, feedback, clipping search, permutation or inputs")
        if self.scales == "multiples" and self.zero_point != "symmetric":
            raise ValueError("scales that are multiples of one need zero point 'symmetric'")
        if self.scales == "coarse" and (self.zero_point != "real" or self.granularity == "layer"):
            raise ValueError(
                "coarse scales need zero point 'real' and units within an output channel; set scales to free too"
            )
        if (self.stored_bits is None) == (self.method == "ecq"):
            raise ValueError("stored bits belong to method 'ecq', which needs them")
        least, most = STORED_BITS
        if self.stored_bits is not None and not least <= self.stored_bits <= most:
            raise ValueError(f"{self.stored_bits} stored bits: choose a number from {least:g} to {most:g}")
        if self.method == "ecq" and (self.budget is not None or self.bits != 8):
            raise ValueError("entropy-coded layers have no bit width and no budget beside their stored bits")
        if self.method == "comq" and self.permutation != "none":
            raise ValueError("COMQ takes no permutation; choose method 'pcomq'")

    @classmethod
    def plain(cls, bits: int) -> Self:
        """Round to nearest, min–max, integer zero-points, in groups of the default size."""
        return cls(
            bits=bits,
            method="rtn",
            permutation="none",
            order="cyclic",
            sweeps=0,
            search_clipping=False,
            zero_point="integer",
            feedback=False,
        )

    @classmethod
    def published(cls, bits: int, method: Method) -> Self:
        """A method with its paper's settings: a scale and a whole zero-point an output channel, each layer by itself.

        ``comq`` visits columns by descending weight × input norm (arXiv 2403.07134, its greedy order), ``pcomq`` by
        ascending magnitude, as they are permuted (arXiv 2604.07674, whose table has a unit a channel); ``rtn`` spans
        each channel's range. The same layers as by default, since the papers' choice is not known here.

        Raises:
            ValueError: there is no such width, or the method is ``"ecq"``, which is this program's own.

        Examples:
            >>> QuantizationConfig.published(4, "pcomq").title
            '4-bit Permutation-COMQ as published'
        """
        if method == "ecq":
            raise ValueError("entropy-coded weights are this program's own method, and no paper's")
        nearest = replace(cls.plain(bits), granularity="channel", decoder=True)
        if method == "rtn":
            return nearest
        descending = replace(nearest, method=method, sweeps=6, search_clipping=True)
        if method == "comq":
            return replace(descending, order="greedy")
        return replace(descending, permutation="magnitude")

    @property
    def is_published(self) -> bool:
        """Whether these are a paper's settings, whichever layers are quantized."""
        return self.method != "ecq" and replace(self, decoder=True) == self.published(self.bits, self.method)

    def altered(self, changes: Iterable[str]) -> Self:
        """These settings with some of them written as ``name=value``, e.g. ``"group_size=32"`` or ``"budget=none"``.

        Raises:
            ValueError: there is no such setting, or it cannot have this value.
        """
        kinds = {field.name: field.type for field in fields(self)}
        values: dict[str, Any] = {}
        for change in changes:
            name, equals, text = (part.strip() for part in change.partition("="))
            if name not in kinds or not equals:
                raise ValueError(f"{change!r}: write NAME=VALUE with one of {', '.join(kinds)}")
            values[name] = _parsed(name, str(kinds[name]), text)
        return replace(self, **values)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Settings as :meth:`to_dict` wrote them, in this version or an earlier one.

        Raises:
            TypeError: there is no such setting.
            ValueError: a setting is outside its range.
        """
        known = {name: value for name, value in values.items() if name not in _RETIRED}
        if known.get("budget") is not None and "group_size" in known:
            known["group_size"] = GROUP_SIZE  # earlier versions took any beside a budget, and ignored it
        return cls(**known)

    @property
    def title(self) -> str:
        """For people, e.g. ``"4-bit Permutation-COMQ"``; entropy-coded weights are never told by a bit width."""
        if self.stored_bits is not None:
            return f"{self.stored_bits:g} bits stored, entropy coded"
        return f"{self.bits}-bit {METHOD_TITLES[self.method]}{PUBLISHED_TITLE * self.is_published}"

    def to_dict(self) -> dict[str, Any]:
        """All settings that say something, JSON-ready."""
        return {name: value for name, value in asdict(self).items() if name != "stored_bits" or value is not None}


def _parsed(name: str, kind: str, text: str) -> bool | int | float | str | None:
    """A setting's value from text; ``kind`` is its annotation."""
    try:
        if kind == "bool":
            return {"true": True, "yes": True, "false": False, "no": False}[text.lower()]
        if kind == "int":
            return int(text)
        if kind == "float | None" and text.lower() == "none":
            return None
        if kind.startswith("float"):
            return float(text)
    except (ValueError, KeyError) as problem:
        wanted = {"bool": "yes or no", "int": "a whole number"}.get(kind, "a number")
        raise ValueError(f"{name.replace('_', ' ')} {text!r}: asked for is {wanted}") from problem
    return text
