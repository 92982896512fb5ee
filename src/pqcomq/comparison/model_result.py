"""What a comparison of one quantized model with full precision found on one object."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from pqcomq.comparison.environment import Environment
from pqcomq.comparison.measures.divergence import Divergence, first_divergence
from pqcomq.comparison.measures.latency import Latency
from pqcomq.comparison.measures.metrics import Scores
from pqcomq.comparison.measures.slice_scores import SliceScores
from pqcomq.models.execution import Execution
from pqcomq.segmentation.box import Box3D
from pqcomq.segmentation.box_mask import BoxMask
from pqcomq.segmentation.doubt import DOUBTFUL
from pqcomq.segmentation.prompt import Prompt
from pqcomq.segmentation.propagation import PromptMode
from pqcomq.volumes.intensity_window import Window

MEGABYTE = 1_000_000


@dataclass(frozen=True, eq=False)
class ModelResult:
    """What one model found on one object, and what that cost.

    Attributes:
        model: its title.
        precision: of its encoder weights.
        mask: on the slices of the prompt.
        volume_ml: of the mask, mL.
        encoder: latency of a slice's encoding, network alone.
        decoder: latency of a prompt's decoding, network alone.
        peak_memory_bytes: the whole process's resident memory at the peak of one pass.
        working_memory_bytes: how much of that the pass added.
        file_bytes: of the checkpoint or weights file.
        effective_bits: for each quantized weight.
        simulated: the latencies are those of weights widened to float32, not of low-bit arithmetic.
        accuracy: mask against ground truth (a = truth); None where there is none.
        execution: what ran the networks.
    """

    model: str
    precision: str
    mask: BoxMask
    volume_ml: float
    encoder: Latency
    decoder: Latency
    peak_memory_bytes: int
    working_memory_bytes: int
    file_bytes: int
    effective_bits: float
    simulated: bool
    accuracy: Scores | None
    execution: Execution

    def __repr__(self) -> str:
        accuracy = "" if self.accuracy is None else f", Dice against ground truth {self.accuracy.dice:.4f}"
        return f"ModelResult({self.model}, {self.precision}: {self.volume_ml:.1f} mL{accuracy})"

    def mask_in(self, shape_zyx: tuple[int, int, int]) -> np.ndarray:
        """The mask as a whole volume, (z, y, x) bool in LPS order, made anew with every call."""
        return self.mask.in_volume(shape_zyx)

    def to_dict(self) -> dict[str, Any]:
        """Everything but the mask, JSON-ready."""
        return {
            "model": self.model,
            "precision": self.precision,
            "volume_ml": self.volume_ml,
            "encoder": self.encoder.to_dict(),
            "decoder": self.decoder.to_dict(),
            "speed": "simulated: low-bit weights widened to float32" if self.simulated else "real",
            "execution": self.execution.to_dict(),
            "peak_process_memory_bytes": self.peak_memory_bytes,
            "working_memory_bytes": self.working_memory_bytes,
            "file_bytes": self.file_bytes,
            "effective_bits": self.effective_bits,
            "accuracy_against_ground_truth": None if self.accuracy is None else self.accuracy.to_dict(),
        }

    @classmethod
    def from_dict(cls, content: dict[str, Any], mask: BoxMask) -> Self:
        """The inverse of :meth:`to_dict`, with the mask that it leaves out."""
        accuracy = content["accuracy_against_ground_truth"]
        return cls(
            model=content["model"],
            precision=content["precision"],
            mask=mask,
            volume_ml=content["volume_ml"],
            encoder=Latency.from_dict(content["encoder"]),
            decoder=Latency.from_dict(content["decoder"]),
            peak_memory_bytes=content["peak_process_memory_bytes"],
            working_memory_bytes=content["working_memory_bytes"],
            file_bytes=content["file_bytes"],
            effective_bits=content["effective_bits"],
            simulated=content["speed"] != "real",
            accuracy=None if accuracy is None else Scores.from_dict(accuracy),
            execution=Execution.from_dict(content["execution"]),
        )


@dataclass(frozen=True)
class Speedup:
    """How many times faster one encoder is than another.

    Attributes:
        against: what the other one is, for people.
        times: the other's median over its own.
    """

    against: str
    times: float


@dataclass(frozen=True, eq=False)
class Comparison:
    """A quantized model held against full precision on one box of one volume.

    Attributes:
        volume_name: free of patient data.
        volume_sha256: of its voxels.
        prompt: a box, points or both; all scores are over its slices.
        mode: ``same`` prompts for both, or each its own (``propagate``).
        window: that made the models' input.
        reference: full precision.
        candidate: quantized.
        agreement: candidate against reference (a = reference). Not an accuracy.
        slices: Dice on each slice, from the feet up.
        environment: what it was measured on.
        torch_encoder: latency of full precision in torch, which people run today, measured in the same run; None where
            torch is what ran the reference, and in files from before it was kept.
    """

    volume_name: str
    volume_sha256: str
    prompt: Prompt
    mode: PromptMode
    window: Window
    reference: ModelResult
    candidate: ModelResult
    agreement: Scores
    slices: tuple[SliceScores, ...]
    environment: Environment
    torch_encoder: Latency | None = None

    def __repr__(self) -> str:
        models = f"{self.reference.precision} and {self.candidate.precision}"
        where = f"slices {self.prompt.first} to {self.prompt.last}"
        return f"Comparison({models} on {where}: Dice between the models {self.agreement.dice:.4f})"

    @property
    def box(self) -> Box3D | None:
        """The prompt's box, None where it has none."""
        return self.prompt.box

    @property
    def worst_slice(self) -> int:
        """Where the two agree least."""
        return min(self.slices, key=lambda each: each.agreement).z

    @property
    def stability(self) -> dict[int, float]:
        """Slice → stability score of the candidate's own answer, told without asking full precision.

        Empty in files from before it was kept.
        """
        return {each.z: each.candidate_stability for each in self.slices if each.candidate_stability is not None}

    def doubtful_slices(self, threshold: float = DOUBTFUL) -> dict[int, float]:
        """Of :attr:`stability` what lies below a threshold."""
        return {z: score for z, score in self.stability.items() if score < threshold}

    @property
    def divergence(self) -> Divergence | None:
        """Where the models first diverge; None where they stay together, or where none follows its own masks."""
        return first_divergence(self.slices, self.prompt.start) if self.mode == "propagate" else None

    @property
    def speedups(self) -> tuple[Speedup, ...]:
        """How many times faster the candidate encodes than full precision, by medians.

        First against what people run today, then against the same library; empty where low bits are simulated.
        """
        if self.candidate.simulated:
            return ()
        mine = self.candidate.encoder.median_ms
        return tuple(Speedup(name, each.median_ms / mine) for name, each in self.rivals.items())

    @property
    def rivals(self) -> dict[str, Latency]:
        """What the candidate's encoder is held against, by name; the same for all candidates of a reference."""
        in_torch = {} if self.torch_encoder is None else {"FP32 in torch": self.torch_encoder}
        return {**in_torch, f"FP32 in {self.reference.execution.library}": self.reference.encoder}

    def to_dict(self) -> dict[str, Any]:
        """Everything but the masks, JSON-ready."""
        return {
            "volume": {"name": self.volume_name, "voxels_sha256": self.volume_sha256},
            **self.prompt.to_dict(),
            "prompts": self.mode,
            "window": asdict(self.window),
            "reference": self.reference.to_dict(),
            "candidate": self.candidate.to_dict(),
            "full_precision_encoder_in_torch": None if self.torch_encoder is None else self.torch_encoder.to_dict(),
            "encoder_speedups": [asdict(each) for each in self.speedups],
            "agreement_between_models": self.agreement.to_dict(),
            "slices": [asdict(each) for each in self.slices],
            "first_parting_slice": None if self.divergence is None else asdict(self.divergence),
            "environment": self.environment.to_dict(),
        }

    @classmethod
    def from_dict(cls, content: dict[str, Any], reference_mask: BoxMask, candidate_mask: BoxMask) -> Self:
        """The inverse of :meth:`to_dict`, with the masks that it leaves out.

        Raises:
            KeyError: something is missing.
            TypeError: something is of another kind.
            ValueError: a number is out of its range.
        """
        in_torch = content.get("full_precision_encoder_in_torch")
        return cls(
            volume_name=content["volume"]["name"],
            volume_sha256=content["volume"]["voxels_sha256"],
            prompt=Prompt.from_dict(content),
            mode=content["prompts"],
            window=Window(**content["window"]),
            reference=ModelResult.from_dict(content["reference"], reference_mask),
            candidate=ModelResult.from_dict(content["candidate"], candidate_mask),
            agreement=Scores.from_dict(content["agreement_between_models"]),
            slices=tuple(SliceScores(**each) for each in content["slices"]),
            environment=Environment(**content["environment"]),
            torch_encoder=None if in_torch is None else Latency.from_dict(in_torch),
        )
