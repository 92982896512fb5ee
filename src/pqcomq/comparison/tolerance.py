"""The user's own tolerance, and what stands for it where nothing is said."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pqcomq.errors import InputError
from pqcomq.segmentation.doubt import DOUBTFUL


@dataclass(frozen=True)
class Tolerance:
    """How much the quantized model may differ from full precision.

    Attributes:
        dice: least Dice between the models, above 0 and up to 1.
        volume_percent: greatest difference of the volumes in %, of full precision's volume, either way.
        stability: stability score below which a slice is called in doubt. Told beside the verdict, which it does not
            decide: a session knows what full precision answers.

    Raises:
        InputError: a number is out of its range.
    """

    dice: float = 0.98
    volume_percent: float = 5.0
    stability: float = DOUBTFUL

    def __post_init__(self) -> None:
        if not 0 < self.dice <= 1:
            raise InputError(f"The least Dice of the gate must lie above 0 and be at most 1, not {self.dice:g}.")
        if not (math.isfinite(self.volume_percent) and self.volume_percent >= 0):
            raise InputError(f"The greatest volume difference must be 0 % or more, not {self.volume_percent:g} %.")
        if not 0 <= self.stability <= 1:
            raise InputError(f"The stability below which a slice is in doubt lies from 0 to 1, not {self.stability:g}.")

    def __str__(self) -> str:
        """The tolerance in plain words."""
        return f"Dice between the models at least {self.dice:g}, volumes at most {self.volume_percent:g} % apart"
