"""Two results next to each other in the main viewer: napari's grid mode with two cells, one camera, one slice slider.

Grid cells go by layer index, so this class alone decides the order: the left side's layers come first, then as many of
the right side, then the user's own, hidden. ``close`` puts everything back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari.components import ViewerModel
from napari.experimental import link_layers, unlink_layers
from napari.layers import Layer

from napari_pqcomq.plates import Plates
from napari_pqcomq.saved_view import SavedView
from napari_pqcomq.side_layers import Pane, Scene, side_layers

_GAP_PIXELS = 4
_LINKED = ("contrast_limits", "gamma", "colormap", "interpolation2d", "visible")


class SideBySide:
    """The comparison view of one viewer.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
        on_close: called after the view was closed, also when the user closed it by deleting one of its layers.
    """

    def __init__(self, viewer: ViewerModel, on_close: Callable[[], None] = lambda: None) -> None:
        self._viewer = viewer
        self._on_close = on_close
        self._layers: list[Layer] = []
        self._plates: Plates | None = None
        self._saved: SavedView | None = None

    @property
    def is_open(self) -> bool:
        """Whether a comparison is on screen."""
        return self._saved is not None

    def open(self, left: Pane, right: Pane, scene: Scene) -> None:
        """Show two panes, in place of an earlier comparison if there is one."""
        self.close()
        self._saved = SavedView(self._viewer)
        self._saved.hide_layers()
        sides = (side_layers("Left", left, scene), side_layers("Right", right, scene))
        self._layers = [*sides[0], *sides[1]]
        for index, layer in enumerate(self._layers):
            self._viewer.layers.insert(index, layer)
        # A window level set on one side holds for the other, or the eye would compare windows instead of masks.
        link_layers([sides[0][0], sides[1][0]], _LINKED)
        self._plates = Plates(self._viewer, (left, right))
        self._show_grid(len(sides[0]))
        self._show_slice(scene)
        self._viewer.layers.selection = {sides[1][1]}
        self._viewer.layers.events.removed.connect(self._on_removed)
        self._viewer.layers.events.reordered.connect(self._on_reordered)

    def close(self) -> None:
        """Remove the comparison's layers and texts, and restore the user's view. Does nothing when closed."""
        if self._saved is None:
            return
        saved, self._saved = self._saved, None
        self._viewer.layers.events.removed.disconnect(self._on_removed)
        self._viewer.layers.events.reordered.disconnect(self._on_reordered)
        if self._plates is not None:
            self._plates.remove()
        unlink_layers(self._layers)
        self._viewer.canvas.grid.enabled = False
        for layer in self._layers:
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)
        self._layers, self._plates = [], None
        saved.restore()
        self._on_close()

    def set_contrast_limits(self, limits: tuple[float, float]) -> None:
        """Window both sides; the right image is linked to the left."""
        if self.is_open:
            self._layers[0].contrast_limits = limits

    def _show_grid(self, layers_per_side: int) -> None:
        grid, scale_bar = self._viewer.canvas.grid, self._viewer.canvas.overlays.scale_bar
        grid.stride, grid.shape, grid.spacing = layers_per_side, (1, 2), _GAP_PIXELS
        grid.enabled = True
        # In this order: napari 0.9.2 makes the second side's bar only when a visible bar becomes gridded.
        scale_bar.visible = True
        scale_bar.gridded = True
        self._viewer.fit_to_view(layers=[self._layers[0]])

    def _show_slice(self, scene: Scene) -> None:
        """Stay on the user's slice if the box is there, else go to the box's middle."""
        current = self._viewer.dims.current_step[0]
        if current not in scene.box.slices:
            self._viewer.dims.set_current_step(0, scene.box.middle)

    def _on_removed(self, event: Any) -> None:  # noqa: ANN401 (napari's event)
        if event.value in self._layers:
            self.close()

    def _on_reordered(self, event: object = None) -> None:
        """Put the layers back in the order that the cells need."""
        with self._viewer.layers.events.reordered.blocker(self._on_reordered):
            for index, layer in enumerate(self._layers):
                position = list(self._viewer.layers).index(layer)
                if position != index:
                    self._viewer.layers.move(position, index)
