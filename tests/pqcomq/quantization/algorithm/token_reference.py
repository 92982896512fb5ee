"""COMQ as published, on the tokens themselves, in loops a reader can check against the paper (arXiv 2403.07134).

Nothing of the package is used: this is the slow plain thing that the fast one must equal. ``X`` is (tokens, inputs),
``w`` one output channel's weights, everything in float64.
"""

from __future__ import annotations

import torch
from torch import Tensor


def descend_codes(
    X: Tensor, w: Tensor, codes: Tensor, scale: Tensor, zero: Tensor, top: int, visit: list[int]
) -> Tensor:
    """One sweep over one channel: each code the closed-form minimiser of ‖X (w − q)‖² with the others held fixed.

    Args:
        X: (N, m).
        w: (m,).
        codes: (m,) to start from.
        scale: (m,) δ of each weight.
        zero: (m,) z of each weight.
        top: largest code.
        visit: order of the coordinates.
    """
    codes = codes.clone()
    for i in visit:
        q = scale * (codes - zero)
        q[i] = 0.0
        rest = X @ w - X @ q  # what coordinate i alone has to make up for
        best = torch.dot(X[:, i], rest) / torch.dot(X[:, i], X[:, i])
        codes[i] = (best / scale[i] + zero[i]).round().clamp(0, top)
    return codes


def best_scale(X: Tensor, w: Tensor, codes: Tensor, zero: Tensor) -> float:
    """The published scale update of a channel that is one unit: δ ← ⟨Xq, Xw⟩ / ‖Xq‖² with q = c − z."""
    Xq = X @ (codes - zero)
    return float(torch.dot(Xq, X @ w) / torch.dot(Xq, Xq))


def feedback_codes(X: Tensor, w: Tensor, scale: Tensor, zero: Tensor, top: int) -> Tensor:
    """Round column by column; after each, refit all later weights by least squares on the tokens.

    GPTQ's update (arXiv 2210.17323), written as what it minimises.
    """
    m = len(w)
    codes, current = torch.zeros_like(w), w.clone()
    for i in range(m):
        codes[i] = (current[i] / scale[i] + zero[i]).round().clamp(0, top)
        done = scale[: i + 1] * (codes[: i + 1] - zero[: i + 1])
        if i + 1 < m:
            left = X @ w - X[:, : i + 1] @ done
            current[i + 1 :] = torch.linalg.lstsq(X[:, i + 1 :], left[:, None]).solution[:, 0]
    return codes
