"""A model as it takes part in a comparison: what runs, and what it weighs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from pqcomq.backends.openvino_model import on_runtime
from pqcomq.backends.runtime import Runtime, Taken
from pqcomq.errors import InputError
from pqcomq.models.segmenter import Segmenter
from pqcomq.quantization.files.weights_file import file_bytes
from pqcomq.quantization.planning.stored_bits import code_bits
from pqcomq.quantization.quantized_model import QuantizedModel


@dataclass(frozen=True)
class ComparedModel:
    """A model that takes part in a comparison.

    Attributes:
        segmenter: what runs.
        effective_bits: for each quantized weight; 32 in full precision.
        file_bytes: of the checkpoint or weights file.
        simulated: low-bit weights are widened to float32 to run: the size is real, the speed is that of full precision.
        weights: the packed weights behind the segmenter, for reports and for saving; None in full precision.
        in_torch: full precision as people run it, where something else runs it here; its speed is told as well.
    """

    segmenter: Segmenter
    effective_bits: float
    file_bytes: int
    simulated: bool
    weights: QuantizedModel | None = field(default=None, repr=False)
    in_torch: Segmenter | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        return f"ComparedModel({self.segmenter.title}, {self.segmenter.precision})"

    @property
    def as_run(self) -> Segmenter | QuantizedModel:
        """The model with what ran it, as the record of a mask names it."""
        return self.segmenter if self.weights is None else replace(self.weights, segmenter=self.segmenter)

    @property
    def code_bits(self) -> float:
        """Bits of a weight's code alone, the mean over all quantized weights; 32 in full precision.

        More is stored for each weight, see ``effective_bits``: scales, zero-points, permutations or
        an entropy coder's side information come on top.
        """
        if self.weights is None:
            return self.effective_bits
        return code_bits(self.weights.weights, self.weights.stream)

    @classmethod
    def full(cls, segmenter: Segmenter, runtime: Runtime | Taken = Runtime.torch) -> ComparedModel:
        """A model in full precision."""
        runs = on_runtime(segmenter, runtime)
        in_torch = None if runs.execution.setting == Runtime.torch.value else segmenter
        return cls(runs, 32.0, segmenter.checkpoint_bytes, simulated=False, in_torch=in_torch)

    @classmethod
    def quantized(cls, model: QuantizedModel, runtime: Runtime | Taken = Runtime.torch) -> ComparedModel:
        """A quantized model; its size is that of the file it would be, or was, saved to."""
        runs = on_runtime(model, runtime)
        return cls(runs, model.effective_bits, file_bytes(model), runs.execution.simulated, weights=model)


def check_same_source(full: Segmenter, model: QuantizedModel, weights: Path | None = None) -> None:
    """Refuse to compare a quantized model with anything but the model that it was made from.

    Raises:
        InputError: architecture or checkpoint differ.
    """
    if model.segmenter.key != full.key:
        raise InputError(f"The quantized model is for {model.segmenter.title}, not for {full.title}", weights)
    if model.segmenter.checkpoint_sha256 != full.checkpoint_sha256:
        other = f"another checkpoint of {full.title} than {full.checkpoint_name}"
        raise InputError(f"The quantized model was made from {other}", weights)
