"""Forward passes that open torch's modes inside the model, halted there, and in more than one thread."""

from __future__ import annotations

import copy
import gc
import threading
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from functools import partial

import pytest
import torch
from greenlet import getcurrent, greenlet
from torch import nn
from torch.overrides import TorchFunctionMode

from pqcomq.quantization.algorithm.gram import quantizable_layers
from pqcomq.quantization.calibration.sequential_forward import SequentialForward
from pqcomq.quantization.calibration.torch_modes import torch_modes_kept

from .pass_grams import gathering_grams


class Doubled(TorchFunctionMode):
    """Makes ``torch.ones`` give twos, so that it is seen where the mode is open."""

    def __torch_function__(self, function, types, arguments=(), named=None):
        made = function(*arguments, **(named or {}))
        return made * 2 if function is torch.ones else made


@contextmanager
def default_dtype(dtype):
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def modes():
    """All that a block inside a model may have changed, as a program sees it."""
    return {
        "grad": torch.is_grad_enabled(),
        "inference": torch.is_inference_mode_enabled(),
        "autocast": (torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")),
        "autocast cuda": (torch.is_autocast_enabled("cuda"), torch.get_autocast_dtype("cuda")),
        "cache": torch.is_autocast_cache_enabled(),
        "product": torch.mm(torch.zeros(1, 1), torch.zeros(1, 1)).dtype,
        "device": (torch.zeros(1).device, torch.get_default_device()),
        "dtype": torch.zeros(1).dtype,
        "ones": float(torch.ones(1, device="cpu")),
        "depth": len(torch.overrides._get_current_function_mode_stack()),
    }


SETTING = ContextVar("SETTING", default="nobody's")

BLOCKS = {
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "half": lambda: torch.autocast("cpu", dtype=torch.float16, cache_enabled=False),
    "no_grad": torch.no_grad,
    "inference": torch.inference_mode,
    "recording": lambda: torch.inference_mode(False),
    "enable_grad": torch.enable_grad,
    "function": Doubled,
    "device": lambda: torch.device("meta"),
    "dtype": lambda: default_dtype(torch.float64),
}


class ManyModes(nn.Module):
    """A layer inside each block, and one between any two.

    Attributes:
        met: what was open after each layer had run.
        left: passes that ended, by an error or without.
    """

    def __init__(self):
        super().__init__()
        self.inside = nn.ModuleDict({f"in_{name}": nn.Linear(8, 8) for name in BLOCKS})
        self.outside = nn.ModuleDict({f"after_{name}": nn.Linear(8, 8) for name in BLOCKS})
        self.met, self.left = [], 0

    def forward(self, x):
        try:
            for name, block in BLOCKS.items():
                with block():
                    x = self.inside[f"in_{name}"](x.detach().clone())
                    self.met.append((name, SETTING.get(), str(x.dtype), modes()))
                x = self.outside[f"after_{name}"](x.detach().float())
                self.met.append(("after", SETTING.get(), str(x.dtype), modes()))
            return x
        finally:
            self.left += 1


@pytest.fixture
def two_models():
    torch.manual_seed(0)
    full = ManyModes()
    return full, copy.deepcopy(full)


INPUTS = [torch.linspace(-1, 1, 48).view(6, 8), torch.linspace(2, -1, 48).view(6, 8)]


def begun(full, low, inputs=INPUTS):
    passes = ([partial(model, x) for x in inputs] for model in (full, low))
    return SequentialForward(*passes, quantizable_layers(full), quantizable_layers(low))


SURROUNDINGS = {"nothing": nullcontext} | {name: BLOCKS[name] for name in ("no_grad", "enable_grad", "function")}


@pytest.mark.parametrize("surrounding", SURROUNDINGS.values(), ids=SURROUNDINGS)
def test_each_pass_keeps_its_modes_and_the_caller_its_own(two_models, surrounding):
    full, low = two_models
    token = SETTING.set("the caller's")
    with surrounding():
        before = modes()
        with torch.inference_mode():
            for x in INPUTS:  # as each pass would go by itself, in the modes in which the iterator lets it begin
                full(x)
        expected = [full.met[: len(full.met) // 2], full.met[len(full.met) // 2 :]]
        full.met = []
        for number, _ in enumerate(begun(full, low), start=1):
            assert modes() == before
            assert len(full.met) == len(low.met) == 2 * (number - 1)
        assert modes() == before
    SETTING.reset(token)
    # Passes took turns at every layer.
    assert full.met == low.met == [step for steps in zip(*expected, strict=True) for step in steps]


def test_layers_see_what_they_see_in_a_pass_of_its_own(two_models):
    full, low = two_models
    with gathering_grams(quantizable_layers(full)) as beforehand, torch.inference_mode():
        for x in INPUTS:
            full(x)
    low_layers = quantizable_layers(low)
    seen = {}
    for name, paired in begun(full, low):
        seen[name] = paired
        low_layers[name].weight.data *= 1.25
    with gathering_grams(low_layers) as afterwards, torch.inference_mode():
        for x in INPUTS:
            low(x)
    assert list(seen) == [name for each in BLOCKS for name in (f"inside.in_{each}", f"outside.after_{each}")]
    for name, paired in seen.items():
        torch.testing.assert_close(paired.full.gram, beforehand[name].gram, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(paired.seen.gram, afterwards[name].gram, rtol=1e-4, atol=1e-5)
        if name != "inside.in_autocast":  # the first; all others see distorted inputs
            assert not torch.allclose(paired.seen.gram, paired.full.gram, rtol=0.1)


def in_another_thread(work):
    """What ``work`` raised there; None if it went through."""
    caught = []

    def run():
        try:
            work()
        except Exception as problem:
            caught.append(problem)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return caught[0] if caught else None


def test_another_thread_is_refused_and_changes_nothing(two_models):
    full, low = two_models
    steps = begun(full, low)
    names = [next(steps)[0] for _ in range(3)]
    for work in (lambda: next(steps), steps.close):
        problem = in_another_thread(work)
        assert isinstance(problem, RuntimeError)
        assert "belong to another thread" in str(problem)
    assert full.left == low.left == 0
    names += [name for name, _ in steps]
    assert names == list(dict.fromkeys(names))
    assert len(names) == 2 * len(BLOCKS)
    assert full.left == low.left == 2


@pytest.mark.parametrize("halts", [0, 1, 4, 11])
def test_closed_where_it_began_it_ends_every_pass_and_takes_off_every_hook(two_models, halts):
    full, low = two_models
    before = modes()
    steps = begun(full, low)
    for _ in range(halts):
        next(steps)
    steps.close()
    assert full.left == low.left == (2 if halts else 0)
    assert modes() == before
    assert not any(module._forward_pre_hooks for model in two_models for module in model.modules())
    with pytest.raises(StopIteration):
        next(steps)


def test_not_begun_it_may_be_closed_anywhere(two_models):
    assert in_another_thread(begun(*two_models).close) is None


@pytest.mark.parametrize("surrounding", [nullcontext, torch.inference_mode, torch.no_grad], ids=str)
def test_dropped_in_another_thread_its_passes_end_where_they_began(two_models, surrounding):
    full, low = two_models
    held = [begun(full, low)]
    next(held[0])
    assert in_another_thread(held.clear) is None
    assert not any(module._forward_pre_hooks for model in two_models for module in model.modules())
    with surrounding():
        before = modes()
        getcurrent()  # where greenlet ends what nobody holds
        gc.collect()
        assert full.left == low.left == 0
        list(begun(full, low, INPUTS[:1]))
        assert full.left == low.left == 3
        assert modes() == before


def test_a_pass_that_fails_ends_the_others_in_their_own_modes(two_models):
    full, low = two_models
    before = modes()
    low.inside["in_half"].register_forward_hook(lambda *_: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        list(begun(full, low))
    assert full.left == low.left == 2
    assert modes() == before


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
@pytest.mark.parametrize("other", BLOCKS.values(), ids=BLOCKS)
def test_a_halted_block_goes_on_as_it_was_whatever_is_open_then(block, other):
    met = []

    def halted_inside(caller):
        with block():
            met.append(modes())
            with torch_modes_kept():
                caller.switch()
            met.append(modes())

    before, halted = modes(), greenlet(halted_inside)
    with torch_modes_kept():
        halted.switch(getcurrent())
    assert modes() == before
    with other():
        opened = modes()
        with torch_modes_kept():
            halted.switch()
        assert modes() == opened
    assert halted.dead
    assert modes() == before
    assert met[0] == met[1]


@pytest.mark.parametrize("surrounding", BLOCKS.values(), ids=BLOCKS)
def test_what_runs_inside_begins_in_the_modes_around(surrounding):
    with surrounding():
        around = modes()
        with torch_modes_kept():
            assert modes() == around
        assert modes() == around
