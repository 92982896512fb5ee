"""Torch's modes of the running thread, kept apart for forward passes that take turns in it.

Gradients, inference mode, autocast and the modes that a ``with torch.device(...)`` opens belong to a thread, not to a
greenlet, and the default dtype to the whole process. A pass that halts inside such a block would leave it open for
whoever runs next.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.overrides import TorchFunctionMode

_AUTOCAST_NAMES = ("cpu", "cuda", "hpu", "ipu", "maia", "mps", "mtia", "privateuseone", "xla", "xpu")


def _autocast_devices() -> tuple[str, ...]:
    """The kinds of device for which this release of torch has an autocast."""

    def known(name: str) -> bool:
        try:
            torch.get_autocast_dtype(name)
        except RuntimeError:
            return False
        return True

    return tuple(filter(known, _AUTOCAST_NAMES))


_AUTOCAST_DEVICES = _autocast_devices()


@contextmanager
def torch_modes_kept() -> Iterator[None]:
    """Have torch's modes after the block as they were before it, whatever ran inside and left its own behind.

    The block itself begins in the modes of its surroundings. Kept are the grad mode, inference mode, autocast of every
    kind of device, the modes that intercept torch's functions (``with torch.device(...)`` is one), and the default
    dtype. Dispatch modes and a kind of device's current one (``torch.cuda.device``) are not.
    """
    grad, dtype = torch.is_grad_enabled(), torch.get_default_dtype()
    cached = torch.is_autocast_cache_enabled()
    casts = [(name, torch.is_autocast_enabled(name), torch.get_autocast_dtype(name)) for name in _AUTOCAST_DEVICES]
    functions = _function_modes()
    try:
        # Inference mode cannot be set but by a block, whose end puts back what its beginning found.
        with torch.inference_mode(torch.is_inference_mode_enabled()):
            torch.set_grad_enabled(grad)
            yield
    finally:
        for name, enabled, cast_to in casts:
            torch.set_autocast_enabled(name, enabled)
            torch.set_autocast_dtype(name, cast_to)
        torch.set_autocast_cache_enabled(cached)
        torch.clear_autocast_cache()  # weights may have changed in between
        _put_back(functions)
        if torch.get_default_dtype() != dtype:
            torch.set_default_dtype(dtype)


def _function_modes() -> list[TorchFunctionMode]:
    """The modes that intercept torch's functions, outermost first."""
    modes: list[TorchFunctionMode] = torch.overrides._get_current_function_mode_stack()  # type: ignore[no-untyped-call]
    return modes


def _put_back(functions: list[TorchFunctionMode]) -> None:
    """Have these modes, outermost first, intercept torch's functions, and no other."""
    while _function_modes():
        torch.overrides._pop_mode()  # type: ignore[no-untyped-call]
    for mode in functions:
        torch.overrides._push_mode(mode)  # type: ignore[no-untyped-call]
