"""The compiled inner loop: what plain Python computes, in any number of threads, whatever may be written."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pqcomq.quantization.algorithm import rounding_kernel
from pqcomq.quantization.algorithm.rounding_kernel import block_rounding, round_block


def block(seed, columns, rows, bits, dtype):
    """A block whose values lie on a coarse grid, so that no order of operations could give other digits."""
    generator = np.random.default_rng(seed)

    def of(*shape):
        return (generator.integers(-64, 65, shape) / 16).astype(dtype)

    scale = 2.0 ** generator.integers(-3, 2, (columns, rows))
    return {
        "start": of(columns, rows),
        "rest": of(columns, rows),
        "coupling": of(columns, columns),
        "scale": scale.astype(dtype),
        "zero_point": of(columns, rows),
        "inverse_scale": (1 / scale).astype(dtype),
        "inverse_pivot": (2.0 ** generator.integers(-2, 3, columns)).astype(dtype),
        "bottom": 0,
        "top": 2**bits - 1,
        "codes": np.full((columns, rows), np.nan, dtype),
        "change": np.full((columns, rows), np.nan, dtype),
    }


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 999), st.integers(1, 9), st.integers(1, 20), st.sampled_from([2, 4, 8]), st.sampled_from("fd"))
def test_it_gives_what_plain_python_gives(seed, columns, rows, bits, dtype):
    fast, slow = block(seed, columns, rows, bits, dtype), block(seed, columns, rows, bits, dtype)
    block_rounding()(**fast)
    round_block(**slow)
    for name in ("codes", "change", "rest"):
        assert np.array_equal(fast[name], slow[name])
    assert fast["codes"].min() >= 0
    assert fast["codes"].max() <= fast["top"]


def test_threads_do_not_disturb_each_other():
    blocks = [block(seed, 32, 40, 4, np.float32) for seed in range(8)]
    expected = [block(seed, 32, 40, 4, np.float32) for seed in range(8)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda each: block_rounding()(**each), blocks))
    for each, alone in zip(blocks, expected, strict=True):
        block_rounding()(**alone)
        assert np.array_equal(each["codes"], alone["codes"])


@pytest.mark.parametrize("problem", [OSError(28, "No space left on device"), RuntimeError("no locator available")])
def test_where_nothing_can_be_kept_it_is_compiled_all_the_same(monkeypatch, problem):
    import numba

    compile_it, asked = numba.njit, []

    def full(function, *, cache=False, **options):
        asked.append(cache)
        if cache:
            raise problem
        return compile_it(function, **options)

    monkeypatch.setattr(numba, "njit", full)
    compiled = rounding_kernel.block_rounding.__wrapped__()
    assert asked == [True, False]
    fast, slow = block(1, 5, 6, 4, np.float32), block(1, 5, 6, 4, np.float32)
    compiled(**fast)
    round_block(**slow)
    assert np.array_equal(fast["codes"], slow["codes"])


def test_only_quantizing_loads_the_compiler():
    program = "import sys, pqcomq; pqcomq.load_model(); print('numba' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert told.strip() == "False"
