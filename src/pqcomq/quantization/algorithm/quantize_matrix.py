"""One layer's weight matrix, quantized."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from pqcomq.quantization.algorithm.config import Order, Permutation, QuantizationConfig
from pqcomq.quantization.algorithm.coordinate_descent import feedback_factor, rounding_pass
from pqcomq.quantization.algorithm.qparams import QParams, initial_qparams
from pqcomq.quantization.algorithm.qparams_update import updated_qparams
from pqcomq.quantization.algorithm.quantized_weight import QuantizedWeight
from pqcomq.quantization.algorithm.scale_groups import ScaleGroups

_LEAST_GAIN = 1e-3
"""Sweeps end early once one lowers the error by less than this share."""


def quantize_matrix(
    weight: Tensor, gram: Tensor, settings: QuantizationConfig, shape: tuple[int, ...] | None = None
) -> QuantizedWeight:
    """Quantize a weight matrix for the inputs that its layer sees.

    Args:
        weight: (n, m) float32.
        gram: (m, m) float32, XᵀX of the layer's inputs. Round to nearest never looks at it.
        settings: how.
        shape: the layer's own weight shape, by default (n, m).

    Returns:
        The codes with their scales, zero-points and permutation.

    Raises:
        ValueError: weights or Gram matrix are not finite, or scales would not fit float16.
    """
    return quantize_prepared(PreparedMatrix.of(weight, gram, settings), settings, shape or tuple(weight.shape))


@dataclass(frozen=True, eq=False)
class PreparedMatrix:
    """What all bit widths and groups of one matrix have in common; worked out once, where several are tried.

    Attributes:
        weight: (n, m), in stored order.
        gram: (m, m), damped, in the same order.
        order: (m,), the input channel of each stored column; None where they are as in the layer.
        visiting: the order in which columns are rounded.
    """

    weight: Tensor
    gram: Tensor
    order: Tensor | None
    visiting: Order

    @classmethod
    def of(cls, weight: Tensor, gram: Tensor, settings: QuantizationConfig) -> PreparedMatrix:
        """A matrix (n, m) and the Gram matrix (m, m) of its inputs.

        Raises:
            ValueError: either is not finite.
        """
        check_finite(weight, gram)
        order = _permutation(weight, settings.permutation)
        stored = weight if order is None else weight[:, order]  # (n, m)
        seen = damped(gram if order is None else gram[order][:, order], settings.damping)  # (m, m)
        return cls(stored, seen, order, settings.order)

    @cached_property
    def visit(self) -> Tensor:
        """(m,) int64, stored columns in the order in which they are rounded."""
        return visiting_order(self.weight, self.gram, self.visiting)

    @cached_property
    def coupling(self) -> Tensor:
        """(m, m), the Gram matrix in visiting order."""
        return self.gram[self.visit][:, self.visit]

    @cached_property
    def factor(self) -> Tensor | None:
        """(m, m), see :func:`.feedback_factor`: for few rows, most of the time that a trial takes."""
        return feedback_factor(self.coupling)


def quantize_prepared(matrix: PreparedMatrix, settings: QuantizationConfig, shape: tuple[int, ...]) -> QuantizedWeight:
    """Quantize a matrix that was prepared with the same permutation, damping and order, see :func:`quantize_matrix`."""
    units = ScaleGroups.of(settings.granularity, settings.group_size, matrix.weight.shape[1])
    levels = initial_qparams(
        matrix.weight,
        matrix.gram.diagonal(),
        units,
        settings.bits,
        settings.zero_point,
        settings.search_clipping,
        settings.scales,
    )
    codes = levels.nearest(matrix.weight)
    if settings.method != "rtn":
        codes, levels = _descend(matrix, codes, levels, settings)
    return _packed(codes, levels, matrix.order, settings, shape)


def check_finite(weight: Tensor, gram: Tensor) -> None:
    """Refuse what nothing can be computed from.

    Raises:
        ValueError: weights or Gram matrix are not finite.
    """
    if not bool(torch.isfinite(weight).all()):
        raise ValueError("the weights hold values that are not finite")
    if not bool(torch.isfinite(gram).all()):
        raise ValueError("the calibration inputs hold values that are not finite")


def _permutation(weight: Tensor, kind: Permutation) -> Tensor | None:
    """Input channels in ascending magnitude, arXiv 2604.07674: neighbours in a unit are then of like size."""
    return None if kind == "none" else weight.abs().mean(dim=0).argsort(stable=True)


def damped(gram: Tensor, share: float) -> Tensor:
    """``H + share · mean(diag H) · I``. An input that is dead in calibration is so rounded to nearest.

    Without damping such an input gets the mean, and no other one anything.
    """
    mean = float(gram.diagonal().mean())
    made = gram + (share * mean if mean > 0 else 1.0) * torch.eye(gram.shape[0])
    made.diagonal().masked_fill_(made.diagonal() == 0, mean)
    return made


def visiting_order(weight: Tensor, gram: Tensor, order: Order) -> Tensor:
    """Columns as stored, or COMQ's greedy order ``|w_i| ‖x_i‖`` descending, summed over output channels."""
    if order == "cyclic":
        return torch.arange(weight.shape[1])
    return (weight.abs().sum(dim=0) * gram.diagonal().sqrt()).argsort(descending=True, stable=True)


def _descend(
    matrix: PreparedMatrix, codes: Tensor, levels: QParams, settings: QuantizationConfig
) -> tuple[Tensor, QParams]:
    """Error feedback if asked for, then sweeps of codes and levels in turn; the error never rises."""
    weight, gram, visit, coupling = matrix.weight, matrix.gram, matrix.visit, matrix.coupling
    residual, error = _left(weight, gram, levels.values(codes))
    factor = matrix.factor if settings.feedback else None
    if factor is not None:
        fed = rounding_pass(weight, torch.zeros_like(weight), factor, levels, visit)
        fed_residual, fed_error = _left(weight, gram, levels.values(fed))
        if fed_error < error:
            codes, residual, error = fed, fed_residual, fed_error
    for _ in range(settings.sweeps):
        codes = rounding_pass(levels.values(codes), residual, coupling, levels, visit)
        update = updated_qparams(weight, gram, codes, levels, settings.zero_point)
        levels, residual = update.levels, update.residual
        before, error = error, update.error
        if before - error < _LEAST_GAIN * before:
            break
    return codes, levels


def _left(weight: Tensor, gram: Tensor, quantized: Tensor) -> tuple[Tensor, float]:
    """The residual ``(W − Q) H``, (n, m), and the error ``‖X (W − Q)ᵀ‖²``."""
    missing = weight - quantized
    residual = missing @ gram
    return residual, float((missing * residual).sum())


def _packed(
    codes: Tensor, levels: QParams, order: Tensor | None, settings: QuantizationConfig, shape: tuple[int, ...]
) -> QuantizedWeight:
    if not bool(torch.isfinite(levels.scale).all() and torch.isfinite(levels.zero_point).all()):
        raise ValueError("the weights are too large: their scales do not fit float16")
    integral = settings.zero_point != "real"
    return QuantizedWeight.of(
        codes.to(torch.uint8),
        levels.scale.half(),
        levels.zero_point.to(torch.uint8) if integral else levels.zero_point.half(),
        order,
        settings.bits,
        levels.units.run,
        shape,
        coarse=settings.scales == "coarse",
    )
