"""Moments of a layer's inputs as it really sees them, beside those that it saw in full precision.

Once the layers before it are quantized, a layer sees X̂ (N, m) where it saw X before, while its output should still be
``X Wᵀ``. Besides the Gram matrix Ĥ = X̂ᵀX̂ the descent then needs the cross-Gram matrix C = X̂ᵀX.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from pqcomq.quantization.algorithm.gram import InputGram
from pqcomq.quantization.algorithm.output_error import output_energy

TARGET_DAMPING = 1.0
"""How strongly a layer that makes up for the ones before it keeps to its own weights, a share of the mean input energy.
Small calibration sets need much of it."""


@dataclass
class PairedGram:
    """What is known of the same tokens in both models.

    Attributes:
        full: of X, the inputs in full precision.
        seen: of X̂, the inputs that the quantized layer will see.
        cross: (m, m), C = X̂ᵀX.
    """

    full: InputGram
    seen: InputGram
    cross: Tensor

    @classmethod
    def same(cls, grams: InputGram) -> Self:
        """For a layer that is quantized as if all others stayed in full precision: X̂ = X."""
        return cls(grams, grams, grams.gram)

    @classmethod
    def empty(cls, columns: int) -> Self:
        """For a layer with that many inputs; to be filled with :meth:`add`."""
        return cls(InputGram.empty(columns), InputGram.empty(columns), torch.zeros(columns, columns))

    @property
    def alike(self) -> bool:
        """Whether both models' inputs are the same, X̂ = X."""
        return self.seen is self.full

    def add(self, seen: Tensor, full: Tensor) -> None:
        """Take in the same tokens of both models, (N, m) each."""
        self.full.add(full)
        self.seen.add(seen)
        self.cross.addmm_(seen.T, full)

    def add_known(self, other: PairedGram) -> None:
        """Take in what is known of other tokens."""
        self.full.add_known(other.full)
        self.seen.add_known(other.seen)
        self.cross = self.cross + other.cross

    def add_unchanged(self, further: InputGram) -> None:
        """Take in tokens known in full precision only, as if the quantized model saw the same."""
        self.full.add_known(further)
        self.seen.add_known(further)
        self.cross = self.cross + further.gram

    def target(self, weight: Tensor, damping: float) -> Tensor:
        """The weights that would serve best in full precision on the inputs X̂, (n, m).

        ``W′ = W + W (Cᵀ − Ĥ)(Ĥ + λ h̄ I)⁻¹`` minimises ``‖X Wᵀ − X̂ W′ᵀ‖²``, held near W by λ: a layer that fits W′
        also makes up for what the layers before it lost. With λ → 0 and any Q, ``‖X Wᵀ − X̂ Qᵀ‖²`` and
        ``‖X̂ (W′ − Q)ᵀ‖²`` differ by a constant.

        Args:
            weight: (n, m), W.
            damping: λ, a share of Ĥ's mean diagonal h̄.
        """
        if self.alike:
            return weight
        gram = self.seen.gram
        strength = damping * float(gram.diagonal().mean())
        if not strength > 0:
            return weight
        damped = gram.double() + strength * torch.eye(len(gram), dtype=torch.float64)
        factor, failed = torch.linalg.cholesky_ex(damped)
        if int(failed):
            return weight
        shift = weight @ (self.cross.T - gram)  # (n, m)
        return weight + torch.cholesky_solve(shift.T.double(), factor).T.to(weight.dtype)

    def share_lost(self, weight: Tensor, quantized: Tensor) -> float:
        """``‖X Wᵀ − X̂ Qᵀ‖² / ‖X Wᵀ‖²``: output energy lost, the layers before it included; 0 for a dead layer."""
        energy = float(output_energy(weight, self.full.gram).sum())
        if not energy > 0:
            return 0.0
        if self.alike:
            return float(output_energy(weight - quantized, self.full.gram).sum()) / energy
        overlap = float(((quantized @ self.cross) * weight).sum())
        lost = energy - 2 * overlap + float(output_energy(quantized, self.seen.gram).sum())
        return max(lost, 0.0) / energy
