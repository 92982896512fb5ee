"""The end of a job that its user has asked for."""

from __future__ import annotations


class CancelledError(Exception):
    """The user has cancelled the job; of a download what came is kept, and the next one goes on from there."""
