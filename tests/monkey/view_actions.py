"""How a user looks at it: files and windows, slices, planes, ways of viewing, keys, the dock itself."""

from __future__ import annotations

from kinds import action
from prompt_actions import anywhere
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from pqcomq.errors import InputError

KEYS = (
    *("W", "V", "Z", "M", "T", "X", "I", "S", "C", "D", "F", "F", ",", ".", "1", "2", "3", "4", "1", "N", "?"),
    *("Tab", "Esc", "B", "E", "P", "G", "A", "R", "[", "]", "Delete", "Space"),
    *("Up", "Down", "PgUp", "PgDown", "Home", "End", "Ctrl+1", "Ctrl+2", "Ctrl+3", "Ctrl+5"),
)

NAPARIS_EYE = "V"
"""Leads to a slice while a comparison is open; else it is left to napari, which shows or hides what is selected."""


@action(4)
def press_a_key(window, random):
    keys = random.choice(KEYS)
    if keys == NAPARIS_EYE and not window.panels.view.is_open:
        window.seen_anew.update(layer.unique_id for layer in window.viewer.layers.selection)
    window.key(keys)
    return keys


@action(1.5)
def open_volume(window, random):
    if len(window.viewer.layers) > 14:
        return False
    name = random.choice(["ct", "ct", "mr", "other", "again", "series", "flat", "broken"])
    window.panels.volume.open_menu.open(window.files[name])
    return name


@action(1)
def open_truth(window, random):
    if len(window.viewer.layers) > 14:
        return False
    name = random.choice(["truth", "truth", "wrong truth", "broken"])
    try:
        window.panels.truth.open_labels(window.files[name])
    except InputError as error:
        return f"{name}: {error}"
    return name


@action(1)
def choose_truth(window, random):
    truth = window.panels.truth
    truth.layers.setCurrentIndex(random.randrange(truth.layers.count()))
    if random.random() < 0.5:
        truth.label.setValue(random.randint(0, 3))


@action(1)
def choose_volume(window, random):
    layers = window.panels.volume.layers
    if layers.count() < 2:
        return False
    layers.setCurrentIndex(random.randrange(layers.count()))
    return None


@action(1.5)
def choose_window(window, random):
    """From the list, by napari's own slider, or with the right button of the mouse."""
    panel = window.panels.volume
    if panel.layers.layer is None:
        return False
    what = random.choice(["list", "slider", "mouse", "models see", "modality"])
    if what == "list":
        panel.presets.setCurrentIndex(random.randrange(panel.presets.count()))
    elif what == "slider":
        low = random.uniform(-500, 100)
        panel.layers.layer.contrast_limits = (low, low + random.uniform(1, 800))
    elif what == "mouse":
        start = anywhere(window, random)
        window.drag(start, start + QPoint(random.randint(-90, 90), random.randint(-90, 90)), Qt.MouseButton.RightButton)
    elif what == "models see":
        panel.models_see.setCurrentIndex(random.randrange(panel.models_see.count()))
    else:
        panel.modalities.setCurrentIndex(random.randrange(panel.modalities.count()))
        panel.modalities.activated.emit(panel.modalities.currentIndex())
    return what


@action(3)
def choose_view(window, random):
    bar = window.panels.view_bar
    return None if window.press(random.choice([*bar.views.values(), bar.worst, bar.divergence, bar.keep])) else False


@action(1.5)
def choose_plane(window, random):
    bar = window.panels.view_bar
    if not bar.isVisible():
        return False
    index = random.randrange(bar.planes.count())
    bar.planes.setCurrentIndex(index)
    bar.planes.activated.emit(index)
    return bar.planes.itemText(index)


@action(1)
def hide_a_part(window, random):
    bar = window.panels.view_bar
    return None if window.press(random.choice(list(bar.parts.values()))) else False


@action(1)
def choose_candidate(window, random):
    candidates = window.panels.view_bar.candidates
    if candidates.count() < 2 or not candidates.isVisible():
        return False
    index = random.randrange(candidates.count())
    candidates.setCurrentIndex(index)
    candidates.activated.emit(index)
    return None


