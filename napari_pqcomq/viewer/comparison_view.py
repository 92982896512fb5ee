"""A comparison in the main viewer: two to four sides with one camera, one slice slider and one cursor.

Grid cells go by layer index, so the order of the layers is kept: the first side's layers come first, then as many of
each further side, then those of the views, then the user's own, hidden. A layer that the user adds or makes visible is
joined to all sides. Views only show and hide layers. ``close`` puts everything back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from napari.components import ViewerModel
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QWidget

from napari_pqcomq.layers.comparison_tag import is_of_comparison
from napari_pqcomq.layers.volume_layers import volume_of
from napari_pqcomq.prompts.prompt import Prompt
from napari_pqcomq.viewer.arrangement import Arrangement, ViewChoice
from napari_pqcomq.viewer.layer_stack import LayerStack
from napari_pqcomq.viewer.modes.base import Stage
from napari_pqcomq.viewer.modes.registry import VIEWS
from napari_pqcomq.viewer.plate_strips import PlateStrips
from napari_pqcomq.viewer.scene import Mark, Pane, Scene
from napari_pqcomq.viewer.shared_cursor import SharedCursor
from napari_pqcomq.viewer.side_layers import link_sides, make_side
from napari_pqcomq.viewer.user_layers import UserLayers
from napari_pqcomq.viewer.viewer_state import ViewerState
from napari_pqcomq.widgets.batched_redraw import one_redraw
from napari_pqcomq.widgets.stepwise import Stepwise
from pqcomq.segmentation.box import Box3D

_BACKGROUND = "black"  # in either theme: a light ground dazzles beside a CT, and letters are white


class ComparisonView(QObject):
    """The comparison of one viewer.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
        parent: Qt parent, in the window of the canvas.

    Attributes:
        closed: emitted after the view was closed, also when the user closed it by deleting one of its layers.
        changed: emitted after another way of viewing was chosen or something was hidden or shown.
    """

    closed = Signal()
    changed = Signal()

    def __init__(self, viewer: ViewerModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._choice = ViewChoice()
        self._opening_steps = Stepwise()
        self._layers = LayerStack(viewer)
        self._saved: ViewerState | None = None  # the user's view, from the first step of opening until the end
        self._stage: Stage | None = None  # from here on: set while the layers of all sides are in the viewer
        self._users: UserLayers | None = None
        self._arrangement: Arrangement | None = None
        self._cursor: SharedCursor | None = None
        self._listeners: list[tuple[Any, Callable[..., None]]] = []

    @property
    def is_open(self) -> bool:
        """Whether a comparison is on screen, complete."""
        return self._saved is not None and not self._opening_steps.is_running

    @property
    def name(self) -> str:
        """The way of viewing: a key of :data:`VIEWS`."""
        return self._choice.name

    @property
    def sides(self) -> int:
        """How many there are."""
        return len(self._stage.sides) if self._stage else 0

    @property
    def candidate(self) -> int:
        """Which side views of two compare with the first, counted from 0."""
        return self._stage.candidate if self._stage else 1

    @property
    def hidden(self) -> frozenset[str]:
        """Which of :data:`PARTS` are hidden."""
        return self._choice.hidden_with(self.sides)

    def open(self, panes: Sequence[Pane], scene: Scene, candidate: int = 1) -> None:
        """Show two to four panes, in place of an earlier comparison if there is one.

        Args:
            panes: full precision first.
            scene: what they share.
            candidate: side that views of two begin with, counted from 0.
        """
        self._opening_steps.stop()
        for _step in self._opening(panes, scene, candidate):
            pass

    def open_in_steps(self, panes: Sequence[Pane], scene: Scene, then: Callable[[], None], candidate: int = 1) -> None:
        """As :meth:`open`, in steps: making and first drawing the layers takes seconds, and the window stays awake.

        When all is on screen, ``then`` is called; never, if the view was closed or opened anew meanwhile.
        """
        self._opening_steps.start(self._opening(panes, scene, candidate), then)

    def close(self) -> None:
        """Remove the comparison's layers and texts, and restore the user's view. Does nothing when closed."""
        self._opening_steps.stop()
        if self._saved is None:
            return
        saved, self._saved = self._saved, None
        self._clear()
        with one_redraw(self._viewer):
            saved.restore()
        self.closed.emit()

    def show(self, name: str) -> None:
        """View in another way: a key of :data:`VIEWS`; Flicker again shows the next side."""
        if self._arrangement is not None and name == self._choice.name:
            self._arrangement.flip()
        self._choice.name = name
        self._arrange()
        self.changed.emit()

    def hide(self, part: str, hidden: bool) -> None:
        """Hide or show one of :data:`PARTS` on all sides."""
        self._choice.set_hidden(part, hidden)
        self._arrange()
        self.changed.emit()

    def choose_candidate(self, index: int) -> None:
        """Let views of two compare the first side with side ``index``, counted from 0."""
        if self._stage is not None and 0 < index < len(self._stage.sides):
            self._stage.candidate = index
            self._masks_changed(None)
            self._arrange()

    def move_curtain(self, steps: int) -> None:
        """Move swipe's curtain by steps to the right."""
        if self._arrangement is not None:
            self._arrangement.move_curtain(steps)

    def set_contrast_limits(self, limits: tuple[float, float]) -> None:
        """Window all sides; the images are linked."""
        if self._stage is not None:
            self._stage.sides[0].image.contrast_limits = limits

    def set_objects(self, objects: tuple[Prompt, ...]) -> None:
        """Show other boxes."""
        if self._stage is not None and self._arrangement is not None:
            self._stage.scene = replace(self._stage.scene, objects=objects)
            self._arrangement.show_boxes()

    def set_masks(self, z: int, masks: Sequence[np.ndarray]) -> None:
        """Replace one slice's masks.

        Args:
            z: slice number.
            masks: object numbers (y, x), one array a side.
        """
        if self._stage is not None:
            for side, mask in zip(self._stage.sides, masks, strict=True):
                side.masks[z] = mask
            self._masks_changed((z,))

    def clear_masks(self, number: int, slices: Collection[int]) -> None:
        """Take object ``number``'s masks away on slices: they belong to a box that is no more."""
        if self._stage is not None and slices:
            for z in slices:
                for side in self._stage.sides:
                    side.masks[z][side.masks[z] == number] = 0
            self._masks_changed(tuple(slices))

    def masks(self, z: int) -> list[np.ndarray]:
        """A copy of each side's object numbers (y, x) on a slice."""
        return [side.masks[z].copy() for side in self._stage.sides] if self._stage else []

    def all_masks(self) -> list[np.ndarray]:
        """A copy of each side's object numbers (z, y, x)."""
        return [side.masks.copy() for side in self._stage.sides] if self._stage else []

    def set_lines(self, lines: Sequence[tuple[str, ...]], marks: Sequence[Mark | None] | None = None) -> None:
        """Write other lines and verdicts on the plates, one of each a side; by default no verdicts."""
        if self._stage is not None and self._arrangement is not None:
            panes, marks = self._stage.panes, marks or [None] * len(lines)
            self._stage.panes = [
                replace(pane, lines=each, mark=mark) for pane, each, mark in zip(panes, lines, marks, strict=True)
            ]
            self._arrangement.show_plates()

    @property
    def is_close(self) -> bool:
        """Whether the camera looks at an object."""
        return bool(self._arrangement and self._arrangement.framing.is_close)

    def look_at(self, box: Box3D | None) -> None:
        """Look at a box, which then fills half of its cell, or with None at the whole slice."""
        if self._arrangement is not None:
            self._arrangement.framing.look_at(box)

    @property
    def strips(self) -> PlateStrips | None:
        """What stands above the pictures, None while nothing is open."""
        return self._arrangement.strips if self._arrangement else None

    def go_to(self, z: int) -> None:
        """Show a slice."""
        self._viewer.dims.set_current_step(0, z)

    def preferences(self) -> dict[str, str]:
        """What is remembered from one session to the next."""
        return {"view": self.name}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take over what was remembered; a view that no longer exists is passed over."""
        if kept.get("view") in VIEWS:
            self.show(kept["view"])

    def _opening(self, panes: Sequence[Pane], scene: Scene, candidate: int) -> Iterator[None]:
        """The steps of opening."""
        if not 2 <= len(panes) <= 4:
            raise ValueError(f"a comparison has two to four sides, not {len(panes)}")
        if self._shows_in_place(panes, scene, candidate):
            return
        if self._saved is not None:
            self._clear()
        else:
            self._saved = ViewerState(self._viewer)
            with one_redraw(self._viewer):
                self._saved.hide_layers()
        sides = []
        for number, pane in enumerate(panes, start=1):
            yield
            sides.append(make_side(number, pane, scene))
        for layer in [layer for side in sides for layer in side.layers]:
            yield
            self._layers.insert([layer])
        yield
        arrangement = self._begin(Stage(self._viewer, scene, list(panes), sides, candidate), self._saved)
        yield
        yield from arrangement.arranging(one_by_one=True)
        yield
        arrangement.arrange()  # the user may have asked for another view meanwhile
        self.changed.emit()

    def _begin(self, stage: Stage, saved: ViewerState) -> Arrangement:
        """Join the sides, whose layers are in the viewer now, and listen to the viewer."""
        link_sides(stage.sides)
        self._viewer.canvas.background_color_override = _BACKGROUND  # type: ignore[assignment]  # names are taken
        self._viewer.layers.selection = {stage.sides[0].image}
        users = UserLayers(self._viewer, stage.sides, self._regroup)
        users.watch(saved.hidden)
        parent = self.parent()
        strips = PlateStrips(self._viewer, parent if isinstance(parent, QWidget) else None)
        arrangement = Arrangement(stage, self._layers, users, self._choice, strips)
        arrangement.go_to_objects()
        self._stage, self._users, self._arrangement = stage, users, arrangement
        self._connect(arrangement)
        self._cursor = SharedCursor(stage)
        return arrangement

    def _shows_in_place(self, panes: Sequence[Pane], scene: Scene, candidate: int) -> bool:
        """Show other panes in the layers that are there, if they fit: making layers is what takes time."""
        stage = self._stage
        if (
            stage is None
            or self._arrangement is None
            or scene.volume is not stage.scene.volume
            or [pane.title for pane in panes] != [pane.title for pane in stage.panes]
        ):
            return False
        for side, pane in zip(stage.sides, panes, strict=True):
            side.masks[:] = pane.mask
        stage.scene, stage.panes, stage.candidate = scene, list(panes), candidate
        self._masks_changed(None)
        self._arrangement.go_to_objects()
        self._arrangement.arrange()
        return True

    def _clear(self) -> None:
        """Take everything of the comparison out of the viewer."""
        self._disconnect()
        if self._cursor is not None:
            self._cursor.release()
        if self._arrangement is not None:
            self._arrangement.close()
        if self._users is not None:
            self._users.release()
        self._layers.remove_all()
        self._users = self._arrangement = self._stage = self._cursor = None

    def _arrange(self) -> None:
        if self._arrangement is not None:
            self._arrangement.arrange()

    def _masks_changed(self, slices: Sequence[int] | None) -> None:
        if self._arrangement is not None:
            self._arrangement.show_masks(slices)

    def _connect(self, arrangement: Arrangement) -> None:
        viewer = self._viewer
        self._listeners = [
            (viewer.layers.events.removed, self._on_removed),
            (viewer.layers.events.inserted, self._on_inserted),
            (viewer.dims.events.current_step, arrangement.show_lines),
            (viewer.dims.events.ndisplay, arrangement.on_ndisplay),
            (viewer.dims.events.order, arrangement.on_plane),
            (viewer.scene.camera.events.zoom, arrangement.show_lines),
            (viewer.canvas.events.size, arrangement.framing.fit_again),
        ]
        for emitter, listener in self._listeners:
            emitter.connect(listener)
        self._layers.watch()

    def _disconnect(self) -> None:
        if self._listeners:
            self._layers.unwatch()
        for emitter, listener in self._listeners:
            emitter.disconnect(listener)
        self._listeners = []

    def _on_removed(self, event: Any) -> None:  # noqa: ANN401 (napari's event)
        if self._users is not None and not self._users.remove(event.value) and event.value in self._layers:
            self.close()

    def _on_inserted(self, event: Any) -> None:  # noqa: ANN401 (napari's event)
        """A layer of the user's is joined to all sides; what the plugin makes and reads waits until the end."""
        if self._saved is None or self._users is None or is_of_comparison(event.value):
            return
        if volume_of(event.value) is None:
            self._users.join(event.value)
        else:
            self._saved.adopt(event.value)
            self._users.watch([event.value])
            self._layers.restore_order()

    def _regroup(self) -> None:
        """The sides have other layers than before."""
        if self._stage is not None and self._arrangement is not None:
            of_sides = [layer for side in self._stage.sides for layer in side.layers]
            self._layers.set_layers([*of_sides, *self._arrangement.mode_layers])
            self._arrangement.arrange()
