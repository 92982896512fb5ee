"""Codes packed into bytes without a bit to spare.

Layout, for bit width b and k = 8 / b codes a byte, row by row (each row padded to whole bytes)::

    bit    7 6 5 4 3 2 1 0
    b = 2  [ 3 ][ 2 ][ 1 ][ 0 ]     code i of a row in byte i // 4, from the low bits up
    b = 4  [   1   ][    0    ]     code i of a row in byte i // 2
    b = 8  [         0        ]
"""

from __future__ import annotations

import torch
from torch import Tensor


def codes_per_byte(bits: int) -> int:
    """How many codes of this bit width (2, 4, 8) share a byte."""
    return 8 // bits


def pack(codes: Tensor, bits: int) -> Tensor:
    """Pack codes.

    Args:
        codes: (n, m) uint8, each below 2**bits.
        bits: 2, 4 or 8.

    Returns:
        (n, ceil(m / codes_per_byte)) uint8.

    Raises:
        ValueError: a code needs more bits.
    """
    if codes.numel() and int(codes.max()) >= 1 << bits:
        raise ValueError(f"code {int(codes.max())} does not fit {bits} bits")
    per_byte = codes_per_byte(bits)
    rows, columns = codes.shape
    width = -(-columns // per_byte)
    padded = torch.zeros(rows, width * per_byte, dtype=torch.uint8)  # (n, width * k)
    padded[:, :columns] = codes
    slots = padded.view(rows, width, per_byte)  # (n, width, k)
    packed = torch.zeros(rows, width, dtype=torch.uint8)  # (n, width)
    for slot in range(per_byte):
        packed |= slots[:, :, slot] << (slot * bits)
    return packed


def unpack(packed: Tensor, bits: int, columns: int) -> Tensor:
    """The inverse of :func:`pack`: (n, width) uint8 → (n, columns) uint8."""
    per_byte = codes_per_byte(bits)
    mask = (1 << bits) - 1
    slots = [(packed >> (slot * bits)) & mask for slot in range(per_byte)]  # k of (n, width)
    return torch.stack(slots, dim=2).flatten(1)[:, :columns]  # (n, columns)
