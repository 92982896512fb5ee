"""One bit width, or several of them side by side."""

from __future__ import annotations

from typing import Any

from magicgui.widgets import ComboBox

from napari_pqcomq.forms.value_types import BitWidths
from napari_pqcomq.translation import tr
from pqcomq.quantization.algorithm.config import BIT_WIDTHS

ALL_BITS = BitWidths(tuple(sorted(BIT_WIDTHS, reverse=True)))
"""Every bit width, the gentlest first."""


class BitWidthsEdit(ComboBox):
    """Every single bit width, then all together; others that files hold, e.g. 8 and 4 bits, once they are shown."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 (magicgui's)
        singles = [BitWidths((bits,)) for bits in BIT_WIDTHS]
        super().__init__(choices=[(_title(each), each) for each in (*singles, ALL_BITS)], **options)

    def hold(self, widths: BitWidths) -> None:
        """Have a choice for these widths."""
        if widths not in self.choices:
            self.set_choice(_title(widths), widths)


def _title(widths: BitWidths) -> str:
    *first, last = map(str, widths)
    if not first:
        return tr("{bits} bits", bits=last)
    return tr("{first} and {last} bits", first=", ".join(first), last=last)
