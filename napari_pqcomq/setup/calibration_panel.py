"""Which slices the quantizer may look at."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QFileDialog, QFormLayout, QSpinBox, QWidget

from napari_pqcomq.jobs.choices import CalibrationChoice
from pqcomq.quantization.calibration import DEFAULT_SLICES

_MOST_SLICES = 64
_OPEN_VOLUME, _FILES = "The open volume", "Other volume files…"


class CalibrationPanel(QWidget):
    """Number and origin of the calibration slices.

    Attributes:
        changed: emitted when either changes.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.sources, self.slices = QComboBox(), QSpinBox()
        self.sources.addItems([_OPEN_VOLUME, _FILES])
        self.sources.setToolTip("Calibrate on other volumes to compare on data that the quantizer has not seen.")
        self.slices.setRange(1, _MOST_SLICES)
        self.slices.setValue(DEFAULT_SLICES)
        self.slices.setSuffix(" slices")
        self._files: tuple[Path, ...] = ()
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow("Calibrate on", self.sources)
        form.addRow("How many", self.slices)
        self.sources.activated.connect(self._on_source)
        self.slices.valueChanged.connect(lambda _value: self.changed.emit())

    @property
    def choice(self) -> CalibrationChoice:
        """What is chosen now."""
        return CalibrationChoice(self.slices.value(), self._files)

    def set_files(self, files: tuple[Path, ...]) -> None:
        """Calibrate on these volumes, or on the open one when there are none."""
        self._files = files
        self.sources.setCurrentText(_FILES if files else _OPEN_VOLUME)
        self.changed.emit()

    def preferences(self) -> dict[str, str]:
        """What is remembered from one session to the next."""
        return {"calibration slices": str(self.slices.value())}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take over what was remembered."""
        slices = str(kept.get("calibration slices", ""))
        if slices.isdigit():
            self.slices.setValue(int(slices))

    def _on_source(self, index: int) -> None:
        if self.sources.itemText(index) == _OPEN_VOLUME:
            self.set_files(())
            return
        names, _filter = QFileDialog.getOpenFileNames(
            self, "Volumes to calibrate on", "", "Volumes (*.nii *.nii.gz *.dcm)"
        )
        self.set_files(tuple(Path(name) for name in names))
