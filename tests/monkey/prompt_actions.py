"""What a user does with boxes and points: draw, move, resize, name, tick, delete, undo."""

from __future__ import annotations

from kinds import action
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from pqcomq.errors import InputError
from pqcomq.segmentation.box import Box3D

NO_KEY, CTRL, SHIFT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)


def anywhere(window, random, low=0.15, high=0.85):
    """A point of the picture, in any cell."""
    return window.place(random.uniform(low, high), random.uniform(low, high), random.randrange(4))


@action(3)
def draw_box(window, random):
    prompts = window.panels.prompts
    button = prompts.extend_button if random.random() < 0.2 else prompts.draw_button
    if not window.press(button):
        return False
    window.wait(0.05)
    window.drag(anywhere(window, random), anywhere(window, random))
    return None


@action(2)
def draw_box_round_a_blob(window, random):
    """As if drawn well: on slices in the middle."""
    volume, objects = window.panels.volume.volume, window.panels.objects
    if volume is None or not window.panels.prompts.isEnabled() or len(objects) >= 6:
        return False
    depth, height, width = volume.grid.shape_zyx
    first, last = sorted(random.randrange(depth) for _ in range(2))
    x, y = random.uniform(0.1, 0.5) * width, random.uniform(0.1, 0.5) * height
    last = min(last, first + 2)
    try:
        objects.add(Box3D(x, y, first, x + width * 0.3, y + height * 0.3, last))
    except InputError:
        return False
    objects.settle()
    return None


@action(3)
def drag_on_the_picture(window, random):
    """Moves or resizes what is there, or pans."""
    window.drag(anywhere(window, random), anywhere(window, random))


@action(2)
def drag_a_box(window, random):
    """Take hold of the current box on its slice, inside or at a corner."""
    current, volume = window.panels.objects.current_prompt, window.panels.volume.volume
    if current is None or volume is None or current.box is None:
        return False
    dims, box = window.viewer.dims, current.box
    if dims.ndisplay != 2 or dims.ndim < 3:
        return False
    origin, spacing = volume.grid.origin, volume.grid.spacing
    dims.set_point(dims.ndim - 3, origin[2] + spacing[2] * box.middle)
    window.wait(0.05)
    x, y = random.choice([(box.x0, box.y0), (box.x1, box.y1), ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)])
    camera = window.viewer.scene.camera
    world = origin[1] + spacing[1] * y, origin[0] + spacing[0] * x
    middle = window.place(0.5, 0.5, random.randrange(4))
    start = middle + type(middle)(
        round((world[1] - camera.center[2]) * camera.zoom), round((world[0] - camera.center[1]) * camera.zoom)
    )
    window.drag(start, start + type(start)(random.randint(-60, 60), random.randint(-60, 60)))
    return None


@action(1.5)
def drag_and_meanwhile(window, random):
    """Something happens while the button is down."""
    layers, dims, panels = window.viewer.layers, window.viewer.dims, window.panels
    happens = {
        "undo": panels.objects.undo,
        "remove": lambda: panels.objects.remove(panels.objects.current),
        "slice": lambda: dims.set_current_step(max(dims.ndim - 3, 0), random.randrange(12)),
        "layer": lambda: layers.pop() if len(layers) else None,
        "close": panels.view.close,
        "compare": lambda: window.press(panels.actions.compare_button),
        "escape": lambda: window.key("Esc"),
        "planes": lambda: window.key("2"),
    }
    what = random.choice(list(happens))
    if random.random() < 0.6:
        window.press(panels.prompts.draw_button)
    window.drag(anywhere(window, random), anywhere(window, random), meanwhile=happens[what])
    return what


@action(2)
def set_points(window, random):
    points = window.panels.prompts.points
    if not window.press(points.button):
        return False
    for _ in range(random.randint(1, 3)):
        window.click(anywhere(window, random), random.choice([NO_KEY, NO_KEY, CTRL, SHIFT]))
    if random.random() < 0.7:
        window.key("Esc")
    return None


@action(3)
def undo(window, random):
    """By its button or key, once or often."""
    for _ in range(random.choice([1, 1, 2, 5])):
        if random.random() < 0.5:
            window.key("Ctrl+Z")
        else:
            window.press(window.panels.prompts.undo_button)
    window.note_own()  # strokes on the user's labels are taken back, too


@action(2)
def redo(window, random):
    for _ in range(random.choice([1, 1, 3])):
        if random.random() < 0.5:
            window.key("Ctrl+Shift+Z")
        else:
            window.press(window.panels.prompts.redo_button)
    window.note_own()


@action(2)
def undo_and_redo_change_nothing(window, random):
    objects = window.panels.objects
    objects.settle()
    before = objects.objects, objects.current
    count = random.choice([1, 1, 2, 4])
    done = 0
    while done < count and objects.can_undo:
        objects.undo()
        done += 1
    window.wait(0.02)
    for _ in range(done):
        objects.redo()
    after = objects.objects, objects.current
    assert after == before, f"{done} undone and redone: {before} became {after}"
    return None if done else False


@action(1)
def remove_box(window, random):
    panels = window.panels
    if random.random() < 0.5:
        return None if window.press(panels.prompts.remove_button) else False
    if not panels.prompts.objects.isVisible():
        return False
    QTest.keyClick(panels.prompts.objects, Qt.Key.Key_Delete)
    return None


@action(2)
def choose_object(window, random):
    listed = window.panels.prompts.objects
    if not listed.count() or not listed.isVisible():
        return False
    item = listed.item(random.randrange(listed.count()))
    listed.setCurrentItem(item)
    listed.itemClicked.emit(item)
    return None


@action(2)
def tick_object(window, random):
    listed = window.panels.prompts.objects
    if not listed.count() or not window.panels.prompts.isEnabled():
        return False
    item = listed.item(random.randrange(listed.count()))
    is_ticked = item.checkState() == Qt.CheckState.Checked
    item.setCheckState(Qt.CheckState.Unchecked if is_ticked else Qt.CheckState.Checked)
    return None


@action(1)
def rename_object(window, random):
    listed = window.panels.prompts.objects
    if not listed.count() or not window.panels.prompts.isEnabled():
        return False
    listed.item(random.randrange(listed.count())).setText(
        random.choice(["liver", "Leber „links“", "  ", "a/b:c", "肝"])
    )
    return None


@action(1.5)
def set_slices(window, random):
    """Type the first or the last slice, or press the keys for them."""
    prompts = window.panels.prompts
    which = random.choice(["first", "last"])
    if random.random() < 0.5:
        window.key({"first": "[", "last": "]"}[which])
        return None
    spin = getattr(prompts, which)
    if not spin.isEnabled():
        return False
    spin.setValue(random.randint(-2, 14))
    return None


@action(1)
def nudge(window, random):
    window.key(random.choice(["Shift+Left", "Shift+Right", "Shift+Up", "Shift+Down"]))


@action(0.7)
def choose_mode_of_prompts(window, random):
    modes = window.panels.prompts.modes
    modes.setCurrentIndex(random.randrange(modes.count()))
    modes.activated.emit(modes.currentIndex())


@action(0.7)
def choose_layer_of_boxes(window, random):
    layers = window.panels.prompts.layers
    if layers.count() < 2 or not layers.isVisible():
        return False
    layers.setCurrentIndex(random.randrange(layers.count()))
    return None
