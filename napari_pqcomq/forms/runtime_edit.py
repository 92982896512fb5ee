"""What runs the networks, as a combo box; what this machine cannot run is greyed out, and says why.

The fastest that this machine has is the default: where OpenVINO is installed, quantized models run in bfloat16 on
processors that have it, full precision in float32, and a decoder that is one call instead of hundreds of small
operations in Python follows a box without waiting for the window.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from textwrap import shorten
from typing import Any

from napari.qt.threading import create_worker
from napari.utils.notifications import show_warning
from qtpy.QtCore import QObject
from qtpy.QtWidgets import QListView

from napari_pqcomq.forms.greyed_choices import GreyedChoices
from napari_pqcomq.translation import tr
from pqcomq.backends.obstacle import obstacle
from pqcomq.backends.runtime import Runtime

TITLES = {
    Runtime.auto: tr("the fastest here"),
    Runtime.torch: tr("torch, low bits simulated"),
    Runtime.openvino: tr("OpenVINO, FP32, packed"),
    Runtime.openvino_widened: tr("OpenVINO, FP32, widened"),
    Runtime.openvino_bf16: tr("OpenVINO, BF16, packed"),
    Runtime.openvino_bf16_widened: tr("OpenVINO, BF16, widened"),
    Runtime.openvino_int8: tr("OpenVINO, 8-bit inputs"),
    Runtime.openvino_int8_bf16: tr("OpenVINO, 8-bit inputs, BF16"),
    Runtime.torch_cuda: tr("torch on CUDA, FP32, low bits simulated"),
    Runtime.torch_cuda_half: tr("torch on CUDA, FP16, low bits simulated"),
    Runtime.torch_cuda_packed: tr("torch on CUDA, FP32, packed"),
    Runtime.torch_mps: tr("torch on Apple's GPU, FP32, low bits simulated"),
    Runtime.torch_mps_half: tr("torch on Apple's GPU, FP16, low bits simulated"),
    Runtime.torch_mps_packed: tr("torch on Apple's GPU, FP32, packed"),
}
_TOOLTIPS = {
    Runtime.auto: tr(
        "What computes fastest on this machine, tried once against torch; the texts on the picture name it. "
        "Full precision is always computed in FP32."
    ),
    Runtime.torch: tr("The reference. Low-bit weights are widened to float32 to run: smaller files, no other speed."),
    Runtime.openvino: tr(
        "Real low-bit speed: packed weights stay packed in memory. The same results but for rounding."
    ),
    Runtime.openvino_widened: tr(
        "Packed weights are widened to float32 once, when they are loaded: faster, more memory."
    ),
    Runtime.openvino_bf16: tr("As FP32, with bfloat16 products. The full-precision model runs in FP32 beside it."),
    Runtime.openvino_bf16_widened: tr(
        "Packed weights are widened to bfloat16 once, when they are loaded: faster, more memory."
    ),
    Runtime.openvino_int8: tr(
        "Inputs of layers in 8 bits, integer products. Needs weights quantized for it: one "
        "symmetric scale an output channel."
    ),
    Runtime.openvino_int8_bf16: tr("As 8-bit inputs, all else in bfloat16."),
    **{
        runtime: tr("In float16. The full-precision model runs in FP32 beside it.")
        if runtime.halves
        else tr(
            "Weights stay packed in the device's memory and are widened for each layer: less memory, no other speed."
        )
        if runtime.packs
        else tr("The same results as torch on the processor but for rounding. Low-bit weights are widened to float32.")
        for runtime in Runtime
        if runtime.device
    },
}
_LONGEST_REASON = 70
"""Letters in the list; the tooltip has all of them."""
_ON_DEVICES = [runtime for runtime in Runtime if runtime.device]
_TOOLTIP = tr(
    "What runs the networks. The texts on the picture and the tables say whether low-bit speed is real or simulated."
)
_WITHOUT_OPENVINO = tr(
    "OpenVINO is not installed, so torch runs them and low bits have no speed of their own: "
    'pip install "napari-pqcomq[openvino]"'
)


class _Search(QObject):
    """Looks in the background for what cannot run here; its answer is dropped when the combo box is gone by then."""

    def __init__(self, edit: RuntimeEdit) -> None:
        super().__init__(edit.native)
        self._edit = edit
        self._worker = create_worker(_obstacles, _start_thread=False)  # type: ignore[arg-type]
        self._worker.returned.connect(self._tell)
        self._worker.start()

    def _tell(self, obstacles: dict[Runtime, str]) -> None:
        self._edit.show_obstacles(obstacles)


class RuntimeEdit(GreyedChoices):
    """All runtimes; which of them can run here is found out in the background, since OpenVINO takes time to load."""

    value: Runtime

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 (magicgui's)
        super().__init__(choices=[(title, runtime) for runtime, title in TITLES.items()], **options)
        for runtime, tooltip in _TOOLTIPS.items():
            self.explain(runtime, tooltip)
        for runtime in _ON_DEVICES:
            self._show(runtime, False)
        self.tooltip = f"{_TOOLTIP}\n{_WITHOUT_OPENVINO}" if find_spec("openvino") is None else _TOOLTIP
        self._search = _Search(self)

    def get_value(self) -> Runtime:
        """The chosen one; Qt keeps plain text."""
        return Runtime(super().get_value())

    def show_obstacles(self, obstacles: dict[Runtime, str]) -> None:
        """Grey out what cannot run here.

        Args:
            obstacles: runtime → why not.
        """
        for runtime in _ON_DEVICES:
            self._show(runtime, runtime not in obstacles)
        for runtime, reason in obstacles.items():
            self.offer(runtime, False)
            self.explain(runtime, reason)
            # In sight, too: the keyboard and many a hand never see the tooltip of a grey entry.
            told = shorten(reason.removeprefix(f"runtime {runtime.value} "), _LONGEST_REASON, placeholder="…")
            self.native.setItemText(self._index(runtime), f"{TITLES[runtime]} · {told}")
        self.native.view().setMinimumWidth(self.native.view().sizeHintForColumn(0))
        if self.value in obstacles:  # remembered from another machine
            show_warning(f"{obstacles[self.value][:1].upper()}{obstacles[self.value][1:]}.")
            self.value = Runtime.auto

    def _show(self, runtime: Runtime, shown: bool) -> None:
        """Offer a device that this machine has; another is not even listed."""
        self.offer(runtime, shown)
        view = self.native.view()
        assert isinstance(view, QListView)  # noqa: S101 (a combo box's own)
        view.setRowHidden(self._index(runtime), not shown)


@cache
def _obstacles() -> dict[Runtime, str]:
    reasons = {runtime: obstacle(runtime) for runtime in Runtime}
    return {runtime: reason for runtime, reason in reasons.items() if reason is not None}
