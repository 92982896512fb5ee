"""The window that is played with: napari, the dock, files to open, and hands that press, drag and type."""

from __future__ import annotations

import gc
import random
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import napari
import numpy as np
import SimpleITK as sitk
from napari._qt.dialogs.qt_notification import NapariQtNotification
from napari.utils.notifications import notification_manager
from qtpy.QtCore import QEvent, QPoint, Qt, QTimer
from qtpy.QtGui import QKeySequence
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QDialogButtonBox, QListWidget, QPushButton

from napari_pqcomq.app.dock import CompareDock
from napari_pqcomq.jobs.comparing import kept_work
from napari_pqcomq.jobs.models import model_cache
from napari_pqcomq.jobs.running.waiting import WaitingDialog
from napari_pqcomq.layers import naparis_tools
from napari_pqcomq.layers.comparison_tag import is_of_comparison
from napari_pqcomq.widgets.napari_window.gl_context import canvas_of
from pqcomq.backends.runtime import Runtime
from pqcomq.models.registry import load_model
from pqcomq.models.small_encoder import small_encoder
from pqcomq.segmentation.box import Box3D

PATIENCE = 240
"""Seconds for what ends by itself, on a machine that has much else to do."""
_MOVE_SECONDS = 0.025
"""Between two places of the mouse: napari passes on no more than some fifty a second."""
_CANCELS = 0.1
"""How often a question or a bar is answered with its last button, Cancel or the like."""


def use_small_model():
    """LiteMedSAM with an encoder of few channels, in which a slice takes milliseconds."""
    small = replace(load_model("lite-medsam"), image_encoder=small_encoder())
    model_cache.load_model = lambda _key, _checkpoint: small


def forget_the_window_before():
    """Results and ground truth outlive windows; of the models at hand nothing is made again."""
    kept = kept_work.shared_work()
    kept._results.clear()
    kept.truths.clear()


def write_files(folder):
    """Volumes of several kinds and labels for them, by name.

    ``ct``, ``again`` (the same), ``mr``, ``other`` (another grid), ``series`` (4-D), ``flat`` (one slice), ``broken``,
    ``truth`` (of the CT), ``wrong truth`` (of the other grid).
    """

    def write(name, voxels, spacing=(2.0, 2.0, 5.0), origin=(-90.0, -80.0, 100.0)):
        image = sitk.GetImageFromArray(voxels, isVector=False)
        if image.GetDimension() == 3:
            image.SetSpacing(spacing)
            image.SetOrigin(origin)
        sitk.WriteImage(image, str(folder / name))
        return folder / name

    ct, labels = _body((8, 80, 96), seed=0)
    other, other_labels = _body((11, 64, 72), seed=1)
    mr, _ = _body((6, 80, 80), seed=2)
    series = np.stack([_body((5, 48, 56), seed=seed)[0] for seed in (3, 4)])
    (folder / "broken.nii").write_bytes(b"no volume at all")
    return {
        "ct": write("ct.nii.gz", ct),
        "again": write("again.nii.gz", ct),
        "mr": write("mr.nrrd", np.clip(mr + 1000, 0, None).astype(np.uint16), (1.5, 1.5, 6.0)),
        "other": write("other.mha", other, (3.0, 3.0, 2.5), (-30.0, -250.0, 60.0)),
        "series": write("series.nii.gz", series),
        "flat": write("flat.nii.gz", ct[3:4]),
        "broken": folder / "broken.nii",
        "truth": write("truth.nii.gz", labels),
        "wrong truth": write("wrong_truth.nii.gz", other_labels, (3.0, 3.0, 2.5), (-30.0, -250.0, 60.0)),
    }


