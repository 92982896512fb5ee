"""``auto``: the fastest runtime that this machine really has and the weights permit.

The order is one of measurements, medians of settings in turns on two cores of an Intel Xeon with AVX-512, VNNI, BF16
and AMX, LiteMedSAM's encoder in ms: torch 603; OpenVINO in float32 341, packed 4 bits 372; bfloat16 131, 4 bits widened
to bfloat16 when loaded 134, packed 170. With no more than AVX2's instructions float32 took 455 there, packed 573.

What a processor's instructions promise is tried once on a small network against torch, see :mod:`.self_check`; what was
found is kept, see :mod:`.remembered_checks`. A runtime that computes wrongly or not at all gives way to the next one.
"""

from __future__ import annotations

from collections.abc import Sequence

from pqcomq.backends.obstacle import obstacle
from pqcomq.backends.remembered_checks import remembered_fault
from pqcomq.backends.runtime import DEVICES, Device, Runtime, Taken
from pqcomq.backends.self_check import fault
from pqcomq.errors import InputError


def settled(runtime: Runtime, models: Sequence[object]) -> Taken:
    """A runtime for models that are compared with each other, or for full precision where there are none.

    Args:
        runtime: what was asked for; anything but ``auto``, and devices that are not there, stands.
        models: quantized ones that are to run on the same, or that are yet to be made; only whether there is one tells.

    Returns:
        What runs them, and in one sentence why, where that was not asked for.
    """
    if runtime.device and (problem := hindrance(runtime)):
        why = f"{runtime.device.upper()} was asked for, but {problem}; torch computes on the processor in FP32."
        return Taken(Runtime.torch, why)
    if runtime is not Runtime.auto:
        return Taken(runtime)
    passed_over: list[str] = []
    for each in _by_speed(quantized=bool(models)):
        problem = hindrance(each)
        if problem is None:
            return Taken(each, _sentence(f"Fastest here: {each.value}", passed_over))
        passed_over.append(problem)
    return Taken(Runtime.torch, _sentence("Torch, which runs everywhere", passed_over[-1:]))


def hindrance(runtime: Runtime) -> str | None:
    """Why a runtime cannot be relied on here, in one sentence; None if it can. It is tried once on each machine."""
    return obstacle(runtime) or (remembered_fault(runtime, fault) if runtime.on_openvino else None)


def with_device(runtime: Runtime, device: Device | None) -> Runtime:
    """The runtime that computes on a device.

    Args:
        runtime: what was asked for.
        device: ``auto`` takes one that works here, if there is one; None leaves the runtime as it is.

    Raises:
        InputError: the runtime computes elsewhere.

    Examples:
        >>> with_device(Runtime.auto, Device.cuda).value
        'torch-cuda'
    """
    if device is None or runtime.device == device.value:
        return runtime
    if device is Device.auto:
        if runtime not in (Runtime.auto, Runtime.torch):
            return runtime
        there = (Runtime(f"torch-{each}") for each in DEVICES)
        return next((each for each in there if hindrance(each) is None), runtime)
    if device is Device.cpu and not runtime.device:
        return runtime
    if device is Device.cpu or runtime not in (Runtime.auto, Runtime.torch):
        raise InputError(f"Runtime {runtime.value} does not compute on {device.value}; leave one of the two out.")
    return Runtime(f"torch-{device.value}")


def _by_speed(*, quantized: bool) -> list[Runtime]:
    """The runtimes for quantized models or full precision, the fastest first."""
    widened = [Runtime.openvino_bf16_widened, Runtime.openvino_widened] if quantized else []
    return [*widened, Runtime.openvino]


def _sentence(taken: str, passed_over: Sequence[str]) -> str:
    return f"{taken} ({'; '.join(passed_over)})." if passed_over else f"{taken}."
