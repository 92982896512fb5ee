"""Grids of cells that napari has replaced are let go of.

napari 0.9.2 makes a new grid whenever the number of cells changes, as with every comparison that opens, and takes the
old one off the scene. The widget that held it keeps it: some hundreds of kilobytes for each comparison, laid out again
whenever the window changes its size.
"""

from __future__ import annotations

from napari.layers import Layer
from vispy.scene.widgets import Grid

from napari_pqcomq.widgets.napari_window.kept_programs import visual_of


def drop_old_grids(layer: Layer) -> None:
    """Let the canvas forget the grids that are no longer on its scene.

    Args:
        layer: any that the canvas shows. Without a canvas nothing is done, nor where napari or vispy work otherwise
            than in the versions known.
    """
    node = visual_of(layer)
    while node is not None:
        for each in [each for each in getattr(node, "_widgets", ()) if isinstance(each, Grid) and each.parent is None]:
            node.remove_widget(each)
        node = node.parent
