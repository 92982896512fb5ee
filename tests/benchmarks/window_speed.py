"""How the window feels, measured, with nothing else running:

    python tests/benchmarks/window_speed.py [RUNTIME [WEIGHTS]]

Prints, for the synthetic sample and LiteMedSAM: the event loop's lag while a model is quantized (how late a timer that
is due every 5 ms fires), the pause when the comparison opens, the time to the first mask, the time from each move of a
box to both masks, computed and drawn, the time from a slice to the next, drawn, and the time to switch between the
views; of these two also the main thread's processor time, which other work on the machine changes less. Without RUNTIME
it is the window's own choice; with WEIGHTS nothing is quantized.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import napari
import numpy as np
from napari.layers import Layer
from qtpy.QtCore import QSettings
from qtpy.QtWidgets import QApplication

from napari_pqcomq.app.compare_widget import CompareWidget
from napari_pqcomq.io.sample_data import synthetic_ct_sample
from napari_pqcomq.viewer.modes.mode_registry import SIDE_BY_SIDE, VIEWS
from pqcomq.autosave.places import FOLDER_VARIABLE
from pqcomq.backends.runtime import Runtime
from pqcomq.segmentation.box import Box3D

DUE_MS = 5.0
MOVES = 40


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ[FOLDER_VARIABLE] = folder  # no unfinished work of the user's own is offered or kept
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, folder)
        viewer = napari.Viewer(show=True, show_welcome_screen=False)
        viewer.window.resize(1280, 800)
        dock = CompareWidget(viewer)
        viewer.window.add_dock_widget(dock, name="Compare precisions")
        for layer in synthetic_ct_sample():
            viewer.add_layer(Layer.create(*layer))
        idle(1)
        if len(sys.argv) > 1:
            dock.panels.model.choose_runtime(Runtime(sys.argv[1]))
        if len(sys.argv) > 2:
            dock.workflow.weights.load(Path(sys.argv[2]))
        else:
            dock.workflow.quantize()
        tell("lag while the weights are made or loaded", lags_while(lambda: dock.panels.jobs.is_running))
        live(viewer, dock)
        viewer.close()


def live(viewer: napari.Viewer, dock: CompareWidget) -> None:
    prompts = dock.panels.objects
    box = prompts.current_prompt.box
    viewer.dims.set_current_step(0, box.middle)
    began = time.perf_counter()
    dock.workflow.open_live()
    lags = lags_while(lambda: not (dock.panels.view.is_open and dock.panels.view.masks(box.middle)[1].any()))
    print(f"first masks after {time.perf_counter() - began:.2f} s, opening and encoding with both models included")
    print(f"longest pause meanwhile: {max(lags):.0f} ms")
    idle(1)
    dock.panels.live.latencies_ms.clear()
    lags, drawn = [], []
    for move in range(MOVES):
        shift = 8 * np.sin((move + 1) / 3)  # never where it was before
        began = time.perf_counter()
        prompts.set_box(prompts.current, Box3D(box.x0 + shift, box.y0, box.z0, box.x1 + shift, box.y1, box.z1))
        lags += lags_while(lambda move=move: len(dock.panels.live.latencies_ms) <= move)
        QApplication.processEvents()
        drawn.append((time.perf_counter() - began) * 1e3)
    tell("from a move of the box to both masks", dock.panels.live.latencies_ms)
    tell("and until they are drawn", drawn)
    tell("lag while boxes are moved", lags)
    dock.panels.view.show(SIDE_BY_SIDE)
    slices = [*range(box.z0, box.z1 + 1)] * 2
    steps = [drawn_after(lambda z=z: viewer.dims.set_current_step(0, z)) for z in slices]
    tell("from a slice to the next, drawn", [taken for taken, _own in steps])
    tell("of which the main thread's processor time", [own for _taken, own in steps])
    for name in [*VIEWS, *VIEWS]:
        taken, own = drawn_after(lambda name=name: dock.panels.view.show(name))
        print(f"switch to {name}: {taken:.0f} ms, of which the main thread's processor time {own:.0f} ms")


def drawn_after(change: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds until a change is drawn, and the main thread's processor time of them."""
    idle(0.1)
    began, own = time.perf_counter(), time.thread_time()
    change()
    QApplication.processEvents()
    return (time.perf_counter() - began) * 1e3, (time.thread_time() - own) * 1e3


def idle(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        QApplication.processEvents()
        time.sleep(0.01)


def lags_while(busy: Callable[[], bool]) -> list[float]:
    """How late a timer fires, in ms, for as long as ``busy()``."""
    lags = []
    while busy():
        began = time.perf_counter()
        time.sleep(DUE_MS / 1e3)
        QApplication.processEvents()
        lags.append((time.perf_counter() - began) * 1e3 - DUE_MS)
    return lags


def tell(what: str, milliseconds: list[float]) -> None:
    median, p95 = np.percentile(milliseconds, (50, 95))
    print(f"{what}: median {median:.0f} ms, 95th percentile {p95:.0f} ms, longest {max(milliseconds):.0f} ms")


if __name__ == "__main__":
    main()
