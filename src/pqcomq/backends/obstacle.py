"""Whether a runtime can run on this machine: its library is there, and the processor or device has what it needs."""

from __future__ import annotations

from types import ModuleType

from pqcomq.backends.processor import lacking
from pqcomq.backends.runtime import Arithmetic, Runtime
from pqcomq.errors import InputError


def obstacle(runtime: Runtime) -> str | None:
    """Why a runtime cannot run here as asked, in one sentence; None if it can."""
    if runtime.device:
        from pqcomq.backends.torch_device import device_obstacle

        return device_obstacle(runtime.device)
    try:
        if runtime.on_openvino:
            return lacking(imported_openvino(runtime).Core(), runtime, Arithmetic.of(runtime))
    except InputError as error:
        return str(error)
    except RuntimeError as problem:  # the library is there, but its part for processors does not load
        from pqcomq.backends.compiled_networks import last_line

        return f"runtime {runtime.value} needs OpenVINO, which does not work here ({last_line(problem)})"
    return None


def available(runtime: Runtime) -> bool:
    """Whether a runtime can run here as asked."""
    return obstacle(runtime) is None


def imported_openvino(runtime: Runtime) -> ModuleType:
    """The library, imported when first asked for: it takes half a second.

    Raises:
        InputError: it is not installed, or does not load.
    """
    try:
        import openvino
    except (ImportError, OSError) as problem:
        raise InputError(
            f"runtime {runtime.value} needs OpenVINO, which is not installed here or cannot be loaded: "
            f'pip install "napari-pqcomq[openvino]", or choose runtime {Runtime.torch.value}'
        ) from problem
    library: ModuleType = openvino
    return library
