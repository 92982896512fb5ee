"""How fast a layer is quantized: against the token form at the same result, and over all of MedSAM ViT-B's encoder.

    python tests/benchmarks/sweep_speed.py

Random weights and correlated random inputs: only shapes matter for speed.
"""
# ruff: noqa: E402

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

from pqcomq.cpu_settings import apply_cpu_settings

apply_cpu_settings()  # the process is its own; before torch is imported

import torch

sys.path.append(str(Path(__file__).parents[1] / "pqcomq" / "quantization"))
from token_reference import descend_codes

from pqcomq.quantization.algorithm.coordinate_descent import rounding_pass
from pqcomq.quantization.algorithm.qparams import initial_qparams
from pqcomq.quantization.algorithm.quantize_matrix import quantize_matrix
from pqcomq.quantization.algorithm.scale_groups import ScaleGroups
from pqcomq.quantization.planning.presets import default_config

VIT_B = {"qkv": (2304, 768), "proj": (768, 768), "lin1": (3072, 768), "lin2": (768, 3072)}
"""Weights of one of its 12 blocks, (n outputs, m inputs)."""

NECK = {"patch embedding": (768, 768), "neck.0": (256, 768), "neck.2": (256, 2304)}


def correlated(tokens: int, columns: int) -> torch.Tensor:
    """(N, m) inputs."""
    generator = torch.Generator().manual_seed(0)
    mixing = torch.eye(columns) + 0.2 * torch.randn(columns, columns, generator=generator) / columns**0.5
    return torch.randn(tokens, columns, generator=generator) @ mixing


def against_the_token_form(rows: int = 64, columns: int = 160, tokens: int = 8 * 1024, repeats: int = 3) -> None:
    """One sweep of both over the same layer, taking turns; the codes must be the same."""
    X = correlated(tokens, columns).double()
    W = torch.randn(rows, columns, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    levels = initial_qparams(W, torch.ones(columns).double(), ScaleGroups.of("group", 64, columns), 4, "integer", True)
    codes, visit = levels.nearest(W), torch.arange(columns)
    scale, zero = (part.double() for part in levels.per_weight())
    fast_seconds, slow_seconds = [], []
    for _ in range(repeats):
        began = time.perf_counter()
        H = X.T @ X
        quantized = levels.values(codes)
        fast = rounding_pass(quantized, (W - quantized) @ H, H, levels, visit)
        fast_seconds.append(time.perf_counter() - began)
        began = time.perf_counter()
        slow = [
            descend_codes(X, W[row], codes[row], scale[row], zero[row], levels.top, visit.tolist())
            for row in range(rows)
        ]
        slow_seconds.append(time.perf_counter() - began)
        if not torch.equal(fast, torch.stack(slow)):
            raise SystemExit("the two forms disagree")
    ratio = statistics.median(s / f for s, f in zip(slow_seconds, fast_seconds, strict=True))
    print(
        f"one sweep of {rows} × {columns} weights, {tokens} tokens, Gram matrix included: the same codes, "
        f"{ratio:.0f} times as fast as the token form (median of {repeats})"
    )


def vit_b(bits: int) -> None:
    """All sweeps of the encoder, each distinct shape run once and counted as often as it occurs."""
    total, threads = 0.0, torch.get_num_threads()
    for shapes, times in ((VIT_B, 12), (NECK, 1)):
        for name, (rows, columns) in shapes.items():
            gram = correlated(2 * columns, columns)
            gram = gram.T @ gram
            weight = torch.randn(rows, columns)
            torch.set_num_threads(1)  # as quantize_model does
            began = time.perf_counter()
            quantize_matrix(weight, gram, default_config("lite-medsam", bits))
            seconds = time.perf_counter() - began
            total += times * seconds
            print(f"{bits} bits, {name} ({rows} × {columns}): {seconds:.2f} s, {times} of them", flush=True)
    torch.set_num_threads(threads)
    print(f"{bits} bits, all sweeps of MedSAM ViT-B's encoder: {total:.0f} s, one thread")


if __name__ == "__main__":
    against_the_token_form()
    for bits in (2, 4, 8):
        vit_b(bits)
