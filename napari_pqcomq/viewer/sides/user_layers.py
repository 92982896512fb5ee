"""The user's own layers while a comparison is open: what they add or make visible is seen on every side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from napari.layers import Layer

from napari_pqcomq.viewer.sides.mirrored_layer import MirroredLayer
from napari_pqcomq.viewer.sides.side_layers import Side


class UserLayers:
    """Those of one comparison.

    Args:
        sides: of the comparison.
        regroup: called when the sides have other layers, to bring the viewer in line, or a layer was shown or hidden.
    """

    def __init__(self, sides: Sequence[Side], regroup: Callable[[], None]) -> None:
        self._sides, self._regroup = sides, regroup
        self._joined: list[MirroredLayer] = []
        self._watched: list[Layer] = []

    def watch(self, layers: Iterable[Layer]) -> None:
        """Join layers as soon as the user makes them visible."""
        for layer in layers:
            layer.events.visible.connect(self._on_visible)
            self._watched.append(layer)

    def holds(self, layer: Layer) -> bool:
        """Whether a layer is joined, or a copy of one that is: it is shown and hidden by the user."""
        return any(layer in (joined.layer, *joined.copies) for joined in self._joined)

    def show(self, sides: int) -> None:
        """Show the layers on the first so many sides."""
        for joined in self._joined:
            joined.show(sides)

    def join(self, layer: Layer) -> None:
        """Show a layer on every side."""
        joined = MirroredLayer(layer, self._sides)
        self._joined.append(joined)
        if layer not in self._watched:
            self.watch([layer])
        self._regroup()

    def remove(self, layer: Layer) -> bool:
        """Let go of the copies of a layer that the user has deleted; False if it was not joined."""
        joined = self._found(layer)
        if joined is None:
            return False
        self._joined.remove(joined)
        joined.show(sides=1)
        joined.leave()
        self._regroup()
        return True

    def release(self) -> None:
        """Let go of all of them; the caller removes the copies."""
        for joined in self._joined:
            joined.leave()
        for layer in self._watched:
            layer.events.visible.disconnect(self._on_visible)
        self._joined, self._watched = [], []

    def _found(self, layer: Layer) -> MirroredLayer | None:
        return next((joined for joined in self._joined if joined.layer == layer), None)

    def _on_visible(self, event: Any) -> None:  # noqa: ANN401 (napari's event)
        if self._found(event.source) is not None:
            self._regroup()
        elif event.source.visible:
            self.join(event.source)
