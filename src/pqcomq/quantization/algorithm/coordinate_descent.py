"""One pass over all columns, each rounded with the others held fixed; the hot path of every method but RTN.

Two passes are the same arithmetic on different matrices. With target ``t_i = b_i + r_i / K_ii`` for column i:

* coordinate descent (COMQ, arXiv 2403.07134, in Gram form): b = Q, r = (W − Q) H, K = H. The closed-form minimiser of
  one code with all others fixed.
* error feedback (GPTQ, arXiv 2210.17323, as Babai's nearest plane): b = W, r = 0, K = M upper triangular, H = M Mᵀ. The
  minimiser with all later columns free to make up for the error.

After rounding t_i to q_i, ``r_j −= K_ij (q_i − b_i)`` for the columns to come. Columns are taken in blocks: inside one,
the update is a thin outer product, compiled; everything beyond waits and becomes one matrix product.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pqcomq.quantization.algorithm.qparams import QParams
from pqcomq.quantization.algorithm.rounding_kernel import block_rounding
from pqcomq.quantization.algorithm.scale_groups import ScaleGroups

_BLOCK = 64
_UNBOUNDED = 2**24


def rounding_pass(base: Tensor, residual: Tensor, coupling: Tensor, levels: QParams, visit: Tensor) -> Tensor:
    """Round every column once.

    Args:
        base: (n, m), b.
        residual: (n, m), r.
        coupling: (m, m), K; rows and columns already in visiting order.
        levels: to round to.
        visit: (m,) int64, the order in which columns are taken.

    Returns:
        (n, m) codes, as float32 integers, in stored order.
    """
    scale, zero_point = (part.expand_as(base).T[visit].contiguous() for part in levels.per_weight())  # (m, n) each
    # Transposed: a column's values for all outputs then lie next to each other in memory.
    start, rest = base.T[visit].contiguous(), residual.T[visit].contiguous()  # (m, n) each
    inverse_scale, inverse_pivot = 1.0 / scale, 1.0 / coupling.diagonal()
    codes, change = torch.empty_like(start), torch.empty_like(start)  # (m, n) each
    round_block = block_rounding()
    for first in range(0, len(start), _BLOCK):
        block, later = slice(first, first + _BLOCK), slice(first + _BLOCK, None)
        round_block(
            start=start[block].numpy(),
            rest=rest[block].numpy(),
            coupling=coupling[block, block].contiguous().numpy(),
            scale=scale[block].numpy(),
            zero_point=zero_point[block].numpy(),
            inverse_scale=inverse_scale[block].numpy(),
            inverse_pivot=inverse_pivot[block].numpy(),
            bottom=levels.bottom,
            top=levels.top,
            codes=codes[block].numpy(),
            change=change[block].numpy(),
        )
        rest[later].addmm_(coupling[block, later].T, change[block], alpha=-1)
    restored = torch.empty_like(codes)
    restored[visit] = codes
    return restored.T.contiguous()


def integer_pass(weight: Tensor, factor: Tensor, step: Tensor, visit: Tensor) -> Tensor:
    """Error feedback to unclamped integers with one step a column.

    Args:
        weight: (n, m), b.
        factor: (m, m), M; rows and columns already in visiting order.
        step: (m,), of each column.
        visit: (m,) int64, the order in which columns are taken.

    Returns:
        (n, m) codes, as float32 integers, in stored order.
    """
    levels = QParams(
        step[None, :], torch.zeros(1, len(step)), ScaleGroups(len(step), 1), _UNBOUNDED, bottom=-_UNBOUNDED
    )
    return rounding_pass(weight, torch.zeros_like(weight), factor, levels, visit)


def feedback_factor(gram: Tensor) -> Tensor | None:
    """M upper triangular with ``H = M Mᵀ``: the Cholesky factor of H taken from its last row upwards.

    Args:
        gram: (m, m), positive definite (damped).

    Returns:
        (m, m); None if rounding errors have made the matrix indefinite, and there is no such factor.
    """
    lower, failed = torch.linalg.cholesky_ex(gram.double().flip(0, 1))
    return None if int(failed) else lower.flip(0, 1).to(gram.dtype)
