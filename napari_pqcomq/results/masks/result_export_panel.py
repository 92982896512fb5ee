"""Exporting the masks of a finished comparison, each with the record of the model that drew it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from qtpy.QtWidgets import QComboBox, QVBoxLayout, QWidget

from napari_pqcomq.results.held.corrections import with_planes
from napari_pqcomq.results.held.result_store import ResultStore
from napari_pqcomq.results.masks.export_form import ExportForm, Masks
from napari_pqcomq.translation import tr
from pqcomq.comparison.comparison_result import ComparisonResult
from pqcomq.errors import InputError
from pqcomq.masks.named_mask import NamedMask
from pqcomq.masks.origin import Origin


class ResultExportPanel(QWidget):
    """A panel of the results area: whose masks, and how they are written; objects that overlap stay whole.

    Args:
        store: with the comparison whose masks are exported.
        parent: Qt parent.
    """

    def __init__(self, store: ResultStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self.models = QComboBox()
        self.form = ExportForm(self._masks, (tr("Model"), self.models), wide=True)
        column = QVBoxLayout(self)
        column.addWidget(self.form)
        column.addStretch(1)
        store.changed.connect(self._on_result)
        store.corrected.connect(self._mark_corrected)

    def _on_result(self) -> None:
        """Offer the masks of the comparison."""
        result, chosen = self._store.result, self.models.currentIndex()
        self.models.clear()
        if result is None:
            self.form.show_source({}, None)
            return
        self.models.addItems([each.segmenter.precision for each in result.models])
        self._mark_corrected()
        self.models.setCurrentIndex(max(0, min(chosen, len(result.models) - 1)))
        self.form.show_source({found.number: found.name for found in result.objects}, result.volume)

    def _mark_corrected(self) -> None:
        """Say whose masks were corrected by hand: those of the others are written as the models drew them."""
        result, corrections = self._store.result, self._store.corrections
        corrected = {side for side, number in corrections.worked_on() if corrections.effort(side, number).voxels}
        for side, model in enumerate(result.models if result else ()):
            title = model.segmenter.precision
            self.models.setItemText(side, tr("{title} · corrected", title=title) if side in corrected else title)

    def _masks(self, names: dict[int, str]) -> Callable[[], Masks]:
        result, index = self._store.result, self.models.currentIndex()
        if result is None:
            raise InputError(tr("There is no comparison to export yet."))
        corrections = self._store.corrections
        painted = {found.number: corrections.planes(index, found.number) for found in result.objects}
        return partial(_named, result, index, names, painted)


def _named(
    result: ComparisonResult, index: int, names: Mapping[int, str], painted: Mapping[int, Mapping[int, np.ndarray]]
) -> Masks:
    """A model's masks with their records, corrected where slices were painted; may run in any thread."""
    masks = {}
    for found in result.objects:
        mask = found.results[index].mask_in(result.volume.grid.shape_zyx)
        origin = Origin.of(result.models[index].as_run, found.prompt, found.mode, found.window, mask)
        corrected = with_planes(mask, painted[found.number])
        masks[found.number] = NamedMask(names[found.number], corrected, origin)
    return masks, result.volume
