"""All that is told of a cohort, computed once for the terminal, the gate, the files and the report."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pqcomq.cohort.cohort_result import CohortResult
from pqcomq.cohort.scoring.loaded_models import QUANTIZED
from pqcomq.cohort.statistics.doubt_statistics import (
    DoubtStatistics,
    cascaded,
    doubt_statistics,
    sent_by_other_patients,
)
from pqcomq.cohort.statistics.paired_statistics import Outcome, PairedDifference, overall, paired_differences
from pqcomq.cohort.statistics.pairs import moved_box_name, paired, protocols_of
from pqcomq.cohort.statistics.prompt_summary import PromptSummary, prompt_summaries
from pqcomq.cohort.statistics.volume_agreement import VolumeAgreement, volume_agreement
from pqcomq.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class CohortStatistics:
    """The numbers of a cohort.

    Attributes:
        margin: of non-inferiority, in Dice.
        prompts: every model by every protocol.
        differences: every quantized model by every protocol, all labels and each.
        yardstick: the same for full precision with moved boxes; empty where none were moved.
        volumes: every quantized model, where whole organs were segmented.
        doubt: every quantized model, where slices were prompted.
        decided_by: the protocol that the verdicts rest on.
        labels: every model by every protocol on each label alone; of a single label nothing more.
        modalities: the same on each modality.
    """

    margin: float
    prompts: tuple[PromptSummary, ...]
    differences: tuple[PairedDifference, ...]
    yardstick: tuple[PairedDifference, ...]
    volumes: tuple[VolumeAgreement, ...]
    doubt: tuple[DoubtStatistics, ...]
    decided_by: str
    labels: tuple[PromptSummary, ...] = ()
    modalities: tuple[PromptSummary, ...] = ()

    @classmethod
    def of(cls, result: CohortResult, margin: float) -> CohortStatistics:
        """Compute them from what there is by now.

        Raises:
            InputError: no case was scored, or the margin is not above 0.
        """
        cls.check(result, margin)
        scores = result.scores
        names = [each.name for each in result.models if each.role == QUANTIZED]
        differences, yardstick = [], []
        moved = moved_box_name(scores)
        for protocol in protocols_of(scores):
            for name in names:
                differences += paired_differences(paired(scores, name, protocol), name, protocol, margin)
            if moved:
                yardstick += paired_differences(paired(scores, moved, protocol), moved, protocol, margin)
        whole = "organ" in protocols_of(scores)
        volumes = [volume_agreement(paired(scores, name, "organ"), name) for name in names if whole]
        prompts = prompt_summaries(scores, result.models)
        parts = {
            by: tuple(prompt_summaries(scores, result.models, by)) if scores[by].nunique() > 1 else ()
            for by in ("label", "modality")
        }
        decides = protocols_of(scores)[0]
        doubt = _doubts(result, names) if decides == "slice" else []
        return cls(
            margin=margin,
            prompts=tuple(prompts),
            differences=tuple(differences),
            yardstick=tuple(yardstick),
            volumes=tuple(volumes),
            doubt=tuple(doubt),
            decided_by=decides,
            labels=parts["label"],
            modalities=parts["modality"],
        )

    @staticmethod
    def check(result: CohortResult, margin: float) -> None:
        """See whether there is anything to judge.

        Raises:
            InputError: no case was scored, or the margin is not above 0.
        """
        if not (math.isfinite(margin) and margin > 0):
            raise InputError(f"The margin must be above 0, not {margin:g}.")
        if result.scores.empty:
            first = result.not_scored[0] if result.not_scored else None
            why = f" ({first.case}: {first.reason.removesuffix('.')})" if first else ""
            raise InputError(f"No case of the cohort was scored{why}.")

    def verdicts(self, model: str | None = None) -> list[PairedDifference]:
        """What the gate rests on: all labels and each, by the protocol that decides.

        Args:
            model: name of one quantized model; all by default.
        """
        return [
            each
            for each in self.differences
            if each.protocol == self.decided_by and (model is None or each.model == model)
        ]

    def outcome(self, model: str | None = None) -> Outcome:
        """All labels of one model, or of all, together."""
        return overall(self.verdicts(model))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "margin_dice": self.margin,
            "decided_by": self.decided_by,
            "prompts": [each.to_dict() for each in self.prompts],
            "labels": [each.to_dict() for each in self.labels],
            "modalities": [each.to_dict() for each in self.modalities],
            "differences": [each.to_dict() for each in self.differences],
            "yardstick": [each.to_dict() for each in self.yardstick],
            "volumes": [each.to_dict() for each in self.volumes],
            "doubt": [each.to_dict() for each in self.doubt],
        }


@dataclass(frozen=True)
class CascadeVerdicts:
    """A cohort's quantized models, each with full precision where it is in doubt.

    Attributes:
        thresholds: name of the model → stability score below which full precision is asked; None where it was chosen
            for each patient on the others.
        differences: of every model, all labels and each, slice by slice.
        sent: name of the model → share of the prompts sent on.
    """

    thresholds: dict[str, float | None]
    differences: tuple[PairedDifference, ...]
    sent: dict[str, float]

    @classmethod
    def of(cls, result: CohortResult, margin: float, thresholds: float | Mapping[str, float] | None) -> CascadeVerdicts:
        """Judge the cascade as :class:`CohortStatistics` judges the models alone.

        Args:
            result: of the cohort.
            margin: of non-inferiority, Dice.
            thresholds: one for all models or one for each, by name; None for those that this cohort tells, each
                patient's chosen on the others: one chosen on all of them would be judged on what it was chosen on.

        Raises:
            InputError: no case was scored, or none slice by slice: whole organs are not prompted anew where one is in
                doubt.
        """
        CohortStatistics.check(result, margin)
        if "slice" not in protocols_of(result.scores):
            raise InputError("A cascade is judged slice by slice, and this cohort was scored on whole organs alone.")
        differences, sent, taken = [], {}, {}
        for name in (each.name for each in result.models if each.role == QUANTIZED):
            pairs = paired(result.scores, name, "slice")
            threshold = thresholds[name] if isinstance(thresholds, Mapping) else thresholds
            is_sent = (
                sent_by_other_patients(pairs)
                if threshold is None
                else (pairs["doubt_stability"] < threshold).to_numpy()
            )
            title = f"{name}, cascade at " + ("other patients' threshold" if threshold is None else f"{threshold:g}")
            differences += paired_differences(cascaded(pairs, is_sent), title, "slice", margin)
            sent[name], taken[name] = float(is_sent.mean()), threshold
        return cls(taken, tuple(differences), sent)

    @property
    def outcome(self) -> Outcome:
        """All labels of all models together."""
        return overall(list(self.differences))

    @property
    def sentences(self) -> list[str]:
        """The verdicts, and for each model how much it sends on."""
        sent = [f"{name} sends {share:.0%} of the prompts on to full precision." for name, share in self.sent.items()]
        return [*(each.sentence for each in self.differences), *sent]


def latencies(result: CohortResult) -> pd.DataFrame:
    """Mean milliseconds of encoder and decoder for each model, and whether its speed is simulated."""
    import pandas as pd

    costs = result.costs
    sums = costs.groupby("model")[["encodings", "encoder_ms", "decodings", "decoder_ms"]].sum()
    return pd.DataFrame(
        {
            "encoder_ms": sums["encoder_ms"] / sums["encodings"],
            "decoder_ms": sums["decoder_ms"] / sums["decodings"],
            "simulated": costs.groupby("model")["simulated"].any(),
        }
    )


def _doubts(result: CohortResult, names: list[str]) -> list[DoubtStatistics]:
    """Of each quantized model; times only where they are measured."""
    times = latencies(result)
    both = times["encoder_ms"] + times["decoder_ms"]
    full_ms = float(both[result.models[0].name])
    return [
        doubt_statistics(
            paired(result.scores, name, "slice"),
            name,
            math.nan if times.loc[name, "simulated"] else float(both[name]),
            full_ms,
        )
        for name in names
    ]


def model_rows(result: CohortResult) -> list[dict[str, Any]]:
    """What each model is: bits of a code, bits stored and bytes apart."""
    return [asdict(each) for each in result.models]
