"""Volumes, masks and a viewer for the plugin's tests."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from npe2 import PluginManager, PluginManifest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QPoint, QSettings, Qt
from qtpy.QtTest import QTest

import napari_pqcomq
from napari_pqcomq.jobs.comparing.kept_work import KeptWork
from pqcomq.models.registry import load_model
from pqcomq.models.segmenter import Segmenter
from pqcomq.quantization.calibration.slices import Calibration
from pqcomq.quantization.planning.presets import default_config
from pqcomq.quantization.quantize_model import quantize_model
from pqcomq.quantization.quantized_model import QuantizedModel
from pqcomq.volumes.volume import Volume

MANIFEST = Path(napari_pqcomq.__file__).with_name("napari.yaml")


PATIENCE_MS = 300_000
"""For what happens in a moment, but on a machine with much else to do may take minutes."""


SEARCHED_QUICKLY = 60_000
"""So many objects does the garbage collector look through in some 20 ms."""


class PatientBot(QtBot):
    """Gives whatever it waits for the time that a busy machine needs; what is there at once is not waited for."""

    def waitUntil(self, callback: Callable, *, timeout: int = PATIENCE_MS) -> None:  # noqa: N802 (pytest-qt's name)
        super().waitUntil(callback, timeout=max(timeout, PATIENCE_MS))

    def waitSignal(self, signal: Any, *, timeout: int = PATIENCE_MS, **more: Any) -> Any:  # noqa: N802
        # What must not come, and is therefore no error when it does not, is waited for no longer than asked.
        patience = timeout if more.get("raising") is False else max(timeout, PATIENCE_MS)
        return super().waitSignal(signal, timeout=patience, **more)


@pytest.fixture
def qtbot(qapp, request: pytest.FixtureRequest) -> PatientBot:
    return PatientBot(request)


@pytest.fixture(scope="session", autouse=True)
def triton_kept_out() -> None:
    """As in napari, where models are loaded after the window: beside Mesa, triton ends the process (triton_guard)."""
    sys.modules.setdefault("triton", None)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def few_objects_to_search() -> None:
    """Let the garbage collector pass over what earlier tests have imported and left.

    napari asks for a whole collection whenever a layer goes, which was half of these tests' time.
    """
    if len(gc.get_objects()) > SEARCHED_QUICKLY:
        gc.collect()
        gc.freeze()


def _block(direction: str = "LPS") -> sitk.Image:
    """A CT-like block: air, a body, a bright cube in the patient's right front; x y z of unequal spacing."""
    voxels = np.full((12, 30, 40), -1000, np.int16)
    voxels[:, 4:26, 4:36] = 40
    voxels[3:9, 6:14, 6:16] = 200
    made = sitk.GetImageFromArray(voxels)
    made.SetSpacing((1.5, 2.0, 4.0))
    made.SetOrigin((-20.0, 10.0, 300.0))
    return sitk.DICOMOrient(made, direction)


@pytest.fixture
def block() -> Callable[..., sitk.Image]:
    """Makes the block with its axes in any order."""
    return _block


@pytest.fixture
def volume() -> Volume:
    return Volume.of(_block(), "CT", "block")


@pytest.fixture
def manifest() -> PluginManifest:
    return PluginManifest.from_file(MANIFEST)


@pytest.fixture
def masks(volume: Volume) -> tuple[np.ndarray, np.ndarray]:
    """Two masks that differ: the cube, and the cube without its lower half."""
    left = volume.voxels == 200
    right = left.copy()
    right[:, 10:] = False
    return left, right


@pytest.fixture(scope="session")
def eight_bits(lite_medsam: Segmenter, calibration: Calibration, finish: Callable) -> QuantizedModel:
    """LiteMedSAM at 8 bits, rounded to nearest: quick to make, and what most tests of the dock work with."""
    return finish(quantize_model(lite_medsam, calibration, default_config("lite-medsam", 8, "rtn")))


