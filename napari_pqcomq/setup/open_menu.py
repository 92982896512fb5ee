"""Volumes to open: a file, a DICOM folder, a sample, or one of the last that were open."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from napari.components import ViewerModel
from napari.utils.notifications import show_error
from qtpy.QtWidgets import QFileDialog, QMenu, QPushButton, QWidget

from pqcomq.errors import InputError

PLUGIN = "napari-pqcomq"
MOST_RECENT = 8
_FILES = "Volumes (*.nii *.nii.gz *.nrrd *.nhdr *.mha *.mhd *.dcm *.ima *.zip DICOMDIR);;All files (*)"


class OpenMenu(QPushButton):
    """A button with the menu.

    Attributes:
        recent: files and folders, the last one first; those that are gone are not offered.
    """

    def __init__(self, viewer: ViewerModel, parent: QWidget | None = None) -> None:
        super().__init__("Open…", parent)
        self._viewer = viewer
        self.recent: list[Path] = []
        self.entries = QMenu(self)
        self.entries.aboutToShow.connect(self._fill)
        self.setMenu(self.entries)
        self.setToolTip("A NIfTI, NRRD, MetaImage or DICOM file, a DICOM folder, a sample, or what was open lately.")
        self._fill()

    def note(self, paths: Iterable[Path]) -> None:
        """Remember what is or was open, the last one first."""
        noted = [*dict.fromkeys([*paths, *self.recent])]
        self.recent = noted[:MOST_RECENT]

    def open(self, path: Path) -> None:
        """Open a file or folder as napari does, and say in a sentence what is wrong with it."""
        try:
            self._viewer.open(str(path), plugin=PLUGIN)
        except InputError as error:
            show_error(str(error))

    def _fill(self) -> None:
        self.entries.clear()
        self.entries.addAction("File…", self._ask_file)
        self.entries.addAction("DICOM folder…", self._ask_folder)
        self.entries.addAction("Sample: synthetic abdominal CT", self._open_sample)
        there = [path for path in self.recent if path.exists()]
        if there:
            self.entries.addSection("Lately open")
        for path in there:
            action = self.entries.addAction(path.name, self._opener(path))
            action.setToolTip(str(path))

    def _opener(self, path: Path) -> Callable[[], None]:
        return lambda: self.open(path)

    def _ask_file(self) -> None:
        path, _filter = QFileDialog.getOpenFileName(self, "Volume", "", _FILES)
        if path:
            self.open(Path(path))

    def _ask_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, "DICOM folder")
        if path:
            self.open(Path(path))

    def _open_sample(self) -> None:
        self._viewer.open_sample(PLUGIN, "synthetic_ct")
