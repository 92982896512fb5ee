"""The dock's keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.components import ViewerModel
from qtpy.QtWidgets import QAbstractButton

from napari_pqcomq.viewer.modes.registry import DIFFERENCE, FIGURES, FLICKER, SIDE_BY_SIDE, SWIPE
from napari_pqcomq.viewer.orthogonal_planes import Plane, show_plane, show_surfaces
from napari_pqcomq.widgets.shortcuts import Shortcut
from pqcomq.volumes.intensity_window import PRESETS

if TYPE_CHECKING:
    from napari_pqcomq.app.compare_widget import CompareWidget


def key_bindings(dock: CompareWidget, viewer: ViewerModel) -> list[Shortcut]:
    """All of them, in the order of their list."""
    view, prompts = dock.view, dock.prompt_panel

    def part(name: str) -> None:
        view.hide(name, name not in view.hidden)

    def window(index: int, title: str) -> Shortcut:
        return Shortcut(f"Ctrl+{index + 1}", title, lambda: dock.volume_panel.choose_window(index), always=True)

    def press(button: QAbstractButton) -> None:
        if button.isEnabled():
            button.click()

    return [
        Shortcut("Ctrl+Return", "Compare", lambda: press(dock.buttons.compare), always=True),
        Shortcut("B", "Draw a box", lambda: press(prompts.draw_button)),
        Shortcut("E", "Extend the box to this slice", lambda: press(prompts.extend_button)),
        Shortcut("[", "The box begins on this slice", lambda: prompts.set_end("first")),
        Shortcut("]", "The box ends on this slice", lambda: prompts.set_end("last")),
        Shortcut("Ctrl+Z", "Undo a change of the boxes", prompts.prompts.undo),
        Shortcut("Ctrl+Shift+Z", "Redo it", prompts.prompts.redo),
        Shortcut("Ctrl+K", "Keep the masks as layers", lambda: press(dock.view_bar.keep)),
        Shortcut("S", "Side by side", lambda: view.show(SIDE_BY_SIDE)),
        Shortcut("C", "Swipe (curtain)", lambda: view.show(SWIPE)),
        Shortcut(",", "Curtain to the left", lambda: view.move_curtain(-1)),
        Shortcut(".", "Curtain to the right", lambda: view.move_curtain(1)),
        Shortcut("D", "Difference", lambda: view.show(DIFFERENCE)),
        Shortcut("F", "Flicker; again: the other model", lambda: view.show(FLICKER)),
        Shortcut("W", "Worst slice", dock.go_to_worst),
        Shortcut("P", "Slice where the models first diverge", dock.go_to_divergence),
        Shortcut("M", "Masks on and off", lambda: part("masks")),
        Shortcut("T", "Ground truth on and off", lambda: part("ground truth")),
        Shortcut("X", "Boxes on and off", lambda: part("boxes")),
        Shortcut("I", "Figures on the picture on and off", lambda: part(FIGURES)),
        Shortcut("1", "Axial", lambda: show_plane(viewer, Plane.AXIAL)),
        Shortcut("2", "Coronal", lambda: show_plane(viewer, Plane.CORONAL)),
        Shortcut("3", "Sagittal", lambda: show_plane(viewer, Plane.SAGITTAL)),
        Shortcut("4", "3-D surfaces", lambda: show_surfaces(viewer)),
        window(0, "Window: the modality's own"),
        *(window(index, f"Window: {name}") for index, name in enumerate(PRESETS, start=1)),
        Shortcut("N", "napari's layer list and controls on and off", dock.side_docks.toggle),
    ]
