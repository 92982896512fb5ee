"""One round of work in a real window: load, prompt, slice, quantize, compare, switch views, correct, keep, close."""

from __future__ import annotations

import time
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from napari._qt.dialogs.qt_notification import NapariQtNotification
from qtpy.QtCore import QEvent, QTimer
from qtpy.QtWidgets import QApplication

from napari_pqcomq.app.compare_widget import CompareWidget
from napari_pqcomq.viewer.comparison.correction_tool import Painted
from napari_pqcomq.viewer.modes.mode_registry import VIEWS
from pqcomq.autosave.places import weights_folder
from pqcomq.backends.runtime import Runtime
from pqcomq.segmentation.box import Box3D

TICK_MS = 5
PATIENCE = 1500
DOCK_EVERY = 5
"""Rounds after which the dock is closed and opened anew."""
QUANTIZE_EVERY = 8
"""Rounds after which weights are really made; between them they are found on disk."""


class Watchdog:
    """How long the event loop did not turn, by the step that ran."""

    def __init__(self):
        self.step, self.longest = "start", defaultdict(float)
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.timeout.connect(self._tick)
        self._timer.start(TICK_MS)

    def _tick(self):
        now = time.perf_counter()
        self.longest[self.step] = max(self.longest[self.step], (now - self._last) * 1e3 - TICK_MS)
        self._last = now

    def taken(self):
        """Milliseconds by step since it was asked last."""
        found, self.longest = dict(self.longest), defaultdict(float)
        return found


def write_volumes(folder, side, depth):
    """Two CTs of a disc with a blob, a file each; their boxes go round the blob."""
    paths = []
    for seed in (0, 1):
        z, y, x = np.indices((depth, side, side))
        voxels = np.where((y - side / 2) ** 2 + (x - side / 2) ** 2 < (0.42 * side) ** 2, 50, -1000)
        voxels = np.where((y - 0.42 * side) ** 2 + (x - 0.6 * side) ** 2 < (0.1 * side + z) ** 2, 150, voxels)
        voxels = voxels + np.random.default_rng(seed).normal(0, 10, voxels.shape)
        image = sitk.GetImageFromArray(voxels.astype(np.int16))
        image.SetSpacing((2.0, 2.0, 5.0))
        paths.append(Path(folder) / f"ct{seed}.nii.gz")
        sitk.WriteImage(image, str(paths[-1]))
    return paths


