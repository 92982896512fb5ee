"""What runs a model: recorded with every result, so that every latency names its runtime and processor."""

from __future__ import annotations

import platform
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Self

import torch

from pqcomq.wording import counted

_FEATURES = (
    "avx2",
    "fma",
    "avx512f",
    "avx512_vnni",
    "avx_vnni",
    "avx512_bf16",
    "amx_bf16",
    "amx_int8",
    "asimd",
    "asimddp",
    "i8mm",
    "bf16",
)
"""Instructions that decide which kernels a runtime takes, by Linux's names."""


@dataclass(frozen=True)
class Execution:
    """A runtime and its arithmetic.

    Attributes:
        runtime: library and version.
        weights: how quantized weights are held while they run.
        activations: what the products are computed in.
        simulated: low-bit weights were widened to float32 beforehand: smaller files, no other speed.
        threads: that it uses.
        cpu_features: of this machine, those that matter to the speed.
        setting: what ``--runtime`` calls it; ``torch``, the only one then, in files from before it was kept.
        why: one sentence where ``auto`` took it, empty where it was asked for; part of no comparison.
    """

    runtime: str
    weights: str
    activations: str
    simulated: bool
    threads: int
    cpu_features: tuple[str, ...]
    setting: str = "torch"
    why: str = field(default="", compare=False)

    @property
    def title(self) -> str:
        """For people, e.g. ``"torch 2.8.0, weights float32, products in float32, 2 threads"``."""
        return f"{self.runtime}, weights {self.weights}, products in {self.activations}, {self.threads_title}"

    @property
    def library(self) -> str:
        """What runs the networks, without its version."""
        return self.runtime.partition(" ")[0]

    @property
    def threads_title(self) -> str:
        """How many, for people."""
        return counted(self.threads, "thread")

    @classmethod
    def torch(cls, *, quantized: bool) -> Self:
        """The reference: torch in float32."""
        return cls(
            runtime=f"torch {torch.__version__}",
            weights="widened to float32" if quantized else "float32",
            activations="float32",
            simulated=quantized,
            threads=torch.get_num_threads(),
            cpu_features=cpu_features(),
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self) | {"cpu_features": list(self.cpu_features)}

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Self:
        """The inverse of :meth:`to_dict`."""
        return cls(**content | {"cpu_features": tuple(content["cpu_features"])})


@cache
def cpu_features() -> tuple[str, ...]:
    """This processor's instructions that matter, where the system reports them; else torch's name for the set."""
    listed = _listed("flags", "Features")
    if listed is None:
        return (torch.backends.cpu.get_cpu_capability().lower(),)
    present = set(listed.split())
    return tuple(feature for feature in _FEATURES if feature in present)


@cache
def cpu_name() -> str:
    """What the system calls this processor."""
    return _listed("model name") or platform.processor() or platform.machine()


def _listed(*keys: str) -> str | None:
    """An entry of Linux's list of processors, None where there is no such list or entry."""
    listing = Path("/proc/cpuinfo")
    if platform.system() == "Linux" and listing.is_file():
        for line in listing.read_text(errors="replace").splitlines():
            if line.startswith(keys):
                return line.partition(":")[2].strip()
    return None
