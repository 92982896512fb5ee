"""One bit width, or all of them side by side."""

from __future__ import annotations

from typing import Any

from magicgui.widgets import ComboBox

from napari_pqcomq.forms.value_types import BitWidths
from napari_pqcomq.translation import tr
from pqcomq.quantization.algorithm.config import BIT_WIDTHS

ALL_BITS = BitWidths(tuple(sorted(BIT_WIDTHS, reverse=True)))
"""Every bit width, the gentlest first."""


class BitWidthsEdit(ComboBox):
    """Every single bit width, then all together."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 (magicgui's)
        choices = [(tr("{bits} bits", bits=bits), (bits,)) for bits in BIT_WIDTHS]
        *first, last = map(str, ALL_BITS)
        super().__init__(
            choices=[*choices, (tr("{first} and {last} bits", first=", ".join(first), last=last), ALL_BITS)], **options
        )
