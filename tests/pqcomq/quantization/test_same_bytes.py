"""The same command gives the same file, however many threads there are."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from pqcomq.quantization.algorithm.single_thread import one_thread
from pqcomq.quantization.calibration.slices import Calibration
from pqcomq.quantization.files.weights_file import save_weights
from pqcomq.quantization.planning.presets import default_config
from pqcomq.quantization.quantize_model import quantize_model
from pqcomq.quantization.workers import Workers


class Encoder(nn.Sequential):
    """(N, 3, 256, 256) → (N, 256, 64, 64), by operations whose sums torch shares between threads."""

    def __init__(self) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            super().__init__(
                nn.Conv2d(3, 64, 3, 2, 1),
                nn.GroupNorm(1, 64),
                nn.GELU(),
                nn.Conv2d(64, 24, 3, 2, 1),
                nn.GroupNorm(1, 24),
                nn.GELU(),
                nn.Conv2d(24, 256, 1),
            )
        self.eval().requires_grad_(False)


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize("inputs", ["quantized", "full"])
def test_the_number_of_threads_changes_no_byte(lite_medsam, finish, threads, tmp_path, inputs):
    model = replace(lite_medsam, image_encoder=Encoder())
    noise = np.random.default_rng(0).integers(0, 256, (5, 90, 120), dtype=np.uint8)
    settings = replace(default_config("lite-medsam", 4), decoder=False, budget=None, inputs=inputs)
    files = []
    for count in (1, 2, 4, 2):
        threads(count)
        path = tmp_path / f"{len(files)}.safetensors"
        save_weights(finish(quantize_model(model, Calibration(tuple(noise), {}), settings)), path)
        files.append(path.read_bytes())
        assert torch.get_num_threads() == count
    assert len(set(files)) == 1


def test_results_come_in_the_order_of_the_work_and_a_failure_is_told():
    workers = Workers(3)
    side = [400 if number % 3 == 0 else 2 for number in range(9)]  # every third takes longest
    works = [lambda number=number: (torch.ones(side[number], side[number]), number)[1] for number in range(9)]
    assert list(workers.in_order(works)) == list(range(9))

    def fails():
        raise ValueError("this one")

    results = workers.in_order([*works[:2], fails, *works[2:]])
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="this one"):
        next(results)
    workers.end()


def test_work_whose_results_are_large_is_done_few_at_a_time():
    workers, begun = Workers(3), []

    def work(number):
        begun.append(number)
        return number

    results = workers.in_order((partial(work, number) for number in range(6)), most=1)
    try:
        for number in range(6):
            assert next(results) == number
            assert len(begun) <= number + 2, "one under way while the last is looked at"
    finally:
        workers.end()


def cores_of_a_new_thread():
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(torch.get_num_threads).result()


def test_threads_that_begin_meanwhile_keep_their_cores(threads):
    threads(3)
    with one_thread():
        assert (torch.get_num_threads(), cores_of_a_new_thread()) == (1, 3)
        with one_thread():
            assert (torch.get_num_threads(), cores_of_a_new_thread()) == (1, 3)
        assert torch.get_num_threads() == 1
    assert (torch.get_num_threads(), cores_of_a_new_thread()) == (3, 3)
    workers = Workers(2)
    try:
        assert list(workers.in_order([torch.get_num_threads] * 2)) == [1, 1]
        assert [workers.begin(lane, torch.get_num_threads).result() for lane in (0, 1)] == [1, 1]
        assert cores_of_a_new_thread() == 3
    finally:
        workers.end()


def test_without_further_threads_work_is_done_where_it_is_asked_for():
    import threading

    assert list(Workers(0).in_order([threading.get_ident])) == [threading.get_ident()]
