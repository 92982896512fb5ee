"""Which slices the quantizer may look at."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFormLayout, QWidget

from napari_pqcomq.forms.dataclass_form import DataclassForm, Row
from napari_pqcomq.forms.value_types import VolumeFiles
from napari_pqcomq.jobs.models.choices import CalibrationChoice
from napari_pqcomq.translation import tr

_ROWS = {
    "files": Row(
        tr("Calibrate on"), tr("Calibrate on other volumes to compare on data that the quantizer has not seen.")
    ),
    "slices": Row(tr("Slices"), tr("How many slices the quantizer looks at, in all."), options={"min": 1, "max": 64}),
}


class CalibrationPanel(QWidget):
    """Number and origin of the calibration slices.

    Attributes:
        changed: emitted when either changes.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.form = DataclassForm(CalibrationChoice(), _ROWS, self)
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        self.form.add_rows(form)
        self.form.changed.connect(self.changed)

    @property
    def choice(self) -> CalibrationChoice:
        """What is chosen now."""
        return self.form.value

    def choose_slices(self, count: int) -> None:
        """Calibrate on a number of slices."""
        self.form.update(slices=count)

    def set_files(self, files: tuple[Path, ...]) -> None:
        """Calibrate on these volumes, or on the open one when there are none."""
        self.form.update(files=VolumeFiles(files))

    def preferences(self) -> dict[str, str]:
        """What is remembered from one session to the next."""
        return {"calibration slices": str(self.choice.slices)}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take over what was remembered."""
        slices = str(kept.get("calibration slices", ""))
        if slices.isdigit():
            self.form.update(slices=int(slices))
