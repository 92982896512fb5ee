"""What the numbers were measured on."""

from __future__ import annotations

import platform
from dataclasses import asdict, dataclass
from typing import Any, Self

import torch

import pqcomq
from pqcomq import cpu_settings


@dataclass(frozen=True)
class Environment:
    """The machine and what ran on it.

    Attributes:
        runtime: torch, which prepares slices and finishes masks whatever runs the networks; what does is told with
            each side, see :class:`.Execution`.
        threads: threads that it used.
        cpu_capability: the widest vector instructions that it uses on this processor.
        keeps_freed_memory: whether the allocator was told to keep freed buffers, which speeds up large activations.
        machine: processor architecture.
        system: operating system.
        python: version.
        pqcomq: version.
    """

    runtime: str
    threads: int
    cpu_capability: str
    keeps_freed_memory: bool
    machine: str
    system: str
    python: str
    pqcomq: str

    @classmethod
    def here(cls) -> Self:
        """This machine, now."""
        return cls(
            runtime=f"torch {torch.__version__}, CPU, float32",
            threads=torch.get_num_threads(),
            cpu_capability=torch.backends.cpu.get_cpu_capability(),
            keeps_freed_memory=cpu_settings.keeps_freed_memory(),
            machine=platform.machine(),
            system=platform.system(),
            python=platform.python_version(),
            pqcomq=pqcomq.__version__,
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)