class Cycle:
    """Works in a window, round after round.

    Args:
        viewer: with a real window.
        volumes: files to open in turn.
        autosave: folder of what is kept.
        bits: to quantize to.
    """

    def __init__(self, viewer, volumes, autosave, bits=8):
        self.viewer, self._volumes, self._autosave, self._bits = viewer, volumes, Path(autosave), bits
        self.watchdog = Watchdog()
        self.latencies = defaultdict(list)
        self._dock = self._dock_widget = None
        self._rounds = 0

    def round(self):
        """All steps once; milliseconds of slice steps and view switches, and the longest gaps by step."""
        self.latencies.clear()
        self.watchdog.taken()
        steps = (
            self._open_dock,
            self._load,
            self._prompt,
            self._slice,
            self._quantize,
            self._compare,
            self._views,
            self._live,
            self._correct,
            self._autosaving,
            self._close,
        )
        for step in steps:
            with self._named(step.__name__.strip("_").replace("_", " ")):
                step()
        self._rounds += 1
        return dict(self.latencies), self.watchdog.taken()

    @contextmanager
    def _named(self, name):
        wait(0.02)
        self.watchdog.step = name
        yield
        wait(0.05)

    def _open_dock(self):
        if self._dock is not None and self._rounds % DOCK_EVERY:
            return
        if self._dock is not None:
            self.viewer.window.remove_dock_widget(self._dock_widget)
            self._dock = self._dock_widget = None
            wait(0.2)
        self._dock = CompareWidget(self.viewer)
        self._dock_widget = self.viewer.window.add_dock_widget(self._dock, name="Compare precisions")
        panels = self._dock.panels
        panels.model.choose_bits(self._bits)
        panels.model.choose_method("rtn")
        panels.calibration.choose_slices(1)
        panels.model.choose_runtime(Runtime.torch)

    def _load(self):
        panels = self._dock.panels
        panels.volume.open_menu.open(self._volumes[self._rounds % len(self._volumes)])
        wait_until(lambda: panels.volume.volume is not None, "the volume")
        self._dock.autosave.recorder.desk.wait()
        wait(0.1)
        if panels.question.buttons:  # what was kept of this volume before
            panels.question.buttons[1].click()

    def _prompt(self):
        objects, (depth, height, width) = self._dock.panels.objects, self._dock.panels.volume.volume.grid.shape_zyx
        z = depth // 2
        for number, shift in enumerate((0.0, 0.06)):
            box = Box3D(*(width * (0.45 + shift), height * 0.28, z), width * 0.75, height * 0.55, z)
            objects.add(box, f"blob {number}")
            objects.settle()
        objects.set_compared(1, False)
        self.viewer.dims.set_current_step(0, z)

    def _slice(self):
        depth = self._dock.panels.volume.volume.grid.shape_zyx[0]
        for z in [*range(depth), depth // 2]:
            self._timed("slice step", lambda z=z: self.viewer.dims.set_current_step(0, z))

    def _quantize(self):
        """Made, or found on disk; never at hand."""
        models = self._dock.workflow.models
        models._quantized = ()
        if self._rounds % QUANTIZE_EVERY == 0:
            for path in weights_folder(self._autosave).glob("*.safetensors"):
                path.unlink()
        self._dock.workflow.quantize()
        wait_until(lambda: not self._dock.panels.jobs.is_running, "the weights")
        assert self._dock.workflow.weights.chosen

    def _compare(self):
        panels = self._dock.panels
        self._dock.workflow.compare()
        wait_until(lambda: panels.store.result is not None and panels.view.is_open, "the comparison")
        wait_until(lambda: not panels.view.is_opening and not panels.jobs.is_running, "the view")

    def _views(self):
        for name in VIEWS:
            self._timed("view switch", lambda name=name: self._dock.panels.view.show(name))
        self._dock.panels.view.show(next(iter(VIEWS)))

    def _live(self):
        live, objects = self._dock.panels.live, self._dock.panels.objects
        objects.choose(0)  # the other is not compared, and is not followed
        box = objects.current_prompt.box
        for step in range(1, 4):
            moved = Box3D(box.x0 + step, box.y0, box.z0, box.x1 + step, box.y1, box.z1)
            objects.set_box(objects.current, moved)
            wait_until(lambda: live.is_up_to_date, "masks that follow the box")
        objects.settle()

    def _correct(self):
        panels = self._dock.panels
        z = panels.store.result.objects[0].box.z0
        for stroke in range(3):
            before = np.array(panels.view.all_masks()[1][z])
            after = before.copy()
            after[: 3 + stroke, :5] = 1
            panels.view.set_mask_of(1, z, after)
            self._dock.correcting.tool.painted.emit(Painted(1, 1, z, before, after, stroke, stroke + 0.5))
        self._dock.on_screen.keep_masks()
        wait_until(lambda: not self._dock.on_screen.keeping.is_running, "the kept masks")

    def _autosaving(self):
        """Nothing but autosave runs."""
        wait(0.9)
        self._dock.autosave.recorder.write_now()
        done = self._dock.autosave.recorder.desk._thread.submit(lambda: None)
        wait_until(done.done, "the autosave")
        assert list(self._autosave.glob("work/*/work.json"))

    def _close(self):
        # napari takes a message away after four seconds only in the active window; without a window manager none is.
        for message in list(NapariQtNotification._instances):
            message.close()
        self._dock.panels.view.close()
        wait(0.1)
        while self.viewer.layers:
            self.viewer.layers.pop()
        wait(0.3)

    def end(self):
        """Close the dock, as napari does."""
        if self._dock is not None:
            self.viewer.window.remove_dock_widget(self._dock_widget)
            self._dock = self._dock_widget = None

    def _timed(self, what, action):
        began = time.perf_counter()
        action()
        QApplication.processEvents()
        self.latencies[what].append((time.perf_counter() - began) * 1e3)


def wait(seconds):
    """Let the window live."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        turn()


def turn():
    """One turn of the event loop, with what Qt deletes later: only a loop that really runs does that by itself."""
    QApplication.processEvents()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    time.sleep(0.002)


def wait_until(told, what):
    """Let the window live until something is so."""
    end = time.perf_counter() + PATIENCE
    while not told():
        if time.perf_counter() > end:
            raise SystemExit(f"waited in vain for {what}")
        turn()
