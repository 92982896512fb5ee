"""What all tests share: the real volumes beside the checkout, the shipped model, and plain files."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

import pytest

from pqcomq.models.registry import load_model
from pqcomq.models.segmenter import Segmenter

REAL_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

Result = TypeVar("Result")


@pytest.fixture(scope="session")
def real_data() -> Path:
    if not REAL_DATA.is_dir():
        pytest.skip("the real CT and MR volumes are not beside this checkout")
    return REAL_DATA


@pytest.fixture(scope="session")
def lite_medsam() -> Segmenter:
    return load_model("lite-medsam")


@pytest.fixture(scope="session")
def finish():
    """Runs a generator to its end and gives its return value."""

    def run(work: Generator[object, None, Result]) -> Result:
        while True:
            try:
                next(work)
            except StopIteration as end:
                return end.value

    return run
