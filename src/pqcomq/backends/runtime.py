"""Which runtime, and in which arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

DEVICES = ("cuda", "mps")
"""Kinds of device beside the processor, in the order in which they are looked for."""


class Runtime(StrEnum):
    """What can be asked for. Only ``torch`` runs anywhere; ``openvino…`` need OpenVINO and a CPU, others a device.

    ``auto``: the fastest of the others that this machine has and the weights permit, see :mod:`.fastest`.
    ``openvino``: float32 activations, the same results as torch but for rounding; packed weights are widened inside
    the product.
    ``openvino-widened``: the same, packed weights widened to float32 once, when they are loaded.
    ``openvino-bf16``: bfloat16 products, on processors that have them.
    ``openvino-bf16-widened``: the same, packed weights widened to bfloat16 once.
    ``openvino-int8``: 8-bit activations where a layer's weights are integers of one scale a channel; all else float32.
    ``openvino-int8-bf16``: the same, all else bfloat16.
    ``torch-cuda``, ``torch-mps``: torch in float32 on an NVIDIA or AMD, or on Apple's, device; low bits simulated.
    ``torch-cuda-half``, ``torch-mps-half``: the same in float16.
    ``torch-cuda-packed``, ``torch-mps-packed``: float32, weights stay packed on the device and are widened for each
    layer by operations of torch: less memory, no other speed.
    """

    auto = "auto"
    torch = "torch"
    openvino = "openvino"
    openvino_widened = "openvino-widened"
    openvino_bf16 = "openvino-bf16"
    openvino_bf16_widened = "openvino-bf16-widened"
    openvino_int8 = "openvino-int8"
    openvino_int8_bf16 = "openvino-int8-bf16"
    torch_cuda = "torch-cuda"
    torch_cuda_half = "torch-cuda-half"
    torch_cuda_packed = "torch-cuda-packed"
    torch_mps = "torch-mps"
    torch_mps_half = "torch-mps-half"
    torch_mps_packed = "torch-mps-packed"

    @property
    def device(self) -> str | None:
        """The kind of device that torch computes on, None for the processor."""
        return next((each for each in DEVICES if self.value.startswith(f"torch-{each}")), None)

    @property
    def on_openvino(self) -> bool:
        """Whether OpenVINO computes."""
        return self.value.startswith("openvino")

    @property
    def halves(self) -> bool:
        """Whether a device computes in float16."""
        return self.value.endswith("-half")

    @property
    def packs(self) -> bool:
        """Whether weights stay packed on a device."""
        return self.value.endswith("-packed")

    @property
    def integers(self) -> bool:
        """Whether inputs are quantized to 8 bits."""
        return Arithmetic.of(self).eight_bit_inputs

    @property
    def widens(self) -> bool:
        """Whether packed weights are widened once, when they are loaded; of no meaning to full precision."""
        return Arithmetic.of(self).widened

    @property
    def in_full_precision(self) -> Runtime:
        """The same library in float32, for the model that a quantized one is compared with; ``auto`` sees to it."""
        if self.device:
            return Runtime(f"torch-{self.device}")
        return Runtime.openvino if self.on_openvino else self

    @classmethod
    def settings(cls) -> list[Runtime]:
        """All but ``auto``, which is always one of them."""
        return [each for each in cls if each is not cls.auto]


class Device(StrEnum):
    """Where torch computes: ``auto`` takes a device that works here, else the processor."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"
    mps = "mps"


@dataclass(frozen=True)
class Taken:
    """A runtime that was settled on.

    Attributes:
        runtime: never ``auto``.
        why: one sentence where it was taken by itself, empty where it was asked for.
    """

    runtime: Runtime
    why: str = ""

    @property
    def in_full_precision(self) -> Taken:
        """What runs the model that the quantized ones are compared with: always in float32."""
        if self.runtime is Runtime.torch:
            return self  # in float32 anyway: why it was taken is what there is to tell
        why = "Full precision is computed in FP32, whatever the quantized model is computed in." if self.why else ""
        return Taken(self.runtime.in_full_precision, why)


@dataclass(frozen=True)
class Arithmetic:
    """What a runtime's name stands for on OpenVINO.

    Attributes:
        floats: OpenVINO's name of the floating-point type, ``"f32"`` or ``"bf16"``; always pinned, since OpenVINO would
            choose bfloat16 by itself on some processors.
        eight_bit_inputs: multiply integers where weights allow it.
        widened: packed weights are widened when they are loaded, not inside each product.
    """

    floats: str
    eight_bit_inputs: bool
    widened: bool = False

    @classmethod
    def of(cls, runtime: Runtime) -> Arithmetic:
        """The arithmetic of one of the OpenVINO runtimes."""
        parts = runtime.value.split("-")
        return cls("bf16" if "bf16" in parts else "f32", "int8" in parts, "widened" in parts)

    @property
    def activations_title(self) -> str:
        """For people: of a layer's inputs."""
        return self.floats_title + (", 8 bits where weights allow it" if self.eight_bit_inputs else "")

    @property
    def weights_title(self) -> str:
        """For people: how quantized weights are held."""
        if self.eight_bit_inputs:
            return "signed bytes where inputs have 8 bits, else packed"
        return f"widened to {self.floats_title} when loaded" if self.widened else "packed, widened inside the product"

    @property
    def floats_title(self) -> str:
        """For people."""
        return {"f32": "FP32", "bf16": "BF16"}[self.floats]
