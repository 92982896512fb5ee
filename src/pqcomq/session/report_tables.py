"""A session's numbers as tables for spreadsheets and for the page."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pqcomq.session.session import Session


def gate_rows(session: Session) -> list[dict[str, Any]]:
    """A row for each object and model: passed or not, and why."""
    return [verdict.to_dict() for verdict in session.verdicts]


def slice_rows(session: Session) -> list[dict[str, Any]]:
    """A row for each object, model and slice; Dice between the models and against ground truth in their own columns."""
    return [
        {"object": each.name, "precision": comparison.candidate.precision, **asdict(scores)}
        for each in session.objects
        for comparison in each.comparisons
        for scores in comparison.slices
    ]
