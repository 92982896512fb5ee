"""How far files can be compressed."""

from __future__ import annotations

MOST_DEFLATION = 1100
"""gzip shrinks nothing further (its limit is 1032), so a larger promise is a broken header."""
