"""What the program is for."""

from __future__ import annotations

RESEARCH_ONLY = "Research use only: not for diagnosis or treatment."
