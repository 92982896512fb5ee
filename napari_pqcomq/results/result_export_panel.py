"""Exporting the masks of a finished comparison, each with the record of the model that drew it."""

from __future__ import annotations

from qtpy.QtWidgets import QComboBox, QVBoxLayout, QWidget

from napari_pqcomq.jobs.comparison_result import ShownResult
from napari_pqcomq.results.export_form import ExportForm, Masks
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
        self._result: ShownResult | None = None

    def set_result(self, result: ShownResult) -> None:
        """Offer the masks of a result."""
        chosen = self.models.currentIndex()
        self._result = result
        self.models.clear()
        compared_models = (result.reference, *result.candidates)
        self.models.addItems([each.segmenter.precision for each in compared_models])
        self.models.setCurrentIndex(max(0, min(chosen, len(compared_models) - 1)))
        self.form.show_source({found.prompt.number: found.name for found in result.objects}, result.volume)

    def _masks(self, names: dict[int, str]) -> Masks:
        if self._result is None:
            raise InputError("There is no comparison to export yet.")
        result, index = self._result, self.models.currentIndex()
        masks = {}
        for found in result.objects:
            comparison = found.comparison if index == 0 else found.comparisons[index - 1]
            mask = comparison.reference.mask if index == 0 else comparison.candidate.mask
            compared_model = result.reference if index == 0 else result.candidates[index - 1]
            drawn_by = compared_model.weights or compared_model.segmenter
            origin = Origin.of(drawn_by, comparison.box, comparison.mode, comparison.window, mask)
            masks[found.prompt.number] = NamedMask(names[found.prompt.number], mask, origin)
        return masks, result.volume
