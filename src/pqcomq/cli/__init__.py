"""The command line ``pqcomq``."""

from __future__ import annotations

from pqcomq.cli.app import main

__all__ = ["main"]