def _body(shape, seed):
    """A CT of a disc with two blobs, and labels of the blobs."""
    z, y, x = np.indices(shape)
    _depth, height, width = shape
    labels = np.zeros(shape, np.uint8)
    labels[(y - 0.42 * height) ** 2 + (x - 0.62 * width) ** 2 < (0.1 * height + z / 2) ** 2] = 1
    labels[(y - 0.55 * height) ** 2 + (x - 0.33 * width) ** 2 < (0.09 * height) ** 2] = 2
    voxels = np.where((y - height / 2) ** 2 + (x - width / 2) ** 2 < (0.45 * height) ** 2, 40, -1000)
    voxels = np.where(labels > 0, 100 + 50 * labels, voxels)
    return (voxels + np.random.default_rng(seed).normal(0, 10, shape)).astype(np.int16), labels


class Window:
    """napari with the dock, and what a hand can do to them.

    Args:
        folder: to write to.
        seed: of what questions are answered with.
        is_calm: each job is waited for, and nothing is answered with Cancel.
    """

    def __init__(self, folder, seed, *, is_calm=False):
        self.folder, self.is_calm = Path(folder), is_calm
        self.files = write_files(self.folder)
        self.viewer = napari.Viewer(show=True, show_welcome_screen=False)
        self.viewer.window.resize(1000, 700)
        self._answers = random.Random(seed)
        self._answerer = QTimer()
        self._answerer.timeout.connect(self._answer)
        self._answerer.start(60)
        self.dock = self.dock_widget = None
        self.longest_cancel = 0.0
        self.open_dock()
        self._begin()

    def _begin(self):
        """Open the CT and put a box into it: with an empty window there is little to play with."""
        self.panels.volume.open_menu.open(self.files["ct"])
        if self.panels.volume.volume is not None:
            self.panels.objects.add(Box3D(45, 20, 3, 75, 48, 5), "blob")
            self.panels.objects.settle()
        self.wait(0.2)

    def open_dock(self):
        """Open it as napari does, with settings that are quick."""
        self.dock = CompareDock(self.viewer)
        self.dock_widget = self.viewer.window.add_dock_widget(self.dock, name="Compare precisions")
        self.wait_until(lambda: self.dock.parts is not None, "the dock")
        panels = self.panels
        if panels.model.settings.method != "rtn":
            panels.model.choose_bits(8)
            panels.model.choose_method("rtn")
        panels.calibration.choose_slices(1)
        panels.model.choose_runtime(Runtime.torch)

    def close_dock(self):
        """Close it by its cross."""
        self.viewer.window.remove_dock_widget(self.dock_widget)
        self.dock = self.dock_widget = None
        self.wait(0.3)
        gc.collect()

    @property
    def parts(self):
        return self.dock.parts

    @property
    def panels(self):
        return self.dock.parts.panels

    @property
    def canvas(self):
        return canvas_of(self.viewer.window._qt_window)

    @property
    def own_layers(self):
        """The user's layers, and those that the plugin has given to the user."""
        return [layer for layer in self.viewer.layers if not is_of_comparison(layer)]

    def turn(self):
        """One turn of the event loop, with what Qt deletes later: only a loop that really runs does that by itself."""
        QApplication.processEvents()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)

    def wait(self, seconds):
        """Let the window live."""
        end = time.monotonic() + seconds
        while True:
            self.turn()
            if time.monotonic() >= end:
                return
            time.sleep(0.004)

    def wait_until(self, told, what, patience=PATIENCE):
        """Let the window live until something is so.

        Raises:
            TimeoutError: it does not become so.
        """
        end = time.monotonic() + patience
        while not told():
            if time.monotonic() > end:
                raise TimeoutError(f"waited {patience} s in vain for {what}")
            self.wait(0.01)

    def wait_for_jobs(self):
        """Let what runs come to its end."""
        panels = self.panels
        self.wait_until(lambda: not panels.jobs.is_running and not panels.view.is_opening, "the end of the job")

    def press(self, button):
        """Click a button that is in sight and not greyed out; whether there was one."""
        if not (button.isVisible() and button.isEnabled()):
            return False
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        return True

    def key(self, keys):
        """Press a key with the mouse over the picture."""
        combination = QKeySequence(keys)[0]
        self.viewer.window.activate()
        self.canvas.setFocus()
        QTest.keyClick(self.canvas, combination.key(), combination.keyboardModifiers())

    def place(self, down, across, cell=0):
        """A point of the canvas, by its share of a cell of the grid."""
        height, width = self.viewer.canvas.size
        grid = self.viewer.canvas.grid
        rows, columns = grid.actual_shape(self.viewer.layers) if grid.enabled else (1, 1)
        row, column = divmod(cell % (rows * columns), columns)
        return QPoint(round(width * (column + across) / columns), round(height * (row + down) / rows))

    def drag(self, start, end, button=Qt.MouseButton.LeftButton, keys=Qt.KeyboardModifier.NoModifier, meanwhile=None):
        """Drag the mouse over the canvas; ``meanwhile`` is called half way."""
        canvas, steps, paints = self.canvas, 4, self._napari_paints()
        QTest.mouseMove(canvas, start)
        self.turn()
        QTest.mousePress(canvas, button, keys, start)
        for step in range(1, steps + 1):
            self.wait(_MOVE_SECONDS)
            QTest.mouseMove(canvas, start + (end - start) * step / steps)
            if meanwhile is not None and step == steps // 2:
                self.wait(_MOVE_SECONDS)
                meanwhile()
        self.wait(_MOVE_SECONDS)
        QTest.mouseRelease(canvas, button, keys, end)
        self.turn()
        if paints:
            self.note_own()

    def click(self, place, keys=Qt.KeyboardModifier.NoModifier):
        """Click on the canvas."""
        paints = self._napari_paints()
        QTest.mouseMove(self.canvas, place)
        self.turn()
        QTest.mouseClick(self.canvas, Qt.MouseButton.LeftButton, keys, place)
        self.turn()
        if paints:
            self.note_own()

    def _napari_paints(self):
        """Whether a drag is for one of napari's own tools, as a key may have chosen it, and for none of the dock's."""
        prompts = self.panels.prompts
        is_armed = prompts._tool.is_armed or prompts.hand.is_armed or self.parts.correcting.tool.tool is not None
        return naparis_tools.is_in_hand(self.viewer) and not is_armed

    def told(self):
        """The last notice."""
        records = notification_manager.records
        return records[-1].message if records else ""

    def sweep(self):
        """Take napari's messages away: without a window manager no window is active, and they would stay."""
        for message in list(NapariQtNotification._instances):
            with suppress(RuntimeError):  # its window is gone, and half of it with the window
                message.close()
        del notification_manager.records[:-20]

    def end(self):
        """Close dock and window."""
        self._answerer.stop()
        if self.dock is not None:
            self.close_dock()
        self.viewer.close()
        self.wait(0.2)

    def _answer(self):
        """Answer a dialog that waits, which holds up everything else; mostly with a button that goes on."""
        dialog = QApplication.activeModalWidget()
        cancels = not self.is_calm and self._answers.random() < _CANCELS
        if dialog is None or (isinstance(dialog, WaitingDialog) and not cancels):
            return
        for listed in dialog.findChildren(QListWidget):
            if listed.count():
                listed.setCurrentRow(self._answers.randrange(listed.count()))
        buttons = [each for each in dialog.findChildren(QPushButton) if each.isVisible() and each.isEnabled()]
        boxes = dialog.findChildren(QDialogButtonBox)
        goes_on = [each for each in buttons if not any(_cancels(box, each) for box in boxes)]
        if goes_on and not cancels:
            QTest.mouseClick(self._answers.choice(goes_on), Qt.MouseButton.LeftButton)
        else:
            dialog.close()


def _cancels(box, button):
    return box.buttonRole(button) == QDialogButtonBox.ButtonRole.RejectRole
