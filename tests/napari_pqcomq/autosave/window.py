"""A real window that is worked in until somebody kills it, and one that goes on: ``window.py work|go_on FOLDER``.

``FOLDER`` holds ``ct.nii.gz`` and gets ``work.npz`` or ``go_on.npz``: all that must be equal.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from pqcomq.cpu_settings import apply_cpu_settings

apply_cpu_settings()

import napari
import numpy as np
from conftest import _pixel
from napari.utils.notifications import notification_manager
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_pqcomq.jobs.models.triton_guard import keep_triton_out

keep_triton_out()

from napari_pqcomq.app.compare_widget import CompareWidget
from napari_pqcomq.layers.mask_layers import NAMES_KEY, ORIGINS_KEY
from napari_pqcomq.viewer.comparison.correction_tool import Painted
from pqcomq.backends.runtime import Runtime

PATIENCE = 280


def wait_until(told, what):
    end = time.monotonic() + PATIENCE
    while not told():
        if time.monotonic() > end:
            raise SystemExit(f"waited in vain for: {what}; {notices()}")
        QApplication.processEvents()
        time.sleep(0.01)


def wait(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.01)


def notices():
    return [notice.message for notice in notification_manager.records]


def drag(viewer, start, end):
    canvas = viewer.window._qt_viewer.canvas.native
    wait(0.2)
    first, last = _pixel(viewer, start, 0), _pixel(viewer, end, 0)
    QTest.mouseMove(canvas, first)
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, first)
    for step in range(1, 7):
        wait(0.03)
        QTest.mouseMove(canvas, first + (last - first) * step / 6)
    wait(0.03)
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, last + QPoint(0, 0))
    wait(0.1)


def state(viewer, dock):
    """All that must be equal afterwards: facts as JSON, and voxels."""
    panels = dock.panels
    kept = [layer for layer in viewer.layers if layer.metadata.get(ORIGINS_KEY)]
    facts = {
        "objects": [
            [each.number, each.name, each.asked.to_dict(), each.compared, each.colour]
            for each in panels.objects.objects
        ],
        "current": panels.objects.current,
        "layers": {
            layer.name: [layer.metadata[NAMES_KEY], {n: repr(o) for n, o in layer.metadata[ORIGINS_KEY].items()}]
            for layer in kept
        },
        "weights": [each.segmenter.fingerprint for each in dock.workflow.weights.chosen],
        "settings": [panels.model.preferences(), panels.calibration.preferences(), panels.prompts.preferences()],
    }
    return facts, {layer.name: np.array(layer.data) for layer in kept}


def correct(dock):
    """A stroke on the second side, as the brush makes it; what must come back as a layer of its own."""
    view, store = dock.panels.view, dock.panels.store
    z = store.result.objects[0].box.z0
    before = np.array(view.all_masks()[1][z])
    after = before.copy()
    after[:3, :5] = 1
    view.set_mask_of(1, z, after)
    dock.correcting.tool.painted.emit(Painted(1, 1, z, before, after, 0.0, 1.0))
    return np.array(view.all_masks()[1])


def work(viewer, dock, folder):
    panels = dock.panels
    panels.model.choose_bits(8)
    panels.model.choose_method("rtn")
    panels.calibration.choose_slices(1)
    panels.model.choose_runtime(Runtime.torch)
    panels.volume.open_menu.open(folder / "ct.nii.gz")
    wait_until(lambda: panels.volume.volume is not None, "the volume")
    for start, end in (((5, 5), (15, 17)), ((16, 20), (24, 32))):
        dock.panels.prompts.draw()
        drag(viewer, start, end)
    assert len(panels.objects) == 2, "two boxes were drawn with the mouse"
    for place, each in enumerate(panels.objects.objects):
        panels.objects.set_box(place, replace(each.box, z0=5, z1=6))
        panels.objects.settle()
    panels.objects.rename(0, "Würfel “links”")
    panels.objects.set_compared(1, False)
    dock.workflow.compare()
    wait_until(lambda: panels.store.result is not None and panels.view.is_open, "the comparison")
    wait_until(lambda: not panels.view.is_opening, "the view")
    dock.on_screen.keep_masks()
    wait_until(lambda: not dock.on_screen.keeping.is_running, "the kept masks")
    corrected = correct(dock)
    facts, voxels = state(viewer, dock)
    voxels[f"{panels.store.result.models[1].segmenter.precision}, corrected"] = corrected
    np.savez(folder / "work.npz", facts=json.dumps(facts), **voxels)
    wait(3)
    print("done", flush=True)
    while True:
        wait(1)


def go_on(viewer, dock, folder):
    panels = dock.panels
    assert panels.model.settings.method != "rtn", "a new window with nothing remembered"
    wait_until(lambda: panels.question.buttons, "the question")
    question = panels.question.text.text()
    viewer.screenshot(str(folder / "offered.png"), canvas_only=False, flash=False)
    QTest.mouseClick(panels.question.buttons[0], Qt.MouseButton.LeftButton)
    wait_until(lambda: len(panels.objects) == 2 and not panels.jobs.is_running, "boxes and weights")
    wait(1)
    viewer.screenshot(str(folder / "resumed.png"), canvas_only=False, flash=False)
    facts, voxels = state(viewer, dock)
    np.savez(folder / "go_on.npz", facts=json.dumps(facts), told=json.dumps([question, *notices()]), **voxels)
    viewer.close()


if __name__ == "__main__":
    window = napari.Viewer(show=True, show_welcome_screen=False)
    window.window.resize(1280, 800)
    widget = CompareWidget(window)
    window.window.add_dock_widget(widget, name="Compare precisions")
    wait(0.3)
    {"work": work, "go_on": go_on}[sys.argv[1]](window, widget, Path(sys.argv[2]))
