"""Mutants that hypothesis leads: one that is at fault is made as small as it goes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from readers import OPENERS
from run import Fuzz, Worker

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt" or sys.platform == "darwin", reason="limits of memory are Linux's"),
]


@pytest.fixture(scope="module")
def fuzz(tmp_path_factory):
    """A run, and two processes that open its inputs: as the program does, and as an independent reader does."""
    run = Fuzz(tmp_path_factory.mktemp("structured"), 0, None)
    workers = Worker(run.folder / "seeds"), Worker(run.folder / "seeds")
    yield run, *workers
    for each in workers:
        each.close()


@pytest.mark.parametrize("kind", list(OPENERS))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(chosen=st.randoms(use_true_random=False))
def test_a_damaged_file_is_refused_or_read_as_another_reader_does(fuzz, kind, chosen):
    run, opener, other = fuzz
    run.faults.clear()
    run.judge([run.mutant(kind, 0, run.folder / "input", chosen)], opener, other)
    assert not run.faults
