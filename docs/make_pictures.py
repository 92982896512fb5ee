"""Make the pictures of the documentation anew from the synthetic sample.

    xvfb-run -a -s "-screen 0 1920x1080x24" python docs/make_pictures.py [window] [headless]

The plugin is opened as a user opens it, at 1280 × 800 with napari's default settings, and driven by the texts of its
buttons and lists, so that the pictures show what the steps in the documentation say. LiteMedSAM is quantized to 4 bits
on the way; the latencies in the pictures are those of the machine that ran this.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from qtpy.QtCore import QPoint
    from qtpy.QtWidgets import QPushButton, QWidget

PICTURES = Path(__file__).parent / "pictures"
SIZE = (1280, 800)
PATIENCE_SECONDS = 3600
HALF = 0.5
BOX_PATH = ((0, 0), (6, -2), (12, -6), (16, -10), (12, -14), (6, -12), (2, -6), (0, 0))
"""Voxels by which the box is moved, x and y, one picture of the animation each."""


def main() -> None:
    """Make the pictures of the parts named, by default of both."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NAPARI_CONFIG"] = str(Path(folder) / "napari.yaml")  # read when napari is imported
        os.environ["PQCOMQ_AUTOSAVE"] = str(Path(folder) / "kept")  # what was quantized before is to be quantized again
        os.environ["PQCOMQ_CPU_SETTINGS"] = "1"  # as fast as in the demo
        for part in sys.argv[1:] or ["window", "headless"]:
            {"window": _window_pictures, "headless": _headless_picture}[part](Path(folder))


def _headless_picture(folder: Path) -> None:
    """The comparison figure of ``pqcomq demo --headless``."""
    out = folder / "demo"
    subprocess.run([sys.executable, "-m", "pqcomq.cli", "demo", "--headless", "--out", out], check=True)
    (PICTURES / "headless.png").write_bytes((out / "comparison.png").read_bytes())


def _window_pictures(folder: Path) -> None:
    """One picture for each step of *Getting started*, and the animation."""
    import napari
    from qtpy.QtCore import QSettings

    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(folder))
    viewer = napari.Viewer(show=True, show_welcome_screen=False)
    viewer.window.resize(*SIZE)
    window = _Window(viewer)
    viewer.open_sample("napari-pqcomq", "synthetic_ct")
    window.choose("Organs (ground truth)")
    window.wait(lambda: True)
    window.picture("opened")

    window.press("Quantize")
    window.wait(lambda: window.progress() >= HALF and window.says(", layer "))
    window.picture("quantizing")
    window.wait(lambda: window.offers("Compare"))

    window.press("Live")
    window.wait(lambda: window.offers("Close comparison"))
    window.idle(20)
    _animation(window, viewer)

    window.press("Compare")
    window.idle(1)
    window.wait(lambda: window.offers("Compare"))
    window.idle(2)
    window.picture("compared")
    for button in ("Difference", "Swipe"):
        window.press(button)
        if button == "Swipe":
            _move_curtain(window, viewer)
        _look_at_object(viewer)
        window.picture(button.lower())
        viewer.reset_view()
    window.press("Sides")
    window.choose("3-D")
    window.picture("surfaces")
    window.choose("Axial")
    for tab in ("Figures", "Plots", "Gate"):
        window.open_tab(tab)
        window.results_picture(tab.lower())
    viewer.close()


def _object_middle(viewer: Any) -> tuple[float, float]:  # noqa: ANN401
    """Row and column of the middle of the current object's box: the last shape of the sample's boxes."""
    from napari.layers import Shapes

    corners = next(each for each in viewer.layers if isinstance(each, Shapes)).data[-1]  # (4, 3), z y x
    return tuple(corners[:, 1:].mean(axis=0))


def _place(viewer: Any, voxel: tuple[float, float]) -> tuple[float, ...]:  # noqa: ANN401
    """World coordinates of a voxel (y, x) of the slice in sight."""
    from napari.layers import Image

    image = next(each for each in viewer.layers if isinstance(each, Image) and each.visible)
    return tuple(image.data_to_world((viewer.dims.current_step[0], *voxel)))


def _look_at_object(viewer: Any) -> None:  # noqa: ANN401
    """Bring the current object to the middle, three times as large as the whole slice shows it."""
    viewer.reset_view()
    viewer.scene.camera.center = _place(viewer, _object_middle(viewer))
    viewer.scene.camera.zoom *= 3


def _move_curtain(window: _Window, viewer: Any) -> None:  # noqa: ANN401
    """Drag the curtain from the middle of the slice onto the current object."""
    _row, column = _object_middle(viewer)
    width = _slice_width(viewer)
    list(window.dragging([(5, (width - 1) / 2), (5, column)]))


def _slice_width(viewer: Any) -> int:  # noqa: ANN401
    from napari.layers import Image

    return int(next(each for each in viewer.layers if isinstance(each, Image)).data.shape[-1])


def _animation(window: _Window, viewer: Any) -> None:  # noqa: ANN401
    """The box of the current object dragged by its inside, the masks following."""
    from PIL import Image

    row, column = _object_middle(viewer)
    frames = []
    for _voxel in window.dragging([(row + y, column + x) for x, y in BOX_PATH]):
        frames.append(Image.fromarray(window.canvas()).convert("RGB"))
    height = frames[0].height
    frames = [each.crop((0, 0, each.width, int(height * 0.72))) for each in frames]  # nothing but black below
    palette = [each.convert("P", palette=Image.Palette.ADAPTIVE, colors=96) for each in frames]
    palette[0].save(PICTURES / "live.gif", save_all=True, append_images=palette[1:], duration=500, loop=0)


