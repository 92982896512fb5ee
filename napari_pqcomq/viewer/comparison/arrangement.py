"""What of an open comparison is seen, and where: layers, grid, lines, scale bar, plates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace

from napari.layers import Layer
from qtpy.QtWidgets import QWidget

from napari_pqcomq.layers.axes_in_sight import axes_in_sight
from napari_pqcomq.layers.volume_layers import slice_millimetres, voxel_at
from napari_pqcomq.viewer.cameras.camera_3d import look_at
from napari_pqcomq.viewer.cameras.framing import Framing
from napari_pqcomq.viewer.modes.base import Stage, ViewMode
from napari_pqcomq.viewer.modes.flicker import FlickerMode
from napari_pqcomq.viewer.modes.mode_registry import FIGURES, SIDE_BY_SIDE, VIEWS
from napari_pqcomq.viewer.modes.swipe import SwipeMode
from napari_pqcomq.viewer.overlays.cell_scale_bar import CellScaleBar
from napari_pqcomq.viewer.overlays.plate_strips import PlateStrips
from napari_pqcomq.viewer.scene import Pane, Scene
from napari_pqcomq.viewer.sides.layer_stack import LayerStack
from napari_pqcomq.viewer.sides.side_layers import (
    BOXES,
    TRUTH,
    link_surfaces,
    prompt_lines,
    truth_lines,
)
from napari_pqcomq.viewer.sides.strokes import sight_of
from napari_pqcomq.viewer.sides.user_layers import UserLayers
from napari_pqcomq.widgets.napari_window.batched_redraw import one_redraw
from napari_pqcomq.widgets.napari_window.old_grids import drop_old_grids

_GAP_PIXELS = 4
_SIDES_IN_A_ROW = 2


@dataclass
class ViewChoice:
    """How the user wants to view comparisons; outlives each of them.

    Attributes:
        name: the way of viewing, a key of :data:`.VIEWS`.
        hidden: which of :data:`.PARTS` are hidden.
        asked: those of them that the user has hidden or shown.
    """

    name: str = SIDE_BY_SIDE
    hidden: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)

    def set_hidden(self, part: str, hidden: bool) -> None:
        """Hide or show a part, as the user asks."""
        self.asked.add(part)
        (self.hidden.add if hidden else self.hidden.discard)(part)

    def hidden_with(self, sides: int) -> frozenset[str]:
        """What is hidden where so many sides are compared.

        In a square the pictures are small: the truth is out of sight there until it is asked for, or its outline would
        hide what quantization changed.
        """
        crowded = self.name == SIDE_BY_SIDE and sides > _SIDES_IN_A_ROW and TRUTH not in self.asked
        return frozenset(self.hidden | ({TRUTH} if crowded else set()))


class Arrangement:
    """Brings the viewer in line with the chosen way of viewing.

    Args:
        stage: the open comparison.
        layers: of the comparison.
        users: the user's own layers beside them.
        choice: what the user wants to see, changed by the owner before :meth:`arrange`.
        inside: a widget of the canvas's window, or None: then neither strips nor scale bars are seen.

    Attributes:
        framing: where the camera looks.
        strips: above the pictures.
        scale_bar: as long as fits the pictures.
    """

    def __init__(
        self, stage: Stage, layers: LayerStack, users: UserLayers, choice: ViewChoice, inside: QWidget | None
    ) -> None:
        self._viewer, self._stage, self._layers, self._users = stage.viewer, stage, layers, users
        self._choice = choice
        self._modes: dict[str, ViewMode] = {}
        self._place: tuple[float, ...] | None = None  # in napari's world, while the view is in 3-D
        stage.show_lines = self.show_lines
        self.strips = PlateStrips(self._viewer, inside)
        self.framing = Framing(stage, lambda: self.strips.height)
        self.scale_bar = CellScaleBar(self._viewer, inside)

    def flip(self) -> None:
        """Where the masks are exchanged in one picture, show the next side's."""
        mode = self._modes.get(self._choice.name)
        if isinstance(mode, FlickerMode):
            mode.flip()

    def move_curtain(self, steps: int) -> None:
        """Move swipe's curtain by steps to the right."""
        mode = self._modes.get(self._choice.name)
        if isinstance(mode, SwipeMode):
            mode.move(steps)

    def shows_in_place(self, panes: Sequence[Pane], scene: Scene, candidate: int) -> bool:
        """Show other panes in the layers that are there, if they suffice: making layers is what takes time."""
        stage = self._stage
        if scene.volume is not stage.scene.volume or not stage.take(panes, candidate):
            return False
        self.show_scene(scene)
        self.masks_changed(None)
        self.go_to_objects()
        self.arrange()
        return True

    def arrange(self) -> None:
        """Bring everything in line, drawn once."""
        if self._viewer.dims.ndisplay == 3 and any(side.surfaces is None for side in self._stage.sides):
            self._show_surfaces()  # opened in 3-D, or with more sides than before
        with one_redraw(self._viewer) if self._needs_redraw() else nullcontext():
            for _step in self.arranging(one_by_one=False):
                pass
            with self._viewer.scene.camera.events.zoom.blocker(self.show_lines):
                self.framing.fit_again()
            self.show_lines()
        self.show_plates()
        self.scale_bar.fit()
        drop_old_grids(self._stage.sides[0].image)

    def arranging(self, *, one_by_one: bool) -> Iterator[None]:
        """The steps of arranging the layers, one each.

        Args:
            one_by_one: each step is drawn. The grid then comes first, or all would be drawn anew in it; in a batch it
                comes last, since napari places texts in the grid's cells before the batch has made them.
        """
        mode = self._mode()
        flat = self._viewer.dims.ndisplay == 2
        wanted = self._wanted(mode, flat)
        if mode.grid is None:
            self._viewer.canvas.grid.enabled = False
        elif one_by_one:
            self._show_grid(mode.grid)
        if one_by_one:
            self.show_lines()
        for layer in self._layers:
            if self._users.holds(layer):
                continue
            if layer.visible != (layer in wanted):
                layer.visible = layer in wanted
                if one_by_one:
                    self.framing.fit_again()
                yield
        self._users.show(len(mode.pictures) if flat else 1)
        if mode.grid is not None and not one_by_one:
            self._show_grid(mode.grid)

    def show_plates(self) -> None:
        """Write what is said above the pictures in the chosen way of viewing."""
        plates = self._mode().plates()
        self.strips.show([replace(each, lines=()) for each in plates] if FIGURES in self._hidden else plates)

    def show_lines(self, event: object = None) -> None:
        """Draw masks, truth and boxes for the slice, the plane and the camera's zoom; in 3-D there are none."""
        scene, mode, hidden = self._stage.scene, self._mode(), self._hidden
        sight = sight_of(self._viewer, scene.volume)
        if sight is None:
            return
        shared = {BOXES: [] if BOXES in hidden else prompt_lines(scene.objects, sight, scene.volume)}
        if mode.shows_truth and TRUTH not in hidden:
            shared[TRUTH] = truth_lines(scene.truth, sight)
        for side, lines in zip(mode.pictures, mode.lines(sight), strict=True):
            side.show_lines({**({} if "masks" in hidden else lines), **shared}, sight, scene.volume)

    def on_place(self, event: object = None) -> None:
        """Another slice is in sight; in 3-D the place is remembered, to be shown on slices again."""
        if self._viewer.dims.ndisplay == 3:
            self._place = self._viewer.dims.point
        else:
            self.show_lines()

    def show_scene(self, scene: Scene) -> None:
        """Show other boxes, another current object, other masks out of sight, or another truth, on the same volume."""
        before, self._stage.scene = self._stage.scene, scene
        if _told_of(scene) != _told_of(before):
            self.masks_changed(None)
            self.show_plates()
        else:
            self.show_lines()

    def masks_changed(self, slices: Sequence[int] | None) -> None:
        """Draw the sides' masks again, which have changed on some slices, or with None everywhere."""
        self._stage.drawn.clear()
        for mode in self._modes.values():
            mode.masks_changed(slices)
        self._show_surfaces()
        self.show_lines()

    def _show_surfaces(self) -> None:
        """In 3-D, draw each side's masks as surfaces that tell where they differ; on slices there are none."""
        stage, in_3d = self._stage, self._viewer.dims.ndisplay == 3
        before = [side.surfaces for side in stage.every]
        for side in stage.sides if in_3d else ():
            side.show_surfaces(stage.sides[0], stage.scene)
        for side in stage.spare if in_3d else stage.every:
            side.surfaces = None
        if [side.surfaces for side in stage.every] != before:
            self._layers.set_layers(stage.layers)
            link_surfaces(stage.sides)

    def go_to_objects(self) -> None:
        """In any plane, stay on the user's slice if the current object is there, else go to the middle of its box.

        Where figures are about all objects, it is any of them, and the last one's box.
        """
        scene, dims = self._stage.scene, self._viewer.dims
        axis = (axes_in_sight(dims) or (0,))[0]
        objects = [each for each in scene.objects if each.number == scene.current] or scene.objects
        ranges = [each.extent.ranges_zyx[axis] for each in objects]
        current = voxel_at(scene.volume, dims.point)[axis]
        if ranges and not any(low <= current <= high for low, high in ranges):
            dims.set_point(axis - 3, slice_millimetres(scene.volume, int(sum(ranges[-1]) // 2), axis))

    def on_plane(self, event: object = None) -> None:
        """Another plane of the volume is in sight."""
        self.go_to_objects()
        self.framing.fit()
        self.show_lines()

    def on_ndisplay(self, event: object = None) -> None:
        """In 3-D, look at the objects; back on slices, show the one of before and fill the cells again."""
        if self._viewer.dims.ndisplay == 3:
            self._place = self._viewer.dims.point
        elif self._place is not None:
            dims = self._viewer.dims
            dims.point = self._place  # napari goes to the slice that the camera turned round
            dims.events.current_step(value=dims.current_step)  # who has heard of that one hears of this one
            self._place = None
        self._show_surfaces()
        self.arrange()
        if self._viewer.dims.ndisplay == 3:
            look_at(self._viewer, self._stage.scene)
        else:
            self.framing.fit()

    def close(self) -> None:
        """Take strips and scale bars away, and let go of the viewer."""
        for mode in self._modes.values():
            mode.close()
        self.scale_bar.remove()
        self.strips.remove()

    @property
    def _hidden(self) -> frozenset[str]:
        return self._choice.hidden_with(len(self._stage.sides))

    def _mode(self) -> ViewMode:
        """The way of viewing chosen, made when it is first asked for."""
        name = self._choice.name
        if name not in self._modes:
            self._modes[name] = VIEWS[name](self._stage)
        for each, mode in self._modes.items():
            mode.is_chosen = each == name
        return self._modes[name]

    def _wanted(self, mode: ViewMode, flat: bool) -> set[Layer]:
        """The sides' layers that are to be seen."""
        if flat:
            return {layer for side in mode.pictures for layer in (side.image, side.lines)}
        if "masks" in self._hidden:
            return set()
        return {side.surfaces for side in mode.surfaces if side.surfaces is not None}

    def _needs_redraw(self) -> bool:
        """Whether a layer is to be shown or hidden, or the grid to change: napari builds its scene anew then."""
        mode, grid = self._mode(), self._viewer.canvas.grid
        wanted = self._wanted(mode, self._viewer.dims.ndisplay == 2)
        own = [layer for layer in self._layers if not self._users.holds(layer)]
        as_it_is = (grid.stride, grid.shape, grid.spacing) if grid.enabled else None
        return any(layer.visible != (layer in wanted) for layer in own) or as_it_is != self._cells(mode.grid)

    def _cells(self, shape: tuple[int, int] | None) -> tuple[int, tuple[int, int], float] | None:
        """Stride, shape and spacing of the grid; None for a single picture."""
        return None if shape is None else (len(self._stage.sides[0].layers), shape, float(_GAP_PIXELS))

    def _show_grid(self, shape: tuple[int, int]) -> None:
        grid = self._viewer.canvas.grid
        grid.stride, grid.shape, grid.spacing = len(self._stage.sides[0].layers), shape, _GAP_PIXELS
        grid.enabled = True


def _told_of(scene: Scene) -> tuple[object, ...]:
    """What the masks' looks and the plates go by."""
    return scene.hidden, scene.current, scene.blinded, [each.name for each in scene.objects]
