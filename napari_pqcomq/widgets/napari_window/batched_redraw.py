"""Many changes of layers, drawn once.

napari rebuilds its scene after every layer that is shown, hidden, added or removed; with a dozen layers that takes a
second. At the end of a batch it rebuilds it once, and collects garbage first.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from napari.components import ViewerModel


@contextmanager
def one_redraw(viewer: ViewerModel, *, removes_layers: bool = False) -> Iterator[None]:
    """Batch what is done inside; not to be nested.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
        removes_layers: their graphics are garbage that napari must find before it draws again. Otherwise it is spared
            the search through everything that torch has loaded, a third of a second. A process that has frozen its
            objects for good keeps them so.
    """
    spared = not removes_layers and not _frozen_for_good()
    if spared:
        gc.freeze()
    try:
        with viewer.layers.batched_update():
            yield
    finally:
        if spared:
            gc.unfreeze()


@cache
def _frozen_for_good() -> bool:
    """Whether somebody else has; asked once, for counting takes as long as all that it spares."""
    return gc.get_freeze_count() > 0
