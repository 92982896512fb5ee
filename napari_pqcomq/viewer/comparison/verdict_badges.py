"""A verdict at a glance: a sign and a colour beside the words, since colour alone is not enough."""

from __future__ import annotations

from napari_pqcomq.viewer.scene import Mark
from pqcomq.comparison.gate import Verdict

SIGNS = {"pass": ("✓", "#56B4E9"), "fail": ("✗", "#E8743B"), "undecided": ("?", "#9AA2AE")}
"""By outcome; on the picture, where a text layer draws letters only."""


def mark_of(verdict: Verdict) -> Mark:
    """For a plate."""
    sign, colour = SIGNS[verdict.outcome]
    return Mark(f"{sign} {verdict.short}", colour)
