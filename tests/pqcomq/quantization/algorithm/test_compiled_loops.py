"""Compiled loops: what plain Python computes, in any number of threads, whatever may be written."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pqcomq.quantization.algorithm.coarse_scales import all_powers, least_step, most_quarter, window
from pqcomq.quantization.algorithm.compiled import compiled
from pqcomq.quantization.algorithm.group_kernel import best_groups, choose_groups
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


def groups(seed, rows, count, bits, *, dead):
    """Levels on their grids, and positive semidefinite normal equations with a right-hand side."""
    generator = np.random.default_rng(seed)
    root = generator.integers(-8, 9, (rows, 2 * count, 2 * count)) / 4
    system = np.einsum("rki,rkj->rij", root, root)
    left = generator.integers(-64, 65, (rows, 2 * count)) / 8
    if dead:
        system[:, 0], system[:, :, 0], left[:, 0] = 0, 0, 0
        system[:, count], system[:, :, count], left[:, count] = 0, 0, 0
    steps = generator.integers(-3 << bits, (-3 << bits) + window(bits), (rows, count)).astype(np.int32)
    powers = all_powers(bits).numpy()
    return {
        "system": system.astype(np.float32),
        "left": left.astype(np.float32),
        "scales": powers[steps - least_step(bits)],
        "zero_points": (generator.integers(0, most_quarter(bits) + 1, (rows, count)) / 4 - 0.5).astype(np.float32),
        "steps": steps,
        "powers": powers,
        "least": least_step(bits),
        "window": window(bits),
        "most_quarter": most_quarter(bits),
    }


def error_of(system, left, change):
    """How much less is lost after a change of scales and offsets, in float64."""
    return 2 * (change * left).sum(1) - np.einsum("ri,rij,rj->r", change, system, change)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 999), st.integers(1, 6), st.integers(1, 5), st.sampled_from([2, 3, 4, 6, 8]), st.booleans())
def test_groups_are_chosen_as_plain_python_does_and_never_lose(seed, rows, count, bits, dead):
    fast, slow, before = (groups(seed, rows, count, bits, dead=dead) for _ in range(3))
    best_groups()(**fast)
    with np.errstate(divide="ignore", invalid="ignore"):
        choose_groups(**slow)
    for name in ("scales", "zero_points", "steps", "left"):
        np.testing.assert_allclose(fast[name], slow[name], rtol=1e-5, atol=1e-3, err_msg=name)
    offset = [-each["scales"].astype(np.float64) * each["zero_points"] for each in (before, fast)]
    change = np.concatenate([fast["scales"].astype(np.float64) - before["scales"], offset[1] - offset[0]], axis=1)
    gained = error_of(before["system"].astype(np.float64), before["left"].astype(np.float64), change)
    assert (gained >= -1e-4 * (1 + np.abs(before["left"]).max() ** 2)).all()
    assert np.abs(fast["steps"] - before["steps"]).max() <= 1
    assert np.array_equal(fast["scales"], fast["powers"][fast["steps"] - fast["least"]])
    quarters = (fast["zero_points"] + 0.5) * 4
    assert np.array_equal(quarters, quarters.round())
    assert quarters.min() >= 0
    assert quarters.max() <= fast["most_quarter"]
    assert (np.ptp(fast["steps"], axis=1) <= fast["window"]).all()


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
    loop = compiled(round_block, block(0, 1, 1, 4, np.float32))
    assert asked == [True, False]
    fast, slow = block(1, 5, 6, 4, np.float32), block(1, 5, 6, 4, np.float32)
    loop(**fast)
    round_block(**slow)
    assert np.array_equal(fast["codes"], slow["codes"])


def test_only_quantizing_loads_the_compiler():
    program = "import sys, pqcomq; pqcomq.load_model(); print('numba' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert told.strip() == "False"
