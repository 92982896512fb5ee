"""What was found out about runtimes on this machine, kept from one process to the next.

A small file in the user's cache folder. It is written for one processor and one set of versions: whatever else stands
in it, or cannot be read, is made anew. A folder that cannot be written costs nothing but the time of the next check.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from msgspec import Struct
from platformdirs import user_cache_path

import pqcomq
from pqcomq.atomic_files import recover, replacing
from pqcomq.backends.runtime import Runtime
from pqcomq.errors import InputError
from pqcomq.json_schema import Damaged, Text, Whole, read_json
from pqcomq.models.execution import cpu_features, cpu_name

_FORMAT = 1


class _Checks(Struct):
    """What the file may hold."""

    format: Whole
    machine: dict[str, Any]
    faults: dict[Text, Text | None]


def checks_file() -> Path:
    """Where it is kept."""
    return user_cache_path("napari-pqcomq", appauthor=False) / "runtimes.json"


class NotTriedError(RuntimeError):
    """A runtime could not be tried, in one sentence why: it is no answer, and another time there may be more memory."""


def remembered_fault(runtime: Runtime, find: Callable[[Runtime], str | None]) -> str | None:
    """What is wrong with a runtime on this machine: looked up, or found out and kept.

    Args:
        runtime: which.
        find: finds it out, in one sentence; None for nothing. A :class:`NotTriedError` of it is told and not kept.
    """
    faults = _read()
    if runtime.value not in faults:
        try:
            faults[runtime.value] = find(runtime)
        except NotTriedError as problem:
            return str(problem)
        _write(faults)
    return faults[runtime.value]


def this_machine() -> dict[str, Any]:
    """All that an answer depends on."""
    return {
        "processor": cpu_name(),
        "architecture": platform.machine(),
        "system": platform.platform(),
        "features": list(cpu_features()),
        "most_instructions": os.environ.get("ONEDNN_MAX_CPU_ISA", ""),
        "versions": {"pqcomq": pqcomq.__version__} | {name: _version(name) for name in ("torch", "openvino")},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _read() -> dict[str, str | None]:
    try:
        content = read_json(checks_file(), _Checks)
    except (OSError, InputError, Damaged):
        return {}
    known = content["format"] == _FORMAT and content["machine"] == this_machine()
    faults: dict[str, str | None] = content["faults"] if known else {}
    return faults


def _write(faults: dict[str, str | None]) -> None:
    path = checks_file()
    content = {"format": _FORMAT, "machine": this_machine(), "faults": faults}
    with suppress(OSError, InputError):
        path.parent.mkdir(parents=True, exist_ok=True)
        recover(path.parent)
        with replacing(path, overwrite=True) as partial:
            partial.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
