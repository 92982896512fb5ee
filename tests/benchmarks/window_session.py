"""One session in the window; a step of ``whole_vit_b.py`` and ``big_volumes.py``:

    python tests/benchmarks/window_session.py MODEL VOLUME WEIGHTS PICTURES X0 Y0 Z0 X1 Y1 Z1

Opens the volume, loads the weights, follows a box live and compares, as a user does; tells as JSON how long each took,
the longest time for which the window did not answer, and how the progress went: the longest silence, and the largest
step of the bar; and how much memory the process took at the most. Pictures of the window are left in a folder.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import napari
from qtpy.QtCore import QSettings
from qtpy.QtWidgets import QApplication

from napari_pqcomq.app.compare_widget import CompareWidget
from pqcomq.segmentation.box import Box3D

DUE = 0.005
PATIENCE = 900.0
_MASKS = "Masks after"
"""What a plate says once masks are there."""


class Followed:
    """How the bar of the dock went while something was done.

    Attributes:
        silence: longest time in seconds between two changes of bar or text.
        leap: largest step of the bar, of its whole; backwards is told as a negative one.
        gap: longest time in seconds for which the window did not answer.
    """

    def __init__(self, dock: CompareWidget) -> None:
        self._jobs = dock.panels.jobs
        self.silence = self.leap = self.gap = 0.0

    def until(self, is_done: Callable[[], bool], what: str) -> float:
        """Let the window run; the seconds that it took."""
        began = changed = time.perf_counter()
        before: tuple[float, str] | None = None
        while not is_done():
            turned = time.perf_counter()
            QApplication.processEvents()
            time.sleep(DUE)
            now = time.perf_counter()
            self.gap = max(self.gap, now - turned - DUE)
            seen = self._share(), self._jobs.text.text()
            if before is not None and seen != before:
                leap = seen[0] - before[0]
                self.leap = leap if abs(leap) > abs(self.leap) else self.leap
                changed = now
            before = seen
            self.silence = max(self.silence, now - changed)
            if now - began > PATIENCE:
                raise SystemExit(f"{what} did not come within {PATIENCE:.0f} s")
        return time.perf_counter() - began

    def _share(self) -> float:
        bar = self._jobs.bar
        return bar.value() / bar.maximum() if bar.maximum() > 0 else 0.0


def main() -> None:
    """Work in the window once."""
    model = sys.argv[1]
    volume, weights, pictures = (Path(each) for each in sys.argv[2:5])
    box = Box3D.of(float(each) for each in sys.argv[5:11])
    pictures.mkdir(parents=True, exist_ok=True)
    told: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, folder)
        viewer = napari.Viewer(show=True, show_welcome_screen=False)
        viewer.window.resize(1280, 800)
        dock = CompareWidget(viewer)
        viewer.window.add_dock_widget(dock, name="Compare precisions")
        panels = dock.panels

        def seen(name: str) -> None:
            idle(0.5)
            viewer.window.screenshot(str(pictures / f"{name}.png"), canvas_only=False, flash=False)

        panels.model.choose_model(model)
        panels.volume.open_menu.open(volume)
        told["volume_s"] = Followed(dock).until(lambda: panels.volume.volume is not None, "the volume")
        dock.workflow.weights.load(weights)
        loading = Followed(dock)
        told["weights_s"] = loading.until(lambda: not panels.jobs.is_running, "the weights")
        viewer.dims.set_current_step(0, box.z0)
        panels.objects.add(box, "liver")
        panels.objects.settle()
        idle(0.5)

        plates: list[str] = []
        panels.live.lines_changed.connect(lambda sides: plates.extend(" ".join(lines) for lines in sides))
        live = Followed(dock)
        dock.workflow.open_live()
        told["live_opened_s"] = live.until(lambda: panels.view.is_open, "the live view")
        seen("opening")
        told["first_mask_s"] = live.until(lambda: any(_MASKS in each for each in plates), "a mask")
        panels.live.latencies_ms.clear()
        panels.objects.set_box(0, Box3D(box.x0 + 2, box.y0, box.z0, box.x1 + 2, box.y1, box.z1))
        panels.objects.settle()
        told["next_mask_s"] = live.until(lambda: len(panels.live.latencies_ms) > 0, "the next mask")
        seen("live")
        told |= described("live", live)

        comparing = Followed(dock)
        panels.actions.request_comparison()
        idle(0.2)
        told["compared_s"] = comparing.until(lambda: not panels.jobs.is_running, "the comparison")
        seen("compared")
        told |= described("comparing", comparing)
        viewer.close()
    told["peak_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(told))


def described(name: str, followed: Followed) -> dict[str, float]:
    """What is told of the progress."""
    return {
        f"{name}_silence_s": followed.silence,
        f"{name}_leap_percent": 100 * followed.leap,
        f"{name}_gap_s": followed.gap,
    }


def idle(seconds: float) -> None:
    """Let the window run."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        QApplication.processEvents()
        time.sleep(DUE)


if __name__ == "__main__":
    main()
