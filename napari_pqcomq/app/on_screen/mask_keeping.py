"""*Keep masks*: the masks in sight become labels layers of the user's, made ready in the background.

The record of each mask holds a hash of all its voxels, by which an edited one is known later; of many objects on a
large volume that takes seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from napari.layers import Labels
from napari.utils.notifications import show_info
from qtpy.QtCore import QObject

from napari_pqcomq.app.panels.panels import Panels
from napari_pqcomq.jobs.running.errands import Errands
from napari_pqcomq.layers.volume_layers import VOLUME_KEY, shown_name
from napari_pqcomq.results.masks.kept_masks import drawn_before, kept_layers, prompts_in_sight
from napari_pqcomq.translation import tr, trn
from napari_pqcomq.widgets.napari_window.batched_redraw import one_redraw
from pqcomq.comparison.compared_model import ComparedModel
from pqcomq.comparison.comparison_result import ComparisonResult
from pqcomq.volumes.intensity_window import default_window
from pqcomq.volumes.volume import Volume


class MaskKeeping(QObject):
    """Keeps what is on screen, once at a time.

    Args:
        panels: of the dock.
        parent: Qt parent.
    """

    def __init__(self, panels: Panels, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._panels = panels
        self._errands = Errands(self)

    @property
    def is_running(self) -> bool:
        """Whether layers are on their way."""
        return self._errands.is_running

    def finish(self) -> None:
        """Have the layers now: the dock is about to close."""
        self._errands.finish()

    def keep(self, drawn_by: Sequence[ComparedModel], result: ComparisonResult | None) -> None:
        """Keep the masks as they are now, whatever becomes of them meanwhile.

        Args:
            drawn_by: the models of the sides, in their order.
            result: on screen, None where all masks are live.
        """
        panels, volume = self._panels, self._panels.volume.volume
        if volume is None:
            return
        if self.is_running:
            show_info(tr("The masks kept a moment ago are still being made ready; keep these when they are there."))
            return
        window = panels.volume.intensity_window or default_window(volume.modality, volume.voxels)
        prompts = prompts_in_sight(panels.objects.objects, result, panels.live.is_live, window)
        masks, corrections = panels.view.all_masks(), panels.store.corrections.snapshot()
        corrected = result if result is panels.store.result else None

        def keep() -> list[Labels]:
            drawn = {} if corrected is None else drawn_before(corrected, corrections)
            return kept_layers(masks, volume, drawn_by, prompts, drawn)

        self._errands.start(keep, partial(self._take, volume))

    def _take(self, volume: Volume, kept: list[Labels]) -> None:
        with one_redraw(self._panels.viewer):
            for layer in kept:
                add_masks(self._panels, layer, volume)
        show_info(_told(len(kept)))


def add_masks(panels: Panels, layer: Labels, volume: Volume) -> None:
    """Add masks that were made in the background; over another volume, chosen meanwhile, they are not seen.

    Args:
        panels: of the dock.
        layer: the masks.
        volume: that they lie on.
    """
    chosen = panels.volume.volume
    if chosen is not None and chosen.voxels is volume.voxels:
        layer.metadata[VOLUME_KEY] = chosen  # its modality may have been set anew
    else:
        layer.visible = False
        show_info(
            tr(
                "The layer “{name}” is hidden: it lies on {volume}, and another volume or none is chosen now.",
                name=layer.name,
                volume=shown_name(panels.viewer.layers, volume),
            )
        )
    panels.viewer.add_layer(layer)


def _told(count: int) -> str:
    """What is told after masks were kept, of the number of layers."""
    if not count:
        return tr("There are no masks yet.")
    return trn(
        "Kept as {count} labels layer, shown when the comparison is closed; Plugins › napari-pqcomq › Export masks "
        "writes it.",
        "Kept as {count} labels layers, shown when the comparison is closed; Plugins › napari-pqcomq › Export masks "
        "writes them.",
        count,
    )
