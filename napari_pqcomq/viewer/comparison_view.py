"""A comparison in the main viewer: two to four sides with one camera, one slice slider and one cursor.

Grid cells go by layer index, so this class alone decides the order: the first side's layers come first, then as many of
each further side, then those of the views, then the user's own, hidden. A layer that the user adds or makes visible is
joined to all sides. It switches between the views, which only show and hide layers. ``close`` puts everything back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.experimental import link_layers, unlink_layers
from napari.layers import Layer
from qtpy.QtCore import QTimer

from napari_pqcomq.layers.comparison_tag import is_of_comparison
from napari_pqcomq.layers.volume_layers import transform, volume_of
from napari_pqcomq.prompts.prompt import Prompt
from napari_pqcomq.viewer.camera_3d import look_at
from napari_pqcomq.viewer.modes.base import Stage, ViewMode
from napari_pqcomq.viewer.modes.flicker import FlickerMode
from napari_pqcomq.viewer.modes.registry import FIGURES, SIDE_BY_SIDE, VIEWS
from napari_pqcomq.viewer.modes.swipe import SwipeMode
from napari_pqcomq.viewer.outline_width import outline_voxels
from napari_pqcomq.viewer.scene import Mark, Pane, Scene
from napari_pqcomq.viewer.side_layers import FILL_OPACITY, OUTLINES, SURFACE_OPACITY, TRUTH, make_side, truth_labels
from napari_pqcomq.viewer.text_overlays import TextOverlays
from napari_pqcomq.viewer.user_layers import UserLayers
from napari_pqcomq.viewer.viewer_state import ViewerState
from napari_pqcomq.widgets.batched_redraw import one_redraw

_GAP_PIXELS = 4
_BREATH_MS = 5
"""Between the steps of opening: time for the window's own events."""
_BACKGROUND = "black"
"""In either theme: a light ground dazzles beside a CT, and plates and letters are white."""
_LINKED_IMAGES = ("contrast_limits", "gamma", "colormap", "interpolation2d", "opacity")
_LINKED_MASKS = ("opacity", "contour")


