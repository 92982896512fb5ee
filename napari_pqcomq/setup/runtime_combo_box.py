"""What runs the networks, as a combo box; what this machine cannot run is greyed out, and says why.

OpenVINO in float32 is chosen at first where it is installed: full precision comes out the same but for rounding, low
bits have their real speed, and a decoder that is one call instead of hundreds of small operations in Python follows a
box without waiting for the window.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

from napari.qt.threading import create_worker
from napari.utils.notifications import show_warning
from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QStandardItemModel
from qtpy.QtWidgets import QComboBox, QWidget

from pqcomq.backends.openvino_model import obstacle
from pqcomq.backends.runtime import Runtime

TITLES = {
    Runtime.torch: "torch, low bits simulated",
    Runtime.openvino: "OpenVINO, FP32",
    Runtime.openvino_bf16: "OpenVINO, BF16",
    Runtime.openvino_int8: "OpenVINO, 8-bit inputs",
    Runtime.openvino_int8_bf16: "OpenVINO, 8-bit inputs, BF16",
}
_TOOLTIPS = {
    Runtime.torch: "The reference. Low-bit weights are widened to float32 to run: smaller files, no other speed.",
    Runtime.openvino: "Real low-bit speed: packed weights stay packed in memory. The same results but for rounding.",
    Runtime.openvino_bf16: "As FP32, with bfloat16 products. The full-precision model runs in FP32 beside it.",
    Runtime.openvino_int8: "Inputs of layers in 8 bits, integer products. Needs weights quantized for it: one "
    "symmetric scale an output channel.",
    Runtime.openvino_int8_bf16: "As 8-bit inputs, all else in bfloat16.",
}
_TOOLTIP = "What runs the networks. Headings and tables say whether low-bit speed is real or simulated."
_WITHOUT_OPENVINO = (
    "OpenVINO is not installed, so torch runs them and low bits have no speed of their own: "
    'pip install "napari-pqcomq[openvino]"'
)


class RuntimeComboBox(QComboBox):
    """All runtimes; which of them can run here is found out in the background, since OpenVINO takes time to load.

    Attributes:
        changed: emitted when another is chosen.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        for runtime, title in TITLES.items():
            self.addItem(title, runtime)
            self.setItemData(self.count() - 1, _TOOLTIPS[runtime], Qt.ItemDataRole.ToolTipRole)
        self.setToolTip(_TOOLTIP)
        if find_spec("openvino") is not None:
            self.choose(Runtime.openvino)
        else:
            self.setToolTip(f"{_TOOLTIP}\n{_WITHOUT_OPENVINO}")
        self.currentIndexChanged.connect(lambda _index: self.changed.emit())
        self._worker = create_worker(_obstacles, _start_thread=False)
        self._worker.returned.connect(self.show_obstacles)
        self._worker.start()

    @property
    def runtime(self) -> Runtime:
        """The chosen one."""
        return Runtime(self.currentData())

    def choose(self, runtime: Runtime) -> None:
        """Choose one; the first time that something is run, it is said if it cannot."""
        self.setCurrentIndex(self.findData(runtime))

    def show_obstacles(self, obstacles: dict[Runtime, str]) -> None:
        """Grey out what cannot run here.

        Args:
            obstacles: runtime → why not.
        """
        model = self.model()
        assert isinstance(model, QStandardItemModel)  # noqa: S101 (a combo box's own)
        for runtime, reason in obstacles.items():
            index = self.findData(runtime)
            model.item(index).setEnabled(False)
            self.setItemData(index, reason, Qt.ItemDataRole.ToolTipRole)
        if self.runtime in obstacles:  # remembered from another machine
            show_warning(f"{obstacles[self.runtime][:1].upper()}{obstacles[self.runtime][1:]}.")
            self.choose(Runtime.torch)


@cache
def _obstacles() -> dict[Runtime, str]:
    reasons = {runtime: obstacle(runtime) for runtime in Runtime}
    return {runtime: reason for runtime, reason in reasons.items() if reason is not None}
