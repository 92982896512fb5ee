"""What is odd about a file's geometry or values: noted where harmless, asked about where harmful.

A volume is only shown where every voxel's place is true. What would draw or measure at the wrong millimetres stops the
load, with the remedies that there are; which one is taken is the user's choice and stays with the volume.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from pqcomq.errors import InputError

Remedy = Literal["resample", "largest", "sform", "qform"]
REMEDIES: dict[Remedy, str] = {
    "resample": "resample to a regular grid",
    "largest": "take the largest consistent stack",
    "sform": "believe the sform",
    "qform": "believe the qform",
}
"""Each remedy as a phrase that follows "to"."""


DOUBTFUL = frozenset({"damaged", "doubtful modality", "identity", "joined", "mixed", "no spacing", "uid", "values"})
"""Kinds of findings after which a person should look whether the volume is the one that was meant."""


@dataclass(frozen=True)
class ImportIssue:
    """One thing found.

    Attributes:
        kind: short and stable, for machines and tests, e.g. ``"tilt"``.
        sentence: for people, whole, without patient data.
        remedies: what the user may choose; a finding is harmful where there are any.
        chosen: the remedy that was applied.
    """

    kind: str
    sentence: str
    remedies: tuple[Remedy, ...] = ()
    chosen: Remedy | None = None

    @property
    def severity(self) -> Literal["harmless", "doubtful", "harmful"]:
        """Whether it is only worth knowing, should be looked at, or makes places or values wrong unless remedied."""
        return "harmful" if self.remedies else "doubtful" if self.kind in DOUBTFUL else "harmless"

    def __str__(self) -> str:
        if self.chosen is None:
            return self.sentence
        return f"{self.sentence[:-1]}; the remedy chosen was to {REMEDIES[self.chosen]}."

    def to_dict(self) -> dict[str, Any]:
        """For reports and provenance."""
        return {
            "kind": self.kind,
            "severity": self.severity,
            "sentence": self.sentence,
            "remedies": list(self.remedies),
            "chosen": self.chosen,
        }


class RemedyNeeded(InputError):  # noqa: N818  # the plugin answers it with a choice
    """The data are not one regular volume as they are; ``finding`` says why and what can be chosen."""

    def __init__(self, what: str, finding: ImportIssue) -> None:
        offered = ", or ".join(f"'{remedy}' to {REMEDIES[remedy]}" for remedy in finding.remedies)
        super().__init__(f"{finding.sentence[:-1]} ({what}); choose a remedy: {offered}.")
        self.reason, self.place = f"{finding.sentence[:-1]}; choose a remedy: {offered}.", what
        self.what = what
        self.finding = finding


def remedied(finding: ImportIssue, remedies: Collection[Remedy], what: str) -> ImportIssue:
    """The finding with the remedy that the user chose for it.

    Args:
        finding: a harmful one.
        remedies: those that the user chose, for this or other findings.
        what: names the file or series.

    Raises:
        RemedyNeeded: none of ``remedies`` is offered for it.
    """
    fitting = next((remedy for remedy in finding.remedies if remedy in remedies), None)
    if fitting is None:
        raise RemedyNeeded(what, finding)
    return replace(finding, chosen=fitting)


def chosen_remedies(findings: Sequence[ImportIssue]) -> tuple[Remedy, ...]:
    """The remedies applied, each once."""
    return tuple(dict.fromkeys(finding.chosen for finding in findings if finding.chosen is not None))


def remedy_named(name: str) -> Remedy:
    """The remedy of a name.

    Raises:
        InputError: there is none.
    """
    remedy: Remedy
    for remedy in get_args(Remedy):
        if remedy == name:
            return remedy
    raise InputError(f"There is no remedy '{name}'; name one of {', '.join(REMEDIES)}.")
