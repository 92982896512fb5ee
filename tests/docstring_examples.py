"""The examples in a package's docstrings, for the tests of engine and plugin."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path
from types import ModuleType


def modules_with_examples(package: ModuleType) -> list[str]:
    """Names of a package's modules that hold examples."""
    folder = Path(package.__file__).parent
    return sorted(
        ".".join(path.relative_to(folder.parent).with_suffix("").parts)
        for path in folder.rglob("*.py")
        if ">>> " in path.read_text(encoding="utf-8")
    )


def check_examples(name: str) -> None:
    """A module's examples are run, and give what they say."""
    result = doctest.testmod(import_module(name), optionflags=doctest.ELLIPSIS)
    assert result.attempted
    assert not result.failed