@action(3)
def go_to_a_slice(window, random):
    """By napari's slider, the wheel, a small plane, or the strip of slices."""
    panels, dims = window.panels, window.viewer.dims
    what = random.choice(["slider", "wheel", "plane", "strip"])
    if what == "slider":
        axis = random.randrange(dims.ndim)
        dims.set_current_step(axis, random.randint(-1, max(int(dims.nsteps[axis]), 1)))
    elif what == "wheel":
        turn_the_wheel(window, random.choice([-120, 120, 360, 40]))
    elif what == "plane":
        inset = random.choice(panels.insets.pictures)
        if not inset.isVisible():
            return False
        at = QPoint(random.randint(-5, inset.width() + 5), random.randint(-5, inset.height() + 5))
        QTest.mouseClick(inset, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    else:
        strip = panels.slice_strip
        if not strip.isVisible():
            return False
        at = QPoint(random.randrange(max(strip.width(), 1)), strip.height() // 2)
        QTest.mouseClick(strip, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    return what


def turn_the_wheel(window, by, keys=Qt.KeyboardModifier.NoModifier):
    """The wheel over the middle of the picture."""
    place = QPointF(window.place(0.5, 0.5))
    event = QWheelEvent(
        place, place, QPoint(0, 0), QPoint(0, by), Qt.MouseButton.NoButton, keys, Qt.ScrollPhase.NoScrollPhase, False
    )
    QApplication.sendEvent(window.canvas, event)


@action(1)
def zoom_or_pan(window, random):
    what = random.choice(["wheel", "pan", "reset", "far", "near"])
    camera = window.viewer.scene.camera
    if what == "wheel":
        turn_the_wheel(window, random.choice([-240, 240]), Qt.KeyboardModifier.ControlModifier)
    elif what == "pan":
        window.drag(anywhere(window, random), anywhere(window, random), Qt.MouseButton.MiddleButton)
    elif what == "reset":
        window.viewer.reset_view()
    else:
        camera.zoom = {"far": 0.05, "near": 60.0}[what]
    return what


@action(1)
def change_dims(window, random):
    """By napari's own buttons."""
    dims = window.viewer.dims
    what = random.choice(["roll", "transpose", "3-D", "2-D", "2-D", "order"])
    if what == "roll":
        dims.roll()
    elif what == "transpose":
        dims.transpose()
    elif what == "order":
        order = list(range(dims.ndim))
        random.shuffle(order)
        dims.order = tuple(order)
    else:
        dims.ndisplay = 3 if what == "3-D" else 2
    return what


@action(0.5)
def toggle_grid(window, random):
    grid = window.viewer.canvas.grid
    grid.enabled = not grid.enabled


@action(0.7)
def resize_window(window, random):
    size = random.choice([(1000, 700), (1000, 700), (1280, 800), (700, 500)])
    window.viewer.window.resize(*size)
    return size


@action(0.5)
def change_theme(window, random):
    window.viewer.theme = random.choice(["light", "dark"])


@action(0.5)
def move_the_dock(window, random):
    """Float it and dock it again, or hide and show it."""
    what = random.choice(["float", "hide"])
    if what == "float":
        window.dock_widget.setFloating(True)
        window.wait(0.05)
        window.dock_widget.setFloating(False)
    else:
        window.dock_widget.setVisible(False)
        window.wait(0.05)
        window.dock_widget.setVisible(True)
    return what


@action(0.5)
def close_and_reopen_the_dock(window, random):
    window.close_dock()
    window.check_closed()
    if random.random() < 0.5 and len(window.viewer.layers):
        window.viewer.layers.pop(random.randrange(len(window.viewer.layers)))
    window.open_dock()


@action(0.3)
def list_all_keys(window, random):
    window.key("?")
    window.wait(0.05)
    window.key(random.choice(["Esc", "?"]))
