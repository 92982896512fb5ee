"""A layer of the user's in an open comparison: on the first side itself, on every other a copy that follows it."""

from __future__ import annotations

from collections.abc import Sequence

from napari.experimental import link_layers, unlink_layers
from napari.layers import Layer, Shapes

from napari_pqcomq.layers.comparison_tag import mark_as_comparison
from napari_pqcomq.viewer.sides.side_layers import Side

_LINKED = ("opacity", "blending")
_LINKED_OF_A_KIND = {"image": ("colormap", "contrast_limits", "gamma"), "labels": ("colormap", "contour")}
"""What follows by itself."""


class MirroredLayer:
    """One layer and its copies; all cells of the grid hold equally many layers, so every side gets one.

    Args:
        layer: the user's.
        sides: of the comparison, the first one's to show the layer itself.
    """

    def __init__(self, layer: Layer, sides: Sequence[Side]) -> None:
        self.layer, self._sides = layer, sides
        self.copies = [_copy(layer, side.number) for side in sides[1:]]
        for side, each in zip(sides, (layer, *self.copies), strict=True):
            side.joined.append(each)
        kind = layer.as_layer_data_tuple()[2]
        link_layers([layer, *self.copies], (*_LINKED, *_LINKED_OF_A_KIND.get(kind, ())))
        layer.events.data.connect(self._follow)
        layer.events.set_data.connect(self._follow)

    def show(self, sides: int) -> None:
        """Show the copies of the first so many sides where the layer itself is seen, and no others."""
        for number, each in enumerate(self.copies, start=2):
            seen = number <= sides and self.layer.visible
            if each.visible != seen:
                each.visible = seen

    def leave(self) -> None:
        """Take the layer and its copies out of the sides."""
        self.layer.events.data.disconnect(self._follow)
        self.layer.events.set_data.disconnect(self._follow)
        unlink_layers([self.layer, *self.copies])
        for side, each in zip(self._sides, (self.layer, *self.copies), strict=True):
            side.joined.remove(each)

    def _follow(self, event: object = None) -> None:
        """Show what was painted, drawn or moved."""
        for each in self.copies:
            if each.data is not self.layer.data:
                each.data = (
                    (self.layer.data, self.layer.shape_type) if isinstance(self.layer, Shapes) else self.layer.data
                )
            else:
                each.refresh(extent=False, thumbnail=False, highlight=False)


def _copy(layer: Layer, number: int) -> Layer:
    data, keywords, kind = layer.as_layer_data_tuple()
    keywords |= {"name": f"{number}: {layer.name}", "metadata": {}, "visible": False}
    return mark_as_comparison(Layer.create(data, keywords, kind))
