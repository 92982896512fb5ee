"""Codes packed into bytes without a bit to spare.

Each row is one string of bits from the lowest bit of its first byte up, in which code i takes bits b i to b i + b − 1;
the last byte is filled up with zeros. Where b divides 8 no code lies in two bytes::

    bit    7 6 5 4 3 2 1 0
    b = 2  [ 3 ][ 2 ][ 1 ][ 0 ]     code i of a row in byte i // 4, from the low bits up
    b = 4  [   1   ][    0    ]     code i of a row in byte i // 2
    b = 8  [         0        ]
    b = 3  2 ][ 1  ][  0   ]  and  [ 5 ][ 4  ][ 3  ][ 2  and  [  7  ][  6  ][ 5     in bytes 0, 1 and 2
"""

from __future__ import annotations

import torch
from torch import Tensor


def codes_per_byte(bits: int) -> int:
    """How many codes of a bit width that divides 8 share a byte."""
    return 8 // bits


def row_bytes(columns: int, bits: int) -> int:
    """Bytes that a row of that many codes takes."""
    return -(-columns * bits // 8)


def pack(codes: Tensor, bits: int) -> Tensor:
    """Pack codes, or other whole numbers.

    Args:
        codes: (n, m) uint8 or int32, each at least 0 and below 2**bits.
        bits: 1 to 16.

    Returns:
        (n, :func:`row_bytes`) uint8.

    Raises:
        ValueError: a code needs more bits.
    """
    if codes.numel() and int(codes.max()) >= 1 << bits:
        raise ValueError(f"code {int(codes.max())} does not fit {bits} bits")
    if 8 % bits:
        return _packed_string(codes, bits)
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
    """The inverse of :func:`pack`: (n, width) uint8 → (n, columns) uint8; int32 from 9 bits on."""
    if 8 % bits:
        return _unpacked_string(packed, bits, columns)
    per_byte = codes_per_byte(bits)
    mask = (1 << bits) - 1
    slots = [(packed >> (slot * bits)) & mask for slot in range(per_byte)]  # k of (n, width)
    return torch.stack(slots, dim=2).flatten(1)[:, :columns]  # (n, columns)


def _packed_string(codes: Tensor, bits: int) -> Tensor:
    """:func:`pack` where codes lie in two bytes."""
    rows, columns = codes.shape
    digits = (codes[:, :, None] >> torch.arange(bits, dtype=codes.dtype)) & 1  # (n, m, b)
    string = torch.zeros(rows, row_bytes(columns, bits) * 8, dtype=torch.uint8)
    string[:, : columns * bits] = digits.flatten(1)
    return _numbers(string, 8).to(torch.uint8)


def _unpacked_string(packed: Tensor, bits: int, columns: int) -> Tensor:
    """:func:`unpack` where codes lie in two bytes."""
    digits = (packed[:, :, None] >> torch.arange(8, dtype=torch.uint8, device=packed.device)) & 1  # (n, width, 8)
    codes = _numbers(digits.flatten(1)[:, : columns * bits].contiguous(), bits)  # (n, m)
    return codes.to(torch.uint8) if bits <= 8 else codes


def _numbers(string: Tensor, bits: int) -> Tensor:
    """Every ``bits`` digits of strings (n, k bits), lowest first, as a number: (n, k) int32."""
    places = torch.arange(bits, dtype=torch.int32, device=string.device)
    return (string.view(len(string), -1, bits).to(torch.int32) << places).sum(dim=2, dtype=torch.int32)