class _Window:
    """napari's window with the plugin's dock, pressed and read as a user does."""

    def __init__(self, viewer: Any) -> None:  # noqa: ANN401
        self._viewer = viewer
        _dock, self._widget = viewer.window.add_plugin_dock_widget("napari-pqcomq", "Compare precisions")
        self.wait(lambda: self._widget.parts is not None)

    def press(self, text: str) -> None:
        """Click the button of this text."""
        self._button(text).click()
        self.idle(1)

    def offers(self, text: str) -> bool:
        """Whether a button of this text is shown and enabled."""
        button = self._button(text)
        return button.isVisible() and button.isEnabled()

    def progress(self) -> float:
        """How far the bar in sight is, 0 to 1."""
        from qtpy.QtWidgets import QProgressBar

        bars = [each for each in self._widget.findChildren(QProgressBar) if each.isVisible() and each.maximum() > 0]
        return max((each.value() / each.maximum() for each in bars), default=0.0)

    def says(self, text: str) -> bool:
        """Whether a label in sight contains this text."""
        from qtpy.QtWidgets import QLabel

        return any(text in each.text() for each in self._widget.findChildren(QLabel) if each.isVisible())

    def choose(self, text: str) -> None:
        """Choose this entry of the list that has it."""
        from qtpy.QtWidgets import QComboBox

        lists = [each for each in self._widget.findChildren(QComboBox) if each.findText(text) >= 0]
        index = lists[0].findText(text)
        lists[0].setCurrentIndex(index)
        lists[0].activated.emit(index)
        self.idle(1)

    def open_tab(self, title: str) -> None:
        """Open a tab of the results."""
        tabs = self._tabs()
        titles = [tabs.tabText(index) for index in range(tabs.count())]
        tabs.setCurrentIndex(titles.index(title))
        self.idle(1)

    def picture(self, name: str) -> None:
        """Save the whole window."""
        self.idle(1)
        self._viewer.window.screenshot(str(PICTURES / f"{name}.png"), flash=False, canvas_only=False)
        print(PICTURES / f"{name}.png", flush=True)

    def results_picture(self, name: str) -> None:
        """Save the results below the pictures alone."""
        self.idle(1)
        self._tabs().grab().save(str(PICTURES / f"{name}.png"))
        print(PICTURES / f"{name}.png", flush=True)

    def _tabs(self) -> Any:  # noqa: ANN401
        """The tabs of the results, which have a dock of their own."""
        from qtpy.QtWidgets import QTabWidget

        shown = [each for each in self._widget.window().findChildren(QTabWidget) if each.isVisible()]
        return next(each for each in shown if each.tabText(0) == "Figures")

    def canvas(self) -> np.ndarray:
        """The canvas as an array (y, x, 4), with the letters and the strips above it, which are Qt's."""
        from qtpy.QtCore import QPoint

        whole, canvas = self._viewer.window.screenshot(flash=False, canvas_only=False), self._canvas()
        scale = whole.shape[1] / canvas.window().width()
        corner = canvas.mapTo(canvas.window(), QPoint(0, 0))
        left, top = round(corner.x() * scale), round(corner.y() * scale)
        return whole[top : top + round(canvas.height() * scale), left : left + round(canvas.width() * scale)]

    def _canvas(self) -> QWidget:
        from qtpy.QtWidgets import QApplication

        return next(each for each in QApplication.allWidgets() if type(each).__name__ == "CanvasBackendDesktop")

    def dragging(self, voxels: list[tuple[float, float]]) -> Iterator[tuple[float, float]]:
        """Drag on the first side over these voxels (y, x), with a pause at each to draw what follows."""
        from qtpy.QtCore import QPoint, Qt
        from qtpy.QtTest import QTest

        canvas = self._canvas()
        start, end = self._pixel(voxels[0]), self._pixel(voxels[-1])
        QTest.mouseMove(canvas, start)
        QTest.mousePress(canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
        for voxel in voxels:
            QTest.mouseMove(canvas, self._pixel(voxel))
            self.idle(6)
            yield voxel
        QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, end)
        QTest.mouseMove(canvas, QPoint(2, 2))  # the shared cursor is not to lie on the next picture
        self.idle(1)

    def _pixel(self, voxel: tuple[float, float]) -> QPoint:
        """Where a voxel (y, x) of the slice in sight is drawn on the first side, in the canvas's pixels."""
        from qtpy.QtCore import QPoint

        viewer = self._viewer
        rows, columns = viewer.canvas.grid.shape if viewer.canvas.grid.enabled else (1, 1)
        height, width = viewer.canvas.size
        camera = viewer.scene.camera
        away = [(a - b) * camera.zoom for a, b in zip(_place(viewer, voxel)[1:], camera.center[1:], strict=True)]
        return QPoint(round(width / columns / 2 + away[1]), round(height / rows / 2 + away[0]))

    def wait(self, until: Callable[[], bool]) -> None:
        """Let the window work until something is so.

        Raises:
            TimeoutError: it did not come to be so.
        """
        end = time.monotonic() + PATIENCE_SECONDS
        while not until():
            if time.monotonic() > end:
                raise TimeoutError("the window did not come so far")
            self.idle(0.05)

    def idle(self, seconds: float) -> None:
        """Let the window draw and work for a while."""
        from qtpy.QtWidgets import QApplication

        end = time.monotonic() + seconds
        while time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.01)

    def _button(self, text: str) -> QPushButton:
        from qtpy.QtWidgets import QPushButton

        return next(each for each in self._widget.findChildren(QPushButton) if each.text() == text)


if __name__ == "__main__":
    main()
