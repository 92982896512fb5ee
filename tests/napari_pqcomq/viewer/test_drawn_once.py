"""How often things are done when another slice or another view is shown: what is known is not made again."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from napari._vispy.overlays.scale_bar import VispyScaleBarOverlay
from napari._vispy.overlays.text import VispyTextOverlay
from vispy.scene.widgets import Grid

from napari_pqcomq.viewer.comparison.comparison_view import ComparisonView
from napari_pqcomq.viewer.modes import base
from napari_pqcomq.viewer.modes.mode_registry import FLICKER, SIDE_BY_SIDE, SWIPE
from napari_pqcomq.viewer.overlays.direction_letters import EDGES, DirectionLetters
from napari_pqcomq.viewer.scene import Pane, Scene
from pqcomq.segmentation.box import Box3D

BOX = Box3D(5, 5, 3, 17, 15, 8)


@pytest.fixture
def opened(shown_viewer, volume, masks):
    """Opens a comparison of so many sides."""

    def open_sides(count):
        view = ComparisonView(shown_viewer, shown_viewer.window._qt_window)
        panes = [Pane(f"{number}-bit", (), masks[number % 2], "red") for number in range(count)]
        view.open(panes, Scene.of_box(volume, (-160.0, 240.0), BOX))
        return view

    return open_sides


@pytest.fixture
def counted(monkeypatch):
    """Counts calls of what is found by its name in a class or module."""

    def count(owner, name):
        calls, made = [], getattr(owner, name)

        def counting(*args, **keywords):
            calls.append(args)
            return made(*args, **keywords)

        monkeypatch.setattr(owner, name, counting)
        return calls

    return count


def test_lines_of_a_slice_that_was_seen_are_not_found_again(opened, shown_viewer, counted):
    view = opened(3)
    found = counted(base, "mask_lines")
    for z in (4, 6, 4, 6):
        view.go_to(z)
    assert len(found) == 2 * 3, "once for each slice and side"
    shown_viewer.scene.camera.zoom *= 1.5
    view.show(FLICKER)
    assert len(found) == 2 * 3, "neither another zoom nor one side alone changes them"


@pytest.mark.parametrize(
    "change",
    [
        lambda view, masks: view.set_masks(5, [np.zeros_like(masks[0][5])] * 2),
        lambda view, masks: view.clear_masks(1, range(3, 9)),
        lambda view, masks: view.set_objects((), hidden=frozenset({1})),
    ],
)
def test_lines_are_found_again_when_masks_change_or_hide(opened, shown_viewer, masks, change):
    view = opened(2)
    for z in (4, 5):
        view.go_to(z)
    lines = shown_viewer.layers["2: lines"]
    before = len(lines.vertices)
    change(view, masks)
    assert len(lines.vertices) < before
    view.go_to(4)
    view.go_to(5)
    assert len(lines.vertices) < before, "what was kept is not of the masks of before"


def test_napari_makes_no_scale_bar_while_a_comparison_is_open(opened, shown_viewer, counted):
    bar = shown_viewer.canvas.overlays.scale_bar
    bar.visible = True
    made, seen = counted(VispyScaleBarOverlay, "__init__"), []
    view = opened(2)
    bar.events.visible.connect(lambda event: seen.append(bar.visible))
    for name, bars in ((SWIPE, 1), (SIDE_BY_SIDE, 2), (FLICKER, 1)):
        view.show(name)
        assert len(view.scale_bar.places()) == bars
    assert (made, seen) == ([], [])
    view.close()
    assert seen == [True], "napari's own is back"


def test_no_comparison_leaves_a_grid_behind(opened, shown_viewer):
    def alive():
        gc.collect()
        return sum(issubclass(type(each), Grid) for each in gc.get_objects())

    counts = []
    for sides in (2, 4, 3, 2):
        opened(sides).close()
        counts.append(alive())
    assert counts[-1] <= counts[0], counts


def test_napari_places_no_letters_when_the_view_changes(opened, shown_viewer, volume, counted):
    letters = DirectionLetters(shown_viewer, shown_viewer.window._qt_window)
    letters.set_volume(volume)
    view = opened(4)
    letters.stand_below(view.strips)
    told = counted(VispyTextOverlay, "_on_box_change")
    for name in (SWIPE, SIDE_BY_SIDE, SWIPE):
        view.show(name)
        assert letters.cells.texts() == [dict(zip(EDGES, "RLAP", strict=True))] * (4 if name == SIDE_BY_SIDE else 1)
    assert told == []
    letters.release()
