"""A blinded reading: one trial after another, unblinded at the end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Literal

from pqcomq.csv_table import write_table
from pqcomq.errors import InputError
from pqcomq.reader_study.preference import Preference
from pqcomq.reader_study.trials import Item, Trial, dealt

Choice = Literal["left", "right", "none"]
Preferred = Literal["full precision", "quantized", "none"]


@dataclass(frozen=True)
class Answer:
    """What the reader chose.

    Attributes:
        trial: that was shown.
        choice: the side preferred, or none.
        seconds: from showing to choosing.
    """

    trial: Trial
    choice: Choice
    seconds: float

    @property
    def preferred(self) -> Preferred:
        """The model behind the choice; unblinds the trial."""
        if self.choice == "none":
            return "none"
        return "quantized" if (self.choice == "left") == self.trial.quantized_is_left else "full precision"


@dataclass
class BlindedReading:
    """A reading under way.

    Attributes:
        seed: of the randomization; whoever has it can repeat the randomization and so unblind the reading.
        trials: in the order of reading.
        answers: so far.
    """

    seed: int
    trials: tuple[Trial, ...]
    answers: list[Answer] = field(default_factory=list)

    @classmethod
    def of(cls, items: Sequence[Item], seed: int) -> BlindedReading:
        """Randomize a reading.

        Raises:
            InputError: there is nothing to read.
        """
        if not items:
            raise InputError("There is nothing to read: both models gave the same masks on every slice.")
        return cls(seed, dealt(items, seed))

    @property
    def current(self) -> Trial | None:
        """The trial to be answered; None when all are."""
        return self.trials[len(self.answers)] if not self.is_finished else None

    @property
    def is_finished(self) -> bool:
        """Whether every trial has its answer: only then is the reading unblinded."""
        return len(self.answers) == len(self.trials)

    def answer(self, choice: Choice, seconds: float) -> None:
        """Choose on the current trial.

        Raises:
            ValueError: the reading is finished.
        """
        trial = self.current
        if trial is None:
            raise ValueError("the reading is finished")
        self.answers.append(Answer(trial, choice, seconds))

    def rows(self) -> list[dict[str, Any]]:
        """The answers as a table; they name the model on each side only when the reading is finished."""
        return [_row(answer, self.seed if self.is_finished else None) for answer in self.answers]

    def write(self, path: Path) -> None:
        """Write the answers so far as CSV, over what was written for the trials before.

        Raises:
            InputError: the file cannot be written.
        """
        if self.answers:
            write_table(self.rows(), path, overwrite=True)

    @property
    def preference(self) -> Preference:
        """What the reader preferred.

        Raises:
            ValueError: the reading is not finished.
        """
        if not self.is_finished:
            raise ValueError("models are named only when the reading is finished")
        return _preference(self.answers)

    @property
    def summary(self) -> str:
        """What the reader preferred, in plain words; of several quantized models each by itself.

        Raises:
            ValueError: the reading is not finished.
        """
        precisions = sorted({trial.item.precision for trial in self.trials})
        if len(precisions) < 2:
            return self.preference.sentence
        if not self.is_finished:
            raise ValueError("models are named only when the reading is finished")
        parts = {name: [each for each in self.answers if each.trial.item.precision == name] for name in precisions}
        return " ".join(f"{name}: {_preference(answers).sentence}" for name, answers in parts.items())

    @property
    def outcome(self) -> str:
        """What the reader preferred, and how long it took, in plain words.

        Raises:
            ValueError: the reading is not finished.
        """
        return f"{self.summary} {self._times}"

    @property
    def _times(self) -> str:
        """Medians are told: a reader who was called away from one pair is no slow reader."""
        seconds = [answer.seconds for answer in self.answers]
        told = f"Time for a pair: median {median(seconds):.1f} s, from {min(seconds):.1f} to {max(seconds):.1f} s"
        decided = [answer.seconds for answer in self.answers if answer.preferred != "none"]
        undecided = [answer.seconds for answer in self.answers if answer.preferred == "none"]
        if decided and undecided:
            told += f" (median {median(decided):.1f} s where one was preferred, {median(undecided):.1f} s where none)"
        return f"{told}."

    def to_dict(self) -> dict[str, Any]:
        """A finished reading, JSON-ready; its rows and its seed tell everything."""
        return {"seed": self.seed, "rows": self.rows(), "summary": self.summary}

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> BlindedReading:
        """The inverse of :meth:`to_dict`.

        Raises:
            KeyError: an entry is missing.
            ValueError: a choice or a time is not valid.
        """
        answers = []
        for row in content["rows"]:
            choice, seconds = row["choice"], float(row["seconds"])
            if choice not in ("left", "right", "none") or not math.isfinite(seconds):
                raise ValueError(f"choice {choice!r} after {seconds} s")
            item = Item(str(row["object"]), str(row["precision"]), int(row["slice"]))
            trial = Trial(int(row["trial"]), item, row["left_was"] == "quantized")
            answers.append(Answer(trial, choice, seconds))
        return cls(int(content["seed"]), tuple(each.trial for each in answers), answers)


def _preference(answers: Sequence[Answer]) -> Preference:
    preferred = [answer.preferred for answer in answers]
    return Preference(
        full=preferred.count("full precision"),
        quantized=preferred.count("quantized"),
        none=preferred.count("none"),
        left=sum(answer.choice == "left" for answer in answers),
        right=sum(answer.choice == "right" for answer in answers),
    )


def _row(answer: Answer, seed: int | None) -> dict[str, Any]:
    """One answer; the seed, which unblinds the reading, is given only together with the names."""
    trial = answer.trial
    row: dict[str, Any] = {
        "trial": trial.number,
        "object": trial.item.name,
        "slice": trial.item.z,
        "choice": answer.choice,
        "seconds": round(answer.seconds, 2),
    }
    if seed is not None:
        sides = ("quantized", "full precision")
        left, right = sides if trial.quantized_is_left else sides[::-1]
        row |= {
            "precision": trial.item.precision,
            "left_was": left,
            "right_was": right,
            "preferred": answer.preferred,
            "seed": seed,
        }
    return row
