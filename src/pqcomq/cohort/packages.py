"""The packages of the extra ``cohort``, looked for before any work."""

from __future__ import annotations

from importlib.util import find_spec

from pqcomq.errors import InputError

_NEEDED = ("pandas", "pyarrow", "scipy", "statsmodels")


def check_installed(*more: str) -> None:
    """See that all packages are there; nothing of them is imported.

    Args:
        more: packages that only some ways of running need.

    Raises:
        InputError: one is not; the sentence says how to install it.
    """
    for name in (*_NEEDED, *more):
        if find_spec(name) is None:
            raise InputError(f'A cohort needs {name}, which is not installed: pip install "napari-pqcomq[cohort]"')
