"""The dock's keys."""

from __future__ import annotations

from collections.abc import Callable

from napari_pqcomq.app.on_screen.navigation import Navigation
from napari_pqcomq.app.panels.panels import Panels
from napari_pqcomq.app.results.correcting import Correcting
from napari_pqcomq.translation import tr
from napari_pqcomq.viewer.modes.mode_registry import DIFFERENCE, FIGURES, FLICKER, SIDE_BY_SIDE, SWIPE
from napari_pqcomq.viewer.navigation.orthogonal_planes import Plane, show_plane, show_surfaces
from napari_pqcomq.widgets.napari_window.shortcuts import Shortcut
from pqcomq.volumes.intensity_window import PRESETS


def key_bindings(
    panels: Panels,
    navigation: Navigation,
    correcting: Correcting,
    help_: Callable[[], None],
    escape: Callable[[], None],
) -> list[Shortcut]:
    """All of them, in the order of their list.

    Args:
        panels: of the dock.
        navigation: of the dock.
        correcting: of the dock.
        help_: shows all keys, or puts them away.
        escape: lays down what is in the hand.
    """
    viewer, view, prompts = panels.viewer, panels.view, panels.prompts

    def part(name: str) -> None:
        view.hide(name, name not in view.hidden)

    def window(index: int, title: str) -> Shortcut:
        return Shortcut(f"Ctrl+{index + 1}", title, lambda: panels.volume.choose_window(index), always=True)

    def prompting(keys: str, meaning: str, action: Callable[[], None]) -> Shortcut:
        return Shortcut(keys, meaning, action, prompts=True)

    def on_picture(keys: str, meaning: str, action: Callable[[], None], prompts: bool = False) -> Shortcut:
        return Shortcut(keys, meaning, action, prompts=prompts, picture=True)

    steps = panels.mouse.steps
    return [
        Shortcut("?", tr("All keys, and the mouse"), help_, always=True),
        on_picture("Esc", tr("Lay the tool down, or close this list"), escape, prompts=True),
        Shortcut("Ctrl+Return", tr("Compare"), panels.actions.request_comparison, always=True),
        on_picture("Up, Right", tr("Next slice, towards head, back or left"), lambda: steps.by(1)),
        on_picture("Down, Left", tr("The slice before"), lambda: steps.by(-1)),
        on_picture("PgUp", tr("Five slices on"), lambda: steps.by(5)),
        on_picture("PgDown", tr("Five slices back"), lambda: steps.by(-5)),
        on_picture("Home", tr("First slice"), steps.to_first),
        on_picture("End", tr("Last slice"), steps.to_last),
        prompting("B", tr("Draw a box"), lambda: prompts.request_drawing()),
        prompting("E", tr("Extend the box to this slice"), lambda: prompts.request_drawing(extend=True)),
        prompting(
            "P", tr("Set points: inside; with Ctrl or Alt outside; with Shift a new object"), prompts.points.request
        ),
        prompting("G", tr("Scribble; with Ctrl or Alt erase; with Shift a new object"), prompts.brush.request),
        prompting("[", tr("The box begins on this slice"), lambda: prompts.set_end("first")),
        prompting("]", tr("The box ends on this slice"), lambda: prompts.set_end("last")),
        prompting("Shift+Left", tr("The box a voxel to the left"), lambda: prompts.nudge(-1, 0)),
        prompting("Shift+Right", tr("The box a voxel to the right"), lambda: prompts.nudge(1, 0)),
        prompting("Shift+Up", tr("The box a voxel up"), lambda: prompts.nudge(0, -1)),
        prompting("Shift+Down", tr("The box a voxel down"), lambda: prompts.nudge(0, 1)),
        Shortcut("A", tr("Brush: add to the mask"), lambda: correcting.take("brush")),
        Shortcut("R", tr("Eraser: take away from the mask"), lambda: correcting.take("eraser")),
        prompting("Ctrl+Z", tr("Undo a stroke, or a change of the boxes"), correcting.undo_stroke_or_box),
        prompting("Ctrl+Shift+Z", tr("Redo it"), correcting.redo_stroke_or_box),
        Shortcut("Ctrl+K", tr("Keep the masks as layers"), panels.view_bar.request_keeping),
        Shortcut("S", tr("Side by side"), lambda: view.show(SIDE_BY_SIDE)),
        Shortcut("C", tr("Swipe (curtain)"), lambda: view.show(SWIPE)),
        Shortcut(",", tr("Curtain to the left"), lambda: view.move_curtain(-1)),
        Shortcut(".", tr("Curtain to the right"), lambda: view.move_curtain(1)),
        Shortcut("D", tr("Difference"), lambda: view.show(DIFFERENCE)),
        Shortcut("F", tr("Flicker; again: the other model"), lambda: view.show(FLICKER)),
        Shortcut("W", tr("Worst slice"), navigation.go_to_worst),
        Shortcut("Z", tr("The object, or the whole slice"), navigation.toggle_zoom),
        Shortcut("V", tr("Slice where the models first diverge"), navigation.go_to_divergence),
        Shortcut("M", tr("Masks on and off"), lambda: part("masks")),
        Shortcut("T", tr("Ground truth on and off"), lambda: part("ground truth")),
        Shortcut("X", tr("Boxes on and off"), lambda: part("boxes")),
        Shortcut("I", tr("Figures on the picture on and off"), lambda: part(FIGURES)),
        Shortcut("1", tr("Axial"), lambda: show_plane(viewer, Plane.AXIAL)),
        Shortcut("2", tr("Coronal"), lambda: show_plane(viewer, Plane.CORONAL)),
        Shortcut("3", tr("Sagittal"), lambda: show_plane(viewer, Plane.SAGITTAL)),
        Shortcut("4", tr("3-D surfaces"), lambda: show_surfaces(viewer)),
        window(0, tr("Window: the modality's own")),
        *(window(index, tr("Window: {name}", name=name)) for index, name in enumerate(PRESETS, start=1)),
        Shortcut("N", tr("napari's layer list and controls on and off"), panels.docks.toggle, always=True),
    ]
