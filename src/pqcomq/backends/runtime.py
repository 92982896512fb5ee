"""Which runtime, and in which arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Runtime(StrEnum):
    """What can be asked for. Only ``torch`` runs anywhere; the others need OpenVINO and a CPU.

    ``openvino``: float32 activations, the same results as torch but for rounding.
    ``openvino-bf16``: bfloat16 products, on processors that have them.
    ``openvino-int8``: 8-bit activations where a layer's weights are integers of one scale a channel; all else float32.
    ``openvino-int8-bf16``: the same, all else bfloat16.
    """

    torch = "torch"
    openvino = "openvino"
    openvino_bf16 = "openvino-bf16"
    openvino_int8 = "openvino-int8"
    openvino_int8_bf16 = "openvino-int8-bf16"

    @property
    def integers(self) -> bool:
        """Whether inputs are quantized to 8 bits."""
        return Arithmetic.of(self).eight_bit_inputs

    @property
    def in_full_precision(self) -> Runtime:
        """The same library in float32, for the model that a quantized one is compared with."""
        return Runtime.torch if self is Runtime.torch else Runtime.openvino


@dataclass(frozen=True)
class Arithmetic:
    """What a runtime's name stands for on OpenVINO.

    Attributes:
        floats: OpenVINO's name of the floating-point type, ``"f32"`` or ``"bf16"``; always pinned, since OpenVINO would
            choose bfloat16 by itself on some processors.
        eight_bit_inputs: multiply integers where weights allow it.
    """

    floats: str
    eight_bit_inputs: bool

    @classmethod
    def of(cls, runtime: Runtime) -> Arithmetic:
        """The arithmetic of one of the OpenVINO runtimes."""
        return cls("bf16" if runtime.value.endswith("bf16") else "f32", "int8" in runtime.value)

    @property
    def activations_title(self) -> str:
        """For people: of a layer's inputs."""
        return self.floats_title + (", 8 bits where weights allow it" if self.eight_bit_inputs else "")

    @property
    def floats_title(self) -> str:
        """For people."""
        return {"f32": "FP32", "bf16": "BF16"}[self.floats]
