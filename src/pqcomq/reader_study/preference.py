"""A reader's preference, with a sign test against chance."""

from __future__ import annotations

from dataclasses import dataclass

from scipy.stats import binomtest

from pqcomq.comparison.presentation.comparison_text import p_value
from pqcomq.wording import counted

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Preference:
    """Counts over the trials of a finished reading.

    Attributes:
        full: trials in which full precision was preferred.
        quantized: in which the quantized model was.
        none: in which neither was.
        left: in which the left side was, whatever it showed.
        right: in which the right side was.
    """

    full: int
    quantized: int
    none: int
    left: int
    right: int

    @property
    def trials(self) -> int:
        """All of them."""
        return self.full + self.quantized + self.none

    @property
    def sentence(self) -> str:
        """The outcome in plain words, with how far chance alone would go (exact two-sided sign test)."""
        counts = (
            f"{counted(self.trials, 'trial')}: full precision preferred {_often(self.full)}, quantized "
            f"{_often(self.quantized)}, neither {_often(self.none)}; left chosen {_often(self.left)}, right "
            f"{_often(self.right)}."
        )
        decided = self.full + self.quantized
        if not decided:
            return f"{counts} The reader saw no difference."
        test = binomtest(self.full, decided, 0.5)
        interval = test.proportion_ci(CONFIDENCE, method="exact")
        return (
            f"{counts} Of {counted(decided, 'decided trial')} full precision won {self.full / decided:.0%} "
            f"(95 % interval {interval.low:.0%} to {interval.high:.0%}); "
            f"a coin would be as one-sided with probability {p_value(test.pvalue)}. One reader, one volume."
        )


def _often(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
