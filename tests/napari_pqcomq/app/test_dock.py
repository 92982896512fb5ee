"""The dock as napari opens it."""

from __future__ import annotations

import subprocess
import sys

from napari.layers import Layer
from qtpy.QtCore import QTimer

from napari_pqcomq.app.compare_widget import CompareWidget
from napari_pqcomq.app.dock import CompareDock
from napari_pqcomq.jobs.running import freed_memory
from napari_pqcomq.layers.volume_layers import image_tuple
from napari_pqcomq.widgets.napari_window.napari_docks import NapariDocks

PROGRAM = """
import gc, sys, time, weakref
import napari
from qtpy.QtCore import QEvent, QTimer
from qtpy.QtWidgets import QApplication

viewer = napari.Viewer(show=True, show_welcome_screen=False)
before = set(sys.modules)
from napari_pqcomq.app.dock import CompareDock
from napari_pqcomq.jobs.running import freed_memory
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
timer.stop()
kind, is_dock_kept = type(dock.parts).__name__, weakref.ref(dock.parts)
def closed(widget):
    viewer.window.remove_dock_widget(widget)
    del widget
closed(dock)
del dock
from napari_pqcomq.app.compare_widget import CompareWidget
alone = CompareWidget(viewer)
viewer.window.add_dock_widget(alone, name="Compare precisions")
are_parts_kept = weakref.ref(alone)
closed(alone)
del alone
for _ in range(50):
    QApplication.processEvents()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    time.sleep(0.01)
gc.collect()
kept = [is_dock_kept() is not None, are_parts_kept() is not None]
print("awake" if sum(ticks) > 10 else "asleep", kind, "torch" in sys.modules, *kept)
viewer.close()
"""


def test_the_dock_is_there_at_once_the_window_stays_awake_and_nothing_is_kept_of_a_closed_one():
    asked = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert asked.stdout.split()[-5:] == ["awake", "CompareWidget", "True", "False", "False"], asked.stderr[-2000:]


def test_the_parts_are_made_in_steps_between_which_the_window_is_awake(shown_viewer, volume, qtbot):
    dock, ticks = CompareDock(shown_viewer), []
    shown_viewer.window.add_dock_widget(dock, name="Compare precisions")
    assert dock.parts is None, "imported already, and yet not made in one go"

    def tick():
        ticks.append(dock.parts is None)
        if len(ticks) == 3:
            shown_viewer.add_layer(Layer.create(*image_tuple(volume)))  # the user goes on

    timer = QTimer()
    timer.timeout.connect(tick)
    timer.start(0)
    qtbot.waitUntil(lambda: dock.parts is not None)
    timer.stop()
    assert sum(ticks) > 8
    assert dock.parts.isVisible()
    assert dock.parts.panels.volume.volume is volume
    assert dock.parts.workflow.can_start
    assert "".join(dock.parts.panels.letters.letters().values()) == "RLAP"


def test_a_dock_that_is_closed_half_made_lets_go_of_the_viewer(shown_viewer, volume, qtbot, monkeypatch):
    released, release = [], CompareWidget.release
    monkeypatch.setattr(CompareWidget, "release", lambda parts: released.append(parts.autosave) or release(parts))
    dock = CompareDock(shown_viewer)
    shown_viewer.window.add_dock_widget(dock, name="Compare precisions")
    assert dock.parts is None
    shown_viewer.window.remove_dock_widget(dock)
    assert len(released) == 1
    shown_viewer.add_layer(Layer.create(*image_tuple(volume)))
    qtbot.wait(100)
    assert not shown_viewer.canvas.overlays.scale_bar.visible, "nobody letters it"


def test_whether_the_screen_is_wide_enough_is_seen_with_the_dock_and_when_the_window_grows(
    shown_viewer, qtbot, monkeypatch
):
    seen = []
    monkeypatch.setattr(NapariDocks, "fit_screen", lambda _docks: seen.append(None))
    dock = CompareWidget(shown_viewer)
    shown_viewer.window.add_dock_widget(dock)
    qtbot.waitUntil(lambda: seen != [])
    qtbot.wait(500)
    seen.clear()
    dock.window().resize(dock.window().width() + 20, dock.window().height())  # as for a volume's slider
    qtbot.waitUntil(lambda: seen != [])


def test_what_a_dock_held_goes_back_to_the_system_though_the_dock_is_gone(viewer, qtbot, monkeypatch):
    given = []
    monkeypatch.setattr(freed_memory, "give_back_freed_memory", lambda: given.append(1))
    dock = CompareWidget(viewer)
    viewer.window.add_dock_widget(dock)
    with qtbot.waitSignal(dock.destroyed):
        viewer.window.remove_dock_widget(dock)
    qtbot.waitUntil(lambda: given == [1])
