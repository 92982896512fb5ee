"""One labelled volume of a cohort, by its files alone, and what of it cannot be scored."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from pqcomq.volumes.intensity_window import Window
from pqcomq.volumes.volume import Modality

IGNORED = "ignore"
"""nnU-Net's name of voxels that nobody labelled; they are no object."""


@dataclass(frozen=True)
class Case:
    """One image with its labels.

    Attributes:
        name: unique in the cohort.
        image: volume file or DICOM folder; None for a synthetic case.
        labels: label file on the image's voxels; None for a synthetic case.
        patient: whom it shows; cases of one patient are one unit of the statistics. By default the case's name.
        site: where it was taken, if that is known.
        modality: overrides what the file says or what is guessed.
        window: of the models' input; None for the modality's own.
        label_names: label number → what it encloses, e.g. ``{1: "spleen"}``; labels not named are ``"label 1"``.
        only: labels to score, by number; None for all but one called ``"ignore"``.
        asked: labels to score, by name or number, of those; empty for all.
        synthetic_seed: of a case that is drawn, not read.
    """

    name: str
    image: Path | None
    labels: Path | None
    patient: str = ""
    site: str = ""
    modality: Modality | None = None
    window: Window | None = None
    label_names: Mapping[int, str] = field(default_factory=dict)
    only: tuple[int, ...] | None = None
    asked: tuple[str, ...] = ()
    synthetic_seed: int | None = None

    @property
    def unit(self) -> str:
        """The patient, or the case where no patient is named."""
        return self.patient or self.name

    @property
    def key(self) -> str:
        """Name of its files in the results: a hash, since a case may be named after its patient."""
        return _hashed(self.name)

    @property
    def unit_key(self) -> str:
        """Name of files that all cases of its patient share."""
        return _hashed(self.unit)

    def label_title(self, number: int) -> str:
        """What a label encloses, as far as it is known."""
        return self.label_names.get(number, f"label {number}")

    def wanted(self, names: Mapping[int, str]) -> list[int]:
        """The labels to score.

        Args:
            names: of all labels, by number.
        """
        kept = (number for number, name in names.items() if name != IGNORED) if self.only is None else self.only
        allowed = sorted(kept)
        if not self.asked:
            return allowed
        asked = {each.casefold() for each in self.asked}
        return [each for each in allowed if str(each) in asked or names.get(each, "").casefold() in asked]

    def lacking(self, names: Mapping[int, str]) -> list[str]:
        """The labels asked for that it has not; arguments as :meth:`wanted`'s."""
        return [each for each in self.asked if not replace(self, asked=(each,)).wanted(names)]

    def difference(self, other: Case) -> str | None:
        """The first thing in which two cases of one name differ so that their numbers do, as a clause; files aside.

        No number of a case hangs on what its patient and site are called: they are said anew by whoever runs the
        cohort, and tables go by that.

        Returns:
            None where their numbers would be the same.
        """
        ours, theirs = self._deciding(), other._deciding()
        return next((name for name, value in ours.items() if value != theirs[name]), None)

    def _deciding(self) -> dict[str, object]:
        """What decides the case's numbers beside its voxels, by what is said where two differ in it."""
        return {
            "other labels asked for": ({each.casefold() for each in self.asked}, self.only),
            "other names of labels": dict(self.label_names),
            "another window": self.window,
            "another modality": self.modality,
            "another seed": self.synthetic_seed,
        }

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        content = asdict(self)
        content["image"] = None if self.image is None else str(self.image)
        content["labels"] = None if self.labels is None else str(self.labels)
        content["label_names"] = {str(number): name for number, name in self.label_names.items()}
        return content

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Case:
        """The inverse of :meth:`to_dict`."""
        known = dict(content)
        for name in ("image", "labels"):
            known[name] = None if known[name] is None else Path(known[name])
        known["window"] = None if known["window"] is None else Window(**known["window"])
        known["label_names"] = {int(number): name for number, name in known["label_names"].items()}
        known["asked"] = tuple(known["asked"])
        known["only"] = None if known["only"] is None else tuple(known["only"])
        return cls(**known)


def _hashed(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:20]


@dataclass(frozen=True)
class NotScored:
    """A case, or one label of it, that cannot be scored.

    Attributes:
        case: its name.
        label: title of the label; empty for the whole case.
        reason: one sentence.
    """

    case: str
    label: str
    reason: str


@dataclass(frozen=True)
class CaseList:
    """What a data set holds.

    Attributes:
        cases: that can be scored as far as their files' headers tell, by name.
        not_scored: the others.
        layout: how the data set is laid out, for people.
    """

    cases: tuple[Case, ...]
    not_scored: tuple[NotScored, ...] = ()
    layout: str = ""
