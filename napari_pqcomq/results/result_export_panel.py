"""Exporting the masks of a finished comparison, each with the record of the model that drew it."""

from __future__ import annotations

from qtpy.QtWidgets import QComboBox, QVBoxLayout, QWidget

from napari_pqcomq.results.export_form import ExportForm, Masks
from pqcomq.comparison.comparison_result import ComparisonResult
from pqcomq.errors import InputError
from pqcomq.masks.named_mask import NamedMask
from pqcomq.masks.origin import Origin


class ResultExportPanel(QWidget):
    """A panel of the results area: whose masks, and how they are written; objects that overlap stay whole."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.models = QComboBox()
        self.form = ExportForm(self._masks, ("Model", self.models))
        column = QVBoxLayout(self)
        column.addWidget(self.form)
        column.addStretch(1)
        self._result: ComparisonResult | None = None

    def set_result(self, result: ComparisonResult) -> None:
        """Offer the masks of a result."""
        chosen = self.models.currentIndex()
        self._result = result
        self.models.clear()
        self.models.addItems([each.segmenter.precision for each in result.models])
        self.models.setCurrentIndex(max(0, min(chosen, len(result.models) - 1)))
        self.form.show_source({found.number: found.name for found in result.objects}, result.volume)

    def _masks(self, names: dict[int, str]) -> Masks:
        if self._result is None:
            raise InputError("There is no comparison to export yet.")
        result, index = self._result, self.models.currentIndex()
        masks = {}
        for found in result.objects:
            mask = found.results[index].mask_in(result.volume.grid.shape_zyx)
            drawn_by = result.models[index].weights or result.models[index].segmenter
            origin = Origin.of(drawn_by, found.box, found.mode, found.window, mask)
            masks[found.number] = NamedMask(names[found.number], mask, origin)
        return masks, result.volume