@pytest.fixture
def loaded_once(lite_medsam: Segmenter, monkeypatch: pytest.MonkeyPatch) -> None:
    """The dock takes the session's model instead of reading its own from disk."""

    def load(key: str, checkpoint: Path | None) -> Segmenter:
        return lite_medsam if key == lite_medsam.key else load_model(key, checkpoint)

    monkeypatch.setattr("napari_pqcomq.jobs.models.model_cache.load_model", load)


@pytest.fixture
def viewer(make_napari_viewer: Callable):
    return make_napari_viewer()


@pytest.fixture
def shown_viewer(make_napari_viewer: Callable, qtbot):
    """A viewer with a real window, for tests that look at pixels."""
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1280, 800)
    qtbot.wait(200)
    return viewer


@pytest.fixture
def plugin(manifest: PluginManifest, make_napari_viewer: Callable, npe2pm: PluginManager) -> Iterator[PluginManager]:
    """The plugin by its manifest, in a manager of the test's own.

    napari's manager lives as long as the process and would register the commands of an installed copy as well, or those
    of the test before. After the viewer's fixture, which gives each test an application to register commands with.
    """
    with npe2pm.tmp_plugin(manifest=manifest):
        yield npe2pm


@pytest.fixture(autouse=True)
def settings_of_the_tests_own(tmp_path: Path) -> None:
    """Keep the user's remembered settings out of the tests, and theirs out of the user's."""
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(tmp_path))


@pytest.fixture(autouse=True)
def every_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    """All runtimes are offered: finding out imports OpenVINO in a thread, and warnings are everybody's filters."""
    monkeypatch.setattr("napari_pqcomq.forms.runtime_edit._obstacles", dict)


@pytest.fixture(autouse=True)
def nothing_kept_of_the_test_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights and results outlive docks, not tests."""
    monkeypatch.setattr("napari_pqcomq.jobs.comparing.kept_work._shared", KeptWork())


def _pixel(viewer, place: tuple[float, float], cell: int):
    """Where voxel (y, x) of the slice in sight stands on the canvas, in Qt's pixels."""
    height, width = viewer.canvas.size
    columns = viewer.canvas.grid.shape[1] if viewer.canvas.grid.enabled else 1
    rows = viewer.canvas.grid.shape[0] if viewer.canvas.grid.enabled else 1
    image = next(layer for layer in viewer.layers if layer.visible and layer._type_string == "image")
    world = np.array(image.data_to_world((viewer.dims.current_step[0], *place)))[1:]
    away = (world - np.array(viewer.scene.camera.center)[1:]) * viewer.scene.camera.zoom
    y = height / rows * (cell // columns + 0.5) + away[0]
    x = width / columns * (cell % columns + 0.5) + away[1]
    return QPoint(round(x), round(y))


@pytest.fixture
def pixel():
    """Tells where a voxel (y, x) of the slice in sight stands on the canvas."""
    return _pixel


@pytest.fixture
def drag(qtbot):
    """Drags the mouse over the canvas from one voxel (y, x) of the slice in sight to another, as a hand does."""

    def dragging(viewer, start, end, cell=0, steps=6):
        canvas = viewer.window._qt_viewer.canvas.native
        qtbot.wait(100)
        first, last = _pixel(viewer, start, cell), _pixel(viewer, end, cell)
        QTest.mouseMove(canvas, first)
        QTest.mousePress(canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, first)
        qtbot.wait(20)
        for step in range(1, steps + 1):
            QTest.mouseMove(canvas, first + (last - first) * step / steps)
            qtbot.wait(20)
        QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, last)
        qtbot.wait(20)

    return dragging


@pytest.fixture
def hover(qtbot):
    """Moves the mouse to a voxel (y, x) of the slice in sight."""

    def hovering(viewer, place, cell=0):
        qtbot.wait(100)
        canvas = viewer.window._qt_viewer.canvas.native
        for _try in range(10):  # a window that is busy yet may miss a move
            QTest.mouseMove(canvas, _pixel(viewer, place, cell) + QPoint(3, 3))
            qtbot.wait(20)
            beside = tuple(viewer.cursor.position)
            QTest.mouseMove(canvas, _pixel(viewer, place, cell))
            qtbot.wait(50)
            if tuple(viewer.cursor.position) != beside:
                break

    return hovering
