"""A cohort's results as they stand in their folder."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pqcomq.cohort.cases.case import NotScored
from pqcomq.cohort.cohort_store import FAILED, SCORED, CohortStore
from pqcomq.cohort.packages import check_installed
from pqcomq.cohort.scoring.calibrated_here import CALIBRATED_HERE
from pqcomq.cohort.scoring.loaded_models import ModelInfo
from pqcomq.cohort.settings import CohortSettings
from pqcomq.errors import InputError
from pqcomq.wording import counted

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class CohortResult:
    """What is known of a cohort by now.

    Attributes:
        store: where the rows lie.
    """

    store: CohortStore

    @classmethod
    def at(cls, folder: Path) -> CohortResult:
        """The results in a folder.

        Raises:
            InputError: it holds none, or a package of the extra ``cohort`` is not installed.
        """
        check_installed()
        if not CohortStore.is_at(folder):
            raise InputError("The folder holds no cohort's results.", folder)
        return cls(CohortStore(folder))

    @cached_property
    def settings(self) -> CohortSettings:
        """What was computed."""
        return self.store.settings()

    @cached_property
    def models(self) -> list[ModelInfo]:
        """Full precision first."""
        return self.store.models()

    @cached_property
    def scores(self) -> pd.DataFrame:
        """A row for each prompt and model; accuracy and agreement in columns of their own."""
        return self.store.scores()

    @cached_property
    def cases(self) -> pd.DataFrame:
        """A row for each case that was tried, with its time and memory."""
        return self.store.cases()

    @cached_property
    def costs(self) -> pd.DataFrame:
        """A row for each case and model, with the time of its networks."""
        return self.store.costs()

    @cached_property
    def not_scored(self) -> list[NotScored]:
        """Cases and labels that were left out, with the reasons."""
        return self.store.not_scored()

    @cached_property
    def total(self) -> int:
        """Cases of the cohort that may be scored."""
        return len(self.store.found().cases)

    @property
    def scored(self) -> int:
        """Cases that were."""
        return 0 if self.cases.empty else int((self.cases["status"] == SCORED).sum())

    @property
    def unfinished(self) -> int:
        """Cases that no run has come to an end with; another one tries those that could not be scored, too."""
        if self.cases.empty:
            return self.total
        return self.total - int((self.cases["status"] != FAILED).sum())

    @property
    def calibrated_here(self) -> list[str]:
        """Cases that show an image which a model was calibrated on: it is not judged fairly there."""
        if self.cases.empty:
            return []
        notes = self.cases["notes"].str.contains(CALIBRATED_HERE, regex=False)
        return [str(name) for name in self.cases.loc[notes, "case"]]

    def to_dataframe(self) -> pd.DataFrame:
        """The scores, a row for each prompt and model."""
        return self.scores.copy()

    def __repr__(self) -> str:
        models = counted(len(self.models) - 1, "quantized model")
        return f"CohortResult({self.scored} of {counted(self.total, 'case')} scored, {models})"
