"""The quantity that all methods minimise, and by which they are compared."""

from __future__ import annotations

from torch import Tensor


def output_energy(weight: Tensor, gram: Tensor) -> Tensor:
    """``‖X Wᵀ‖²`` from the Gram matrix: (n, m), (m, m) → (n,) per output channel."""
    return ((weight @ gram) * weight).sum(dim=1)


def relative_error(weight: Tensor, quantized: Tensor, gram: Tensor, energy: float | None = None) -> float:
    """``‖X (W − Q)ᵀ‖² / ‖X Wᵀ‖²``, the share of a layer's output energy that quantization lost; 0 for a dead layer.

    Args:
        weight: (n, m), W.
        quantized: (n, m), Q.
        gram: (m, m), of the layer's inputs.
        energy: ``‖X Wᵀ‖²`` where it is known.
    """
    whole = float(output_energy(weight, gram).sum()) if energy is None else energy
    lost = float(output_energy(weight - quantized, gram).sum())
    return lost / whole if whole > 0 else 0.0
