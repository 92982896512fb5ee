"""The dock as napari opens it."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys, time
import napari
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication

viewer = napari.Viewer(show=True, show_welcome_screen=False)
before = set(sys.modules)
from napari_pqcomq.app.dock import CompareDock
dock = CompareDock(viewer)
viewer.window.add_dock_widget(dock, name="Compare precisions")
assert "torch" not in before
assert dock.parts is None, "it was there at once only because all was imported already"
from napari_pqcomq.setup.open_menu import OpenMenu
assert dock.findChildren(OpenMenu)[0].isEnabled(), "volumes can be opened meanwhile"
ticks = []
timer = QTimer()
timer.timeout.connect(lambda: ticks.append(dock.parts is None))
timer.start(5)
end = time.monotonic() + 800
while dock.parts is None and time.monotonic() < end:
    QApplication.processEvents()
    time.sleep(0.001)
for _ in range(50):
    QApplication.processEvents()
    time.sleep(0.01)
assert dock.parts.geometry() == dock.rect(), "the parts fill the dock"
print("awake" if sum(ticks) > 10 else "asleep", type(dock.parts).__name__, "torch" in sys.modules)
viewer.close()
"""


def test_the_dock_is_there_at_once_and_the_window_awake_while_all_else_is_imported():
    asked = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert asked.stdout.split()[-3:] == ["awake", "CompareWidget", "True"], asked.stderr[-2000:]
