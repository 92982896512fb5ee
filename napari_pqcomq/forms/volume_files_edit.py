"""Volumes that slices are taken from: the open one, or files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from magicgui.widgets import ComboBox
from qtpy.QtWidgets import QComboBox, QFileDialog

from napari_pqcomq.forms.value_types import OPEN_VOLUME, VolumeFiles
from napari_pqcomq.translation import tr

_OPEN_TITLE, _FILES = tr("The open volume"), tr("Other volume files…")
VOLUME_FILES = tr("Volumes (*.nii *.nii.gz *.nrrd *.nhdr *.mha *.mhd *.dcm *.ima *.zip DICOMDIR);;All files (*)")
"""What a dialog that asks for volumes offers."""


class VolumeFilesEdit(ComboBox):
    """The open volume, or files that a dialog asks for; once chosen, they stand in the list by their names."""

    native: QComboBox

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 (magicgui's)
        self._chosen = self._last = OPEN_VOLUME
        super().__init__(choices=self._offered, **options)
        self.native.activated.connect(self._on_activated)

    def get_value(self) -> VolumeFiles:
        """The files; while the dialog is open, those from before."""
        chosen = super().get_value()
        return self._last if chosen is None else VolumeFiles(chosen)

    @property
    def value(self) -> VolumeFiles:
        """The files; none for the open volume."""
        return self.get_value()

    @value.setter
    def value(self, files: VolumeFiles) -> None:
        if files:
            self._chosen = files
            self.reset_choices()
        self._last = files
        ComboBox.value.fset(self, files)  # type: ignore[attr-defined]  # a property, for mypy its getter

    def _offered(self, _widget: object) -> list[tuple[str, VolumeFiles | None]]:
        """None stands for the dialog."""
        named = [(", ".join(file.name for file in self._chosen), self._chosen)] if self._chosen else []
        return [(_OPEN_TITLE, OPEN_VOLUME), *named, (_FILES, None)]

    def _on_activated(self, _index: int) -> None:
        """The user has chosen: the entry for other files opens a dialog, which changes nothing when it is cancelled."""
        if self.native.currentData() is not None:
            self._last = self.value
            return
        names, _filter = QFileDialog.getOpenFileNames(self.native, tr("Volumes to calibrate on"), "", VOLUME_FILES)
        self.value = VolumeFiles(tuple(Path(name) for name in names)) or self._last
