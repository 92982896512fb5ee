"""Keeps torch from loading triton into a process where that would end in a segmentation fault.

triton brings an LLVM of its own, and so does Mesa, which draws napari's canvas in software or on AMD graphics. Once
Mesa's is in the process, loading triton's crashes (seen with triton 3 and Mesa's llvmpipe). torchvision's import pulls
triton in where it is installed, as PyPI's torch for Linux does; nothing here uses it: the models run on the CPU.
"""

from __future__ import annotations

import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

_MAPS = Path("/proc/self/maps")


def keep_triton_out(modules: MutableMapping[str, Any] = sys.modules, maps: Path = _MAPS) -> bool:
    """Make ``import triton`` fail, as if it were not installed, if it would crash. Call before importing the models.

    Args:
        modules: imported modules by name.
        maps: the kernel's list of what this process has loaded; where there is none (not Linux) nothing is done.

    Returns:
        Whether triton is kept out.
    """
    if "triton" in modules:
        return modules["triton"] is None
    if not maps.exists() or "libLLVM" not in maps.read_text(errors="replace"):
        return False
    modules["triton"] = None
    return True
