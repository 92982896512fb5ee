"""What is chosen where the user chooses nothing but a model and a bit width: the one answer for every way in."""

from __future__ import annotations

from dataclasses import replace

from pqcomq.errors import InputError
from pqcomq.models import medsam, sam
from pqcomq.models.registry import MODEL_KEYS
from pqcomq.quantization.algorithm.config import BIT_WIDTHS, Method, QuantizationConfig

_BUDGETS = {2: 2.6, 4: 4.6}
"""Effective bits a weight, by bit width: what groups of 64 with real zero-points in float16 and a permutation take."""

_BUDGETS_OF_MODELS = {
    key: {2: 2.4, 4: 4.38} for key in (medsam.KEY, *(each.KEY for each in (sam.VIT_B, sam.VIT_L, sam.VIT_H)))
}
"""Where they are not the usual ones. SAM has MedSAM's layers and is given its budgets, with which files take a seventh
(4 bits) and a twelfth (2 bits) of MedSAM ViT-B's checkpoint. A permutation costs 16 bits an input channel, next to
nothing in a layer of 768 outputs."""


_STORED_BITS = {2: 2.6, 4: 4.6, 8: 6.0}
"""Of entropy-coded weights, where a bit width was asked for: what fixed codes of that width take, at most 6."""


def default_config(
    model: str | None,
    bits: int,
    method: Method = "pcomq",
    *,
    integers: bool = False,
    stored_bits: float | None = None,
) -> QuantizationConfig:
    """The settings that serve a model best, by measurement, at a bit width (see *For researchers*).

    The command line, the window, the demo and :func:`pqcomq.quantize` all take these. All methods quantize the same
    layers; RTN and COMQ as they were published know neither budgets nor the quantized model's inputs.

    Args:
        model: its key, e.g. ``"lite-medsam"``; None for a network of one's own, of which nothing was measured: one
            width for all layers, and nothing that only the family knows.
        bits: bit width, 2, 4 or 8.
        method: ``"rtn"``, ``"comq"``, ``"pcomq"`` or ``"ecq"``.
        integers: weights that processors multiply as signed bytes: symmetric, multiples of one scale an output channel.
            The method is then given.
        stored_bits: of ``"ecq"``, which has no bit width, from 1 to 6; by default what fixed codes of ``bits`` take.

    Raises:
        InputError: there is no such model.
        ValueError: there is no such bit width or method.

    Examples:
        >>> import pqcomq
        >>> pqcomq.default_config("lite-medsam", 4).budget, pqcomq.default_config("medsam", 4).budget
        (4.6, 4.38)
        >>> pqcomq.default_config(None, 4).altered(["group_size=32"]).title
        '4-bit Permutation-COMQ'
        >>> pqcomq.default_config("lite-medsam", 8, "ecq", stored_bits=2.6).title
        '2.6 bits stored, entropy coded'
    """
    if stored_bits is not None and method != "ecq":
        raise ValueError("stored bits are chosen for method 'ecq' alone; the others have a bit width")
    if stored_bits is not None and integers:
        raise ValueError("weights that are multiplied as signed bytes have a bit width; leave the stored bits out")
    if bits not in BIT_WIDTHS:
        raise ValueError(f"bit width {bits}: choose one of {BIT_WIDTHS}")
    if method == "ecq" and not integers:
        return _entropy_coded(model, bits, stored_bits)
    if model is None:
        return _uniform(replace(_for_family("", bits, method, integers), decoder=False, tones="own"))
    if model not in MODEL_KEYS:
        raise InputError(f"{model!r} is no known model; choose one of {', '.join(MODEL_KEYS)}")
    return _for_family(model, bits, method, integers)


def quick_config(model: str, bits: int) -> QuantizationConfig:
    """The default without what takes longest, for a first look: one width for all layers, none chosen by its damage.

    Args:
        model: its key.
        bits: bit width, 2, 4 or 8.

    Raises:
        InputError: there is no such model.
        ValueError: there is no such bit width.

    Examples:
        >>> from pqcomq.quantization.planning.presets import quick_config
        >>> print(quick_config("lite-medsam", 4).budget)
        None
    """
    return _uniform(default_config(model, bits))


def _uniform(settings: QuantizationConfig) -> QuantizationConfig:
    """The same width for all layers; coarse scales, which pay where widths are mixed, become free."""
    return replace(settings, budget=None, scales="free" if settings.scales == "coarse" else settings.scales)


def _entropy_coded(model: str | None, bits: int, stored_bits: float | None) -> QuantizationConfig:
    if model is not None and model not in MODEL_KEYS:
        raise InputError(f"{model!r} is no known model; choose one of {', '.join(MODEL_KEYS)}")
    plain = QuantizationConfig(
        8,
        "ecq",
        granularity="channel",
        permutation="none",
        sweeps=0,
        search_clipping=False,
        zero_point="symmetric",
        stored_bits=_STORED_BITS[bits] if stored_bits is None else stored_bits,
    )
    return plain if model is None else replace(plain, decoder=True, tones="varied")


def _for_family(model: str, bits: int, method: Method, integers: bool) -> QuantizationConfig:
    if integers:
        return _for_integers(model, bits)
    if method in ("rtn", "comq"):
        return replace(QuantizationConfig.published(bits, method), granularity="group")
    if bits == 8:
        # Nothing is left to gain there by what costs time or, as real zero-points do, bits.
        return QuantizationConfig(8, method, zero_point="integer", decoder=True)
    budget = _BUDGETS_OF_MODELS.get(model, _BUDGETS).get(bits)
    return QuantizationConfig(
        bits, method, inputs="quantized", budget=budget, decoder=True, tones="varied", scales="coarse"
    )


def _for_integers(model: str, bits: int) -> QuantizationConfig:
    """At 2 and 4 bits otherwise the default.

    At 8 bits nothing is left to gain by groups, and a permutation would only change the order of the sweeps: this is
    COMQ, with error feedback first.
    """
    if bits == 8:
        return QuantizationConfig(
            8, "comq", granularity="channel", permutation="none", zero_point="symmetric", decoder=True
        )
    return replace(_for_family(model, bits, "pcomq", integers=False), zero_point="symmetric", scales="multiples")