class ComparisonView:
    """The comparison of one viewer.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
        on_close: called after the view was closed, also when the user closed it by deleting one of its layers.
        on_change: called after another way of viewing was chosen or something was hidden or shown.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        on_close: Callable[[], None] = lambda: None,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._viewer, self._on_close, self._on_change = viewer, on_close, on_change
        self._stage: Stage | None = None
        self._modes: dict[str, ViewMode] = {}
        self._name = SIDE_BY_SIDE
        self._hidden: set[str] = set()
        self._layers: list[Layer] = []
        self._users: UserLayers | None = None
        self._plates: TextOverlays | None = None
        self._saved: ViewerState | None = None
        self._is_connected = False
        self._steps: Iterator[None] | None = None
        self._fitted: tuple[tuple[float, ...], float] | None = None

    @property
    def is_open(self) -> bool:
        """Whether a comparison is on screen, complete."""
        return self._saved is not None and self._steps is None

    @property
    def name(self) -> str:
        """The way of viewing: a key of :data:`VIEWS`."""
        return self._name

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
        return frozenset(self._hidden)

    def open(self, panes: Sequence[Pane], scene: Scene) -> None:
        """Show two to four panes, in place of an earlier comparison if there is one; the first is full precision."""
        self._steps = None
        for _step in self._opening(panes, scene):
            pass

    def open_gently(self, panes: Sequence[Pane], scene: Scene, then: Callable[[], None]) -> None:
        """As :meth:`open`, in steps: making and first drawing the layers takes seconds, and the window stays awake.

        Args:
            panes: see :meth:`open`.
            scene: see :meth:`open`.
            then: called when all stands there; never, if the view was closed or opened anew meanwhile.
        """
        steps = self._opening(panes, scene)
        self._steps = steps

        def go_on() -> None:
            if self._steps is not steps:
                return
            try:
                next(steps)
            except StopIteration:
                self._steps = None
                then()
            else:
                QTimer.singleShot(_BREATH_MS, go_on)

        go_on()

    def _opening(self, panes: Sequence[Pane], scene: Scene) -> Iterator[None]:
        """The steps of opening; whoever asks for the next decides when."""
        if not 2 <= len(panes) <= 4:
            raise ValueError(f"a comparison has two to four sides, not {len(panes)}")
        if self._takes_in_place(panes, scene):
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
            self._insert([layer])
        yield
        self._stage = Stage(self._viewer, scene, list(panes), sides)
        # A window level set on one side holds for the other, or the eye would compare windows instead of masks.
        link_layers([side.image for side in sides], _LINKED_IMAGES)
        link_layers([side.fill for side in sides], _LINKED_MASKS)
        link_layers([side.outline for side in sides], _LINKED_MASKS)
        self._viewer.canvas.background_color_override = _BACKGROUND
        self._viewer.layers.selection = {sides[0].image}
        self._users = UserLayers(self._viewer, sides, self._regroup)
        self._users.watch(self._saved.hidden)
        self._go_to_objects(scene)
        self._connect()
        yield
        yield from self._arranging(gently=True)
        yield
        self._plates = TextOverlays(self._viewer, scene.volume)
        yield from self._plates.making(plate.corner for plate in self._mode().plates())
        self._arrange()  # the user may have asked for another view meanwhile
        self._on_change()

    def close(self) -> None:
        """Remove the comparison's layers and texts, and restore the user's view. Does nothing when closed."""
        self._steps = None
        if self._saved is None:
            return
        saved, self._saved = self._saved, None
        self._clear()
        with one_redraw(self._viewer):
            saved.restore()
        self._on_close()

    def show(self, name: str) -> None:
        """View in another way: a key of :data:`VIEWS`; Flicker again shows the next side."""
        mode = self._modes.get(name)
        if mode is not None and name == self._name and isinstance(mode, FlickerMode):
            mode.flip()
        self._name = name
        if self._stage is not None:
            self._mode()
            self._arrange()
        self._on_change()

    def hide(self, part: str, hidden: bool) -> None:
        """Hide or show one of :data:`PARTS` on all sides."""
        (self._hidden.add if hidden else self._hidden.discard)(part)
        self._arrange()
        self._on_change()

    def choose_candidate(self, index: int) -> None:
        """Let views of two compare the first side with side ``index``, counted from 0."""
        if self._stage is not None and 0 < index < len(self._stage.sides):
            self._stage.candidate = index
            self._masks_changed(None)
            self._arrange()

    def move_curtain(self, steps: int) -> None:
        """Move swipe's curtain by steps to the right."""
        mode = self._modes.get(self._name)
        if isinstance(mode, SwipeMode):
            mode.move(steps)

    def set_contrast_limits(self, limits: tuple[float, float]) -> None:
        """Window all sides; the images are linked."""
        if self._stage is not None:
            self._stage.sides[0].image.contrast_limits = limits

    def set_objects(self, objects: tuple[Prompt, ...]) -> None:
        """Show other boxes."""
        if self._stage is not None:
            scene = self._stage.scene
            self._stage.scene = Scene(scene.volume, scene.contrast_limits, objects, scene.truth)
            self._show_boxes()

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
        if self._stage is not None:
            panes, marks = self._stage.panes, marks or [None] * len(lines)
            self._stage.panes = [
                replace(pane, lines=each, mark=mark) for pane, each, mark in zip(panes, lines, marks, strict=True)
            ]
            self._show_plates()

    def go_to(self, z: int) -> None:
        """Show a slice."""
        self._viewer.dims.set_current_step(0, z)

    def _takes_in_place(self, panes: Sequence[Pane], scene: Scene) -> bool:
        """Show other panes in the layers that stand there, if they fit: making layers is what takes time."""
        stage = self._stage
        if (
            stage is None
            or scene.volume is not stage.scene.volume
            or [pane.title for pane in panes] != [pane.title for pane in stage.panes]
        ):
            return False
        for side, pane in zip(stage.sides, panes, strict=True):
            side.masks[:] = pane.mask
            side.truth.data = truth_labels(scene)
        stage.scene, stage.panes = scene, list(panes)
        self._masks_changed(None)
        self._go_to_objects(scene)
        self._arrange()
        return True

    def _mode(self) -> ViewMode:
        """The mode chosen, made when it is first asked for."""
        assert self._stage is not None  # noqa: S101 (only asked while open)
        if self._name not in self._modes:
            mode = VIEWS[self._name](self._stage)
            self._modes[self._name] = mode
            self._insert(mode.own_layers)
        return self._modes[self._name]

    def _insert(self, layers: list[Layer]) -> None:
        """Behind the comparison's other layers, before the user's."""
        with self._viewer.layers.events.inserted.blocker(self._on_inserted), one_redraw(self._viewer):
            for layer in layers:
                layer.visible = False  # until it has its place
                self._viewer.layers.insert(len(self._layers), layer)
                self._layers.append(layer)
        if self._stage is not None:  # napari selects what was added last; keys and mouse belong to the picture
            self._viewer.layers.selection = {self._stage.sides[0].image}

    def _clear(self) -> None:
        """Take everything of the comparison out of the viewer."""
        self._disconnect()
        for mode in self._modes.values():
            mode.close()
        if self._plates is not None:
            self._plates.remove()
        if self._users is not None:
            self._users.release()
        own = [layer for layer in self._layers if is_of_comparison(layer)]
        if own:
            unlink_layers(own)
        with one_redraw(self._viewer, removes_layers=True):
            self._viewer.canvas.grid.enabled = False
            for layer in own:
                if layer in self._viewer.layers:
                    self._viewer.layers.remove(layer)
        self._users = None
        self._layers, self._modes, self._plates, self._stage, self._fitted = [], {}, None, None, None

    def _arrange(self, event: object = None) -> None:
        """Bring grid, visibility and texts in line with the mode, at once."""
        if self._stage is not None:
            self._mode()  # makes its layers in a batch of its own
            with one_redraw(self._viewer):
                for _step in self._arranging(gently=False):
                    pass
            self._show_plates()
            self._fit()

    def _arranging(self, *, gently: bool) -> Iterator[None]:
        """The steps of arranging, a layer each.

        Args:
            gently: the steps are drawn one by one. The grid then comes first, or all would be drawn anew in it; in a
                batch it comes last, since napari places texts in the grid's cells before the batch has made them.
        """
        assert self._stage is not None  # noqa: S101 (only asked while open)
        mode = self._mode()
        flat = self._viewer.dims.ndisplay == 2
        wanted = set(mode.visible()) - self._out_of_sight(flat)
        if mode.grid is None:
            self._viewer.canvas.grid.enabled = False
        elif gently:
            self._show_grid(mode.grid)
        for side in self._stage.sides:
            side.fill.opacity = FILL_OPACITY if flat else SURFACE_OPACITY
        self._show_boxes()
        for layer in self._layers:
            self._set_outline(layer)
            if self._users is not None and self._users.holds(layer):
                continue
            if layer.visible != (layer in wanted):
                layer.visible = layer in wanted
                if gently:
                    self._fit()
                yield
        if self._users is not None:
            self._users.show(on_every_side=mode.grid is not None and flat)
        if mode.grid is not None and not gently:
            self._show_grid(mode.grid)
        # In this order: napari 0.9.2 makes the further sides' bars only when a visible bar becomes gridded.
        scale_bar = self._viewer.canvas.overlays.scale_bar
        scale_bar.visible, scale_bar.gridded = True, False
        # In two rows the lower cells' corners belong to plates; one bar, stacked with them, holds for all cells.
        scale_bar.gridded = mode.grid is not None and mode.grid[0] == 1
        scale_bar.visible = flat

    def _set_outline(self, layer: Layer) -> None:
        """Outline on slices, as wide as needed to be seen; filled in 3-D."""
        assert self._stage is not None  # noqa: S101 (only asked while open)
        if is_of_comparison(layer) and layer.name.endswith((OUTLINES, TRUTH)):
            width = outline_voxels(self._viewer, self._stage.scene.volume)
            if layer.contour != width:
                layer.contour = width

    def _set_outlines(self, event: object = None) -> None:
        for layer in self._layers:
            self._set_outline(layer)

    def _fit(self, event: object = None) -> None:
        """Fill the cells, which have another size now, unless the user has zoomed."""
        camera = self._viewer.scene.camera
        if self._stage is not None and (self._fitted is None or self._fitted == (camera.center, camera.zoom)):
            self._viewer.fit_to_view(layers=[self._stage.sides[0].image])
            self._fitted = camera.center, camera.zoom

    def _out_of_sight(self, flat: bool) -> set[Layer]:
        """What the user has hidden, and in 3-D whatever would hide the surfaces."""
        assert self._stage is not None  # noqa: S101 (only asked while open)
        out: set[Layer] = set()
        own = [layer for mode in self._modes.values() for layer in mode.own_layers]
        for side in self._stage.sides:
            if "masks" in self._hidden:
                out |= {side.fill, side.outline}
            if TRUTH in self._hidden or self._stage.scene.truth is None:
                out.add(side.truth)
            if "boxes" in self._hidden:
                out.add(side.boxes)
            if not flat:
                out |= set(side.layers) - {side.fill}
        if "masks" in self._hidden or not flat:
            out |= {layer for layer in own if layer.name.endswith(OUTLINES)}
        if "masks" in self._hidden:
            out |= {layer for layer in own if layer.name != "Swipe: curtain"}
        return out

    def _show_grid(self, shape: tuple[int, int]) -> None:
        assert self._stage is not None  # noqa: S101 (only asked while open)
        grid = self._viewer.canvas.grid
        grid.stride, grid.shape, grid.spacing = len(self._stage.sides[0].layers), shape, _GAP_PIXELS
        grid.enabled = True

    def _show_plates(self) -> None:
        if self._plates is not None and self._stage is not None:
            plates = self._mode().plates()
            self._plates.show([replace(each, lines=()) for each in plates] if FIGURES in self._hidden else plates)

    def _show_boxes(self, event: object = None) -> None:
        if self._stage is not None:
            z = int(self._viewer.dims.current_step[0])
            for side in self._stage.sides:
                side.show_boxes(self._stage.scene.objects, z)

    def _masks_changed(self, slices: Sequence[int] | None) -> None:
        assert self._stage is not None  # noqa: S101 (only asked while open)
        for side in self._stage.sides:
            side.show_masks()
        for mode in self._modes.values():
            mode.show_masks(slices)

    def _go_to_objects(self, scene: Scene) -> None:
        """In any plane, stay on the user's slice if a box is there, else go to the middle of the last one."""
        axis = int(self._viewer.dims.order[0])
        ranges = [each.box.ranges_zyx[axis] for each in scene.objects]
        current = self._viewer.dims.current_step[axis]
        if ranges and not any(low <= current <= high for low, high in ranges):
            self._viewer.dims.set_current_step(axis, int(sum(ranges[-1]) // 2))

    def _on_plane(self, event: object = None) -> None:
        assert self._stage is not None  # noqa: S101 (connected only while open)
        self._go_to_objects(self._stage.scene)
        self._set_outlines()

    def _on_ndisplay(self, event: object = None) -> None:
        """In 3-D, look at the objects; back on slices, fill the cells again."""
        self._arrange()
        assert self._stage is not None  # noqa: S101 (connected only while open)
        if self._viewer.dims.ndisplay == 3:
            look_at(self._viewer, self._stage.scene)
        else:
            self._fitted = None
            self._fit()

    def _connect(self) -> None:
        self._is_connected = True
        self._viewer.layers.events.removed.connect(self._on_removed)
        self._viewer.layers.events.inserted.connect(self._on_inserted)
        self._viewer.layers.events.reordered.connect(self._on_reordered)
        self._viewer.dims.events.current_step.connect(self._show_boxes)
        self._viewer.dims.events.ndisplay.connect(self._on_ndisplay)
        self._viewer.dims.events.order.connect(self._on_plane)
        self._viewer.scene.camera.events.zoom.connect(self._set_outlines)
        self._viewer.cursor.events.position.connect(self._link_cursor)
        self._viewer.canvas.events.size.connect(self._fit)

    def _disconnect(self) -> None:
        if not self._is_connected:
            return
        self._is_connected = False
        self._viewer.layers.events.removed.disconnect(self._on_removed)
        self._viewer.layers.events.inserted.disconnect(self._on_inserted)
        self._viewer.layers.events.reordered.disconnect(self._on_reordered)
        self._viewer.dims.events.current_step.disconnect(self._show_boxes)
        self._viewer.dims.events.ndisplay.disconnect(self._on_ndisplay)
        self._viewer.dims.events.order.disconnect(self._on_plane)
        self._viewer.scene.camera.events.zoom.disconnect(self._set_outlines)
        self._viewer.cursor.events.position.disconnect(self._link_cursor)
        self._viewer.canvas.events.size.disconnect(self._fit)

    def _link_cursor(self, event: object = None) -> None:
        """Mark on the other sides the place that the mouse is at on one."""
        stage, cell = self._stage, self._viewer.cursor.viewbox
        if stage is None or not self._viewer.canvas.grid.enabled or cell is None or self._viewer.dims.ndisplay != 2:
            return
        under = cell[0] * self._viewer.canvas.grid.shape[1] + cell[1]
        place = transform(stage.scene.volume)
        voxel = (np.asarray(self._viewer.cursor.position[-3:]) - place["translate"]) / place["scale"]
        for index, side in enumerate(stage.sides):
            side.show_cursor(None if index == under else voxel)

    def _on_removed(self, event: Any) -> None:  # noqa: ANN401 (napari's event)
        if self._users is not None and not self._users.part_from(event.value) and event.value in self._layers:
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
            self._on_reordered()

    def _regroup(self) -> None:
        """The sides have other layers than before."""
        assert self._stage is not None  # noqa: S101 (called only while open)
        modes = [layer for mode in self._modes.values() for layer in mode.own_layers]
        self._layers = [*(layer for side in self._stage.sides for layer in side.layers), *modes]
        self._on_reordered()
        self._arrange()

    def _on_reordered(self, event: object = None) -> None:
        """Put the layers back in the order that the cells need."""
        with self._viewer.layers.events.reordered.blocker(self._on_reordered):
            for index, layer in enumerate(self._layers):
                position = list(self._viewer.layers).index(layer)
                if position != index:
                    self._viewer.layers.move(position, index)
