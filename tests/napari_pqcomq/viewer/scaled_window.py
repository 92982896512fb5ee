"""Four sides on a screen that is scaled, measured: prints what was found as JSON.

In a process of its own, since Qt reads the scale (``QT_SCALE_FACTOR``) once, when the application starts.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.modules.setdefault("triton", None)  # type: ignore[arg-type]  # beside Mesa it ends the process

import napari
import numpy as np
from conftest import _block
from napari.layers import Layer
from qtpy.QtCore import QPoint, QSettings
from qtpy.QtGui import QColor, QImage, QTextDocumentFragment
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QAbstractButton, QApplication, QLabel

from napari_pqcomq.app.compare_widget import CompareWidget
from napari_pqcomq.layers.volume_layers import image_tuple, transform
from napari_pqcomq.viewer.cameras.framing import Cells
from napari_pqcomq.viewer.comparison.comparison_view import ComparisonView
from napari_pqcomq.viewer.scene import Pane, Scene
from napari_pqcomq.viewer.sides.side_layers import FULL_COLOUR, LEFT_COLOUR, QUANTIZED_COLOUR, RIGHT_COLOUR
from napari_pqcomq.widgets.napari_window.gl_context import canvas_of
from pqcomq.autosave.places import FOLDER_VARIABLE
from pqcomq.segmentation.box import Box3D
from pqcomq.volumes.volume import Volume

SLICE = 5
OWN = tempfile.TemporaryDirectory()  # the user's own settings and work are left alone
QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, OWN.name)
os.environ[FOLDER_VARIABLE] = OWN.name


def wait(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.005)


def rim_runs(image, colour):
    """How many pixels of a colour stand side by side in the rows of an image, run by run."""
    wanted = QColor(colour).getRgb()[:3]
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    pixels = rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3).astype(int)
    same = np.pad(np.abs(pixels - wanted).max(axis=2) < 24, ((0, 0), (1, 1))).astype(int)
    steps = np.diff(same, axis=1)
    starts, ends = np.argwhere(steps == 1), np.argwhere(steps == -1)
    return (ends[:, 1] - starts[:, 1]).tolist()


def cut_texts(dock):
    """Texts of a dock that have less room than they need, and no tooltip that tells them."""
    seen = [each for each in dock.findChildren(QLabel) if each.isVisible() and not each.wordWrap()]
    seen += [each for each in dock.findChildren(QAbstractButton) if each.isVisible()]
    needed = {
        each: each.fontMetrics().horizontalAdvance(QTextDocumentFragment.fromHtml(each.text()).toPlainText())
        for each in seen
    }
    return [each.text() for each in seen if needed[each] > each.width() and each.text() not in each.toolTip()]


volume = Volume.of(_block(), "CT", "block")
cube = volume.voxels == 200
half = cube.copy()
half[:, 10:] = False

viewer = napari.Viewer(show=True, show_welcome_screen=False)
viewer.window.resize(1280, 720)
viewer.add_layer(Layer.create(*image_tuple(volume)))
wait(0.3)
view = ComparisonView(viewer, viewer.window._qt_window)
panes = [Pane("LiteMedSAM · FP32", ("Dice vs full precision 1.000",), cube, LEFT_COLOUR)]
panes += [Pane(f"{bits}-bit", ("Dice vs full precision 0.812",), half, RIGHT_COLOUR) for bits in (8, 4, 2)]
view.open(panes, Scene.of_box(volume, (-160.0, 240.0), Box3D(5, 5, 3, 17, 15, 8)))
view.look_at(None)
viewer.dims.set_current_step(0, SLICE)
wait(0.7)

window, canvas = viewer.window._qt_window, canvas_of(viewer.window._qt_window)
labels = [each for each in canvas.findChildren(QLabel) if each.isVisible()]
shown = canvas.grabFramebuffer()
cells = Cells.of(viewer)
place, camera, target = transform(volume), viewer.scene.camera, (SLICE, 8, 10)
world = [place["translate"][axis] + place["scale"][axis] * target[axis] for axis in range(3)]
at = QPoint(
    round(cells.width / 2 + (world[2] - camera.center[2]) * camera.zoom),
    round(cells.height / 2 + (world[1] - camera.center[1]) * camera.zoom),
)
for _try in range(20):  # a window that is busy yet may miss a move
    QTest.mouseMove(canvas, QPoint(1, 1))
    wait(0.1)
    before = tuple(viewer.cursor.position)
    QTest.mouseMove(canvas, at)
    wait(0.3)
    if tuple(viewer.cursor.position) != before:
        break
told = {
    "ratio": window.devicePixelRatioF(),
    "canvas": [canvas.width(), canvas.height()],
    "picture": [shown.width(), shown.height()],
    "strips": [[each.x(), each.y(), each.width(), each.height()] for each in labels],
    "texts": [each.text() for each in labels],
    "rims": {"only full": rim_runs(shown, FULL_COLOUR), "only quantized": rim_runs(shown, QUANTIZED_COLOUR)},
    "mouse": [float(each) for each in viewer.cursor.position],
    "world": world,
    "zoom": camera.zoom,
}
view.close()
dock = CompareWidget(viewer)
viewer.window.add_dock_widget(dock)
for step in (dock.steps.volume, dock.steps.model, dock.steps.objects):
    step.fold(False)
wait(0.7)
dock.keys.help.toggle()
wait(0.2)
told |= {"cut": cut_texts(dock), "help": window.rect().contains(dock.keys.help.geometry())}
print(json.dumps(told), flush=True)
os._exit(0)  # what Qt and napari tidy up at the end is no part of this
