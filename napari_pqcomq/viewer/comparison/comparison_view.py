"""A comparison in the main viewer: two to four sides with one camera, one slice slider and one cursor.

Grid cells go by layer index, so the order of the layers is kept: the first side's layers come first, then as many of
each further side, then the user's own, hidden. A layer that the user adds or makes visible is joined to all sides.
Views only show and hide layers; in 3-D there are more of them. ``close`` puts everything back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from napari.components import ViewerModel
from napari.layers import Layer
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QWidget

from napari_pqcomq.layers.comparison_tag import is_of_comparison, take_for_users
from napari_pqcomq.layers.volume_layers import volume_of
from napari_pqcomq.viewer.comparison.arrangement import Arrangement, ViewChoice
from napari_pqcomq.viewer.comparison.shown_content import ShownContent
from napari_pqcomq.viewer.comparison.viewer_state import ViewerState
from napari_pqcomq.viewer.modes.base import Stage
from napari_pqcomq.viewer.modes.mode_registry import VIEWS
from napari_pqcomq.viewer.navigation.slice_steps import show_slice
from napari_pqcomq.viewer.overlays.cell_scale_bar import CellScaleBar
from napari_pqcomq.viewer.overlays.plate_strips import PlateStrips
from napari_pqcomq.viewer.overlays.shared_cursor import SharedCursor
from napari_pqcomq.viewer.scene import Pane, Scene
from napari_pqcomq.viewer.sides.layer_stack import LayerStack
from napari_pqcomq.viewer.sides.set_aside import SetAside
from napari_pqcomq.viewer.sides.side_layers import link_sides, make_side
from napari_pqcomq.viewer.sides.user_layers import UserLayers
from napari_pqcomq.widgets.dock.stepwise import Stepwise
from napari_pqcomq.widgets.napari_window.batched_redraw import one_redraw
from napari_pqcomq.widgets.napari_window.listeners import Listeners
from pqcomq.segmentation.box import Box3D

_STEPS_A_SIDE, _STEPS_BESIDE = 5, 4
"""Of opening: a side is made, its two layers are added and shown; then they are joined and arranged."""

_BACKGROUND = "black"  # in either theme: a light ground dazzles beside a CT, and letters are white


class ComparisonView(ShownContent):
    """The comparison of one viewer.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
        parent: Qt parent, in the window of the canvas.

    Attributes:
        closed: emitted after the view was closed, also when the user closed it by deleting one of its layers.
        changed: emitted after another way of viewing was chosen or something was hidden or shown.
        volume_opened: emitted with another volume that the user has opened meanwhile; its layers are laid aside.
        opening: emitted with the steps done and those in all while a comparison is opened in steps.
    """

    closed = Signal()
    changed = Signal()
    opening = Signal(int, int)
    volume_opened = Signal(object)

    def __init__(self, viewer: ViewerModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._choice = ViewChoice()
        self._opening_steps = Stepwise()
        self._layers = LayerStack(viewer)
        self._saved: ViewerState | None = None  # the user's view, from the first step of opening until the end
        self._users: UserLayers | None = None  # as the stage is: set while the layers of all sides are in the viewer
        self._cursor: SharedCursor | None = None
        self._listeners = Listeners()
        self._aside = SetAside(viewer, self.volume_opened.emit)

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
        total = len(panes) * _STEPS_A_SIDE + _STEPS_BESIDE

        def opened() -> None:
            self.opening.emit(total, total)
            then()

        steps = self._or_close(self._opening(panes, scene, candidate))
        self._opening_steps.start(steps, opened, lambda done: self.opening.emit(min(done, total - 1), total))

    @property
    def is_opening(self) -> bool:
        """Whether a comparison is on its way to the screen."""
        return self._opening_steps.is_running

    def close(self) -> None:
        """Remove the comparison's layers and texts, and restore the user's view. Does nothing when closed."""
        if self.is_opening:
            self._opening_steps.stop()
            self.opening.emit(1, 1)
        if self._saved is None:
            return
        saved, self._saved = self._saved, None
        self._clear()
        with one_redraw(self._viewer):
            saved.restore()
        self._aside.put_back()
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

    @property
    def scale_bar(self) -> CellScaleBar | None:
        """What measures the pictures, None while nothing is open."""
        return self._arrangement.scale_bar if self._arrangement else None

    def go_to(self, z: int) -> None:
        """Show a slice of the volume."""
        if self.volume is not None:
            show_slice(self._viewer, self.volume, z)

    def preferences(self) -> dict[str, str]:
        """What is remembered from one session to the next."""
        return {"view": self.name}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take over what was remembered; a view that no longer exists is passed over."""
        if kept.get("view") in VIEWS:
            self.show(kept["view"])

    def _or_close(self, steps: Iterator[None]) -> Iterator[None]:
        """Leave nothing half open, and no job waiting for it, where a step fails, as where memory is short."""
        try:
            yield from steps
        except Exception:
            self.close()
            raise

    def _opening(self, panes: Sequence[Pane], scene: Scene, candidate: int) -> Iterator[None]:
        """The steps of opening."""
        if not 2 <= len(panes) <= 4:
            raise ValueError(f"a comparison has two to four sides, not {len(panes)}")
        if self._arrangement is not None and self._arrangement.shows_in_place(panes, scene, candidate):
            self.changed.emit()
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
        if any(layer not in self._viewer.layers for layer in self._layers):
            self.close()  # the user has deleted one of them meanwhile
            return
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
        users = UserLayers(stage.sides, self._regroup)
        parent = self.parent()
        inside = parent if isinstance(parent, QWidget) else None
        arrangement = Arrangement(stage, self._layers, users, self._choice, inside)
        arrangement.go_to_objects()
        self._stage, self._users, self._arrangement = stage, users, arrangement
        self._connect(arrangement)
        self._layers.restore_order()  # the user may have moved some while they were added
        for layer in self._viewer.layers:
            self._take_copy_for_users(layer)
        for layer in [each for each in self._viewer.layers if not is_of_comparison(each)]:
            if layer not in saved.hidden:
                self._take_in(layer)
                continue
            users.watch([layer])
            if layer.visible:  # shown beside the comparison before this one, or while this one was opened
                users.join(layer)
        self._cursor = SharedCursor(stage)
        return arrangement

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

    def _connect(self, arrangement: Arrangement) -> None:
        viewer = self._viewer
        self._listeners.connect(
            (
                (viewer.layers.events.removed, self._on_removed),
                (viewer.layers.events.inserted, self._on_inserted),
                (viewer.dims.events.point, arrangement.on_place),
                (viewer.dims.events.ndisplay, arrangement.on_ndisplay),
                (viewer.dims.events.order, arrangement.on_plane),
                (viewer.scene.camera.events.zoom, arrangement.show_lines),
                (viewer.scene.camera.events.zoom, arrangement.scale_bar.fit),
                (viewer.canvas.events.size, arrangement.framing.fit_again),
                (viewer.canvas.events.size, arrangement.scale_bar.fit),
            )
        )
        self._layers.watch()

    def _disconnect(self) -> None:
        if self._listeners.disconnect():
            self._layers.unwatch()

    def _on_removed(self, event: Any) -> None:  # noqa: ANN401 (napari's event)
        if self._users is not None and not self._users.remove(event.value) and event.value in self._layers:
            self.close()

    def _on_inserted(self, event: Any) -> None:  # noqa: ANN401 (napari's event)
        self._take_copy_for_users(event.value)
        if not is_of_comparison(event.value):
            self._take_in(event.value)

    def _take_copy_for_users(self, layer: Layer) -> None:
        """A layer of the comparison that the user has duplicated is the user's, and stays when it is closed."""
        if is_of_comparison(layer) and layer not in self._layers:
            take_for_users(layer)

    def _take_in(self, layer: Layer) -> None:
        """A layer of the user's is joined to all sides; what the plugin makes and reads waits until the end."""
        if self._saved is None or self._users is None or self._stage is None:
            return
        volume = volume_of(layer)
        if volume is None:
            self._users.join(layer)
        elif volume is not self._stage.scene.volume:
            self._aside.take(layer, volume)
        else:
            self._saved.adopt(layer)
            self._users.watch([layer])
            self._layers.restore_order()

    def _regroup(self) -> None:
        """The sides have other layers than before."""
        if self._stage is not None and self._arrangement is not None:
            self._layers.set_layers(self._stage.layers)
            self._arrangement.arrange()
