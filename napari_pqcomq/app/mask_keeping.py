"""*Keep masks*: the masks in sight become labels layers of the user's, made ready in the background.

The record of each mask holds a hash of all its voxels, by which an edited one is known later; of many objects on a
large volume that takes seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from napari.layers import Labels
from napari.qt.threading import create_worker
from napari.utils.notifications import show_info
from qtpy.QtCore import QObject

from napari_pqcomq.app.hints import masks_kept
from napari_pqcomq.app.panels import Panels
from napari_pqcomq.results.kept_masks import drawn_before, kept_layers, prompts_in_sight
from napari_pqcomq.widgets.napari_window.batched_redraw import one_redraw
from pqcomq.comparison.compared_model import ComparedModel
from pqcomq.comparison.comparison_result import ComparisonResult
from pqcomq.volumes.intensity_window import default_window


class MaskKeeping(QObject):
    """Keeps what is on screen, once at a time.

    Args:
        panels: of the dock.
        parent: Qt parent.
    """

    def __init__(self, panels: Panels, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._panels = panels
        self._worker: Any = None

    @property
    def is_running(self) -> bool:
        """Whether layers are on their way."""
        return self._worker is not None

    def keep(self, drawn_by: Sequence[ComparedModel], result: ComparisonResult | None) -> None:
        """Keep the masks as they are now, whatever becomes of them meanwhile.

        Args:
            drawn_by: the models of the sides, in their order.
            result: on screen, None where all masks are live.
        """
        panels, volume = self._panels, self._panels.volume.volume
        if volume is None or self.is_running:
            return
        window = panels.volume.intensity_window or default_window(volume.modality, volume.voxels)
        prompts = prompts_in_sight(panels.objects.objects, result, panels.live.is_live, window)
        masks, corrections = panels.view.all_masks(), panels.store.corrections.snapshot()
        corrected = result if result is panels.store.result else None

        def keep() -> list[Labels]:
            drawn = {} if corrected is None else drawn_before(corrected, corrections)
            return kept_layers(masks, volume, drawn_by, prompts, drawn)

        self._worker = create_worker(keep, _start_thread=False)  # type: ignore[arg-type]
        self._worker.returned.connect(self._take)
        self._worker.finished.connect(self._end)
        self._worker.start()

    def _take(self, kept: list[Labels]) -> None:
        with one_redraw(self._panels.viewer):
            for layer in kept:
                self._panels.viewer.add_layer(layer)
        show_info(masks_kept(len(kept)))

    def _end(self) -> None:
        self._worker = None
