"""Volumes to open: a file, a DICOM folder, a sample, or one of the last that were open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from napari.components import ViewerModel
from napari.layers import Layer
from napari.utils.notifications import show_error
from qtpy.QtWidgets import QFileDialog, QMenu, QPushButton, QWidget

from napari_pqcomq.forms.volume_files_edit import VOLUME_FILES
from napari_pqcomq.jobs.models.model_fetch_jobs import Transfer, fetch_real_ct
from napari_pqcomq.jobs.running.one_off import one_off
from napari_pqcomq.setup.told_bytes import telling_transfer
from napari_pqcomq.translation import tr
from pqcomq.errors import InputError
from pqcomq.volumes.path_checks import is_there

PLUGIN = "napari-pqcomq"
MOST_RECENT = 8
MEGABYTE = 10**6
_NO_LAYERS = "did not return any valid layer data"
"""What napari says of a sample that Cancel has left without layers; to it that is a broken one."""
_TITLE = tr("Open…")
_SAMPLES = {tr("Sample: synthetic abdominal CT"): "synthetic_ct", tr("Sample: abdominal MR slice"): "mr_slice"}
_REAL_CT = tr("Sample: real abdominal CT (290 MB, downloaded once)")


class OpenMenu(QPushButton):
    """A button with the menu.

    Attributes:
        recent: files and folders, the last one first; those that are gone are not offered.
    """

    def __init__(self, viewer: ViewerModel, parent: QWidget | None = None) -> None:
        super().__init__(_TITLE, parent)
        self._viewer = viewer
        self._worker: Any = None
        self.recent: list[Path] = []
        self.entries = QMenu(self)
        self.entries.setToolTipsVisible(True)  # where what was open lately lies
        self.entries.aboutToShow.connect(self._fill)
        self.setMenu(self.entries)
        self.setToolTip(
            tr("A NIfTI, NRRD, MetaImage or DICOM file, a DICOM folder, a sample, or what was open lately.")
        )
        self._fill()

    @property
    def is_downloading(self) -> bool:
        """Whether a sample is on its way."""
        return self._worker is not None

    def note(self, paths: Iterable[Path]) -> None:
        """Remember what is or was open, the last one first."""
        noted = [*dict.fromkeys([*paths, *self.recent])]
        self.recent = noted[:MOST_RECENT]

    def open(self, path: Path) -> None:
        """Open a file or folder as napari does, and say in a sentence what is wrong with it."""
        self._tell_failure(lambda: self._viewer.open(str(path), plugin=PLUGIN))

    def _fill(self) -> None:
        self.entries.clear()
        self.entries.addAction(tr("File…"), self._ask_file)
        self.entries.addAction(tr("DICOM folder…"), self._ask_folder)
        for title, sample in _SAMPLES.items():
            self.entries.addAction(title, self._sample_opener(sample))
        download = self.entries.addAction(_REAL_CT, self._download)
        download.setEnabled(not self.is_downloading)
        there = [path for path in self.recent if is_there(path)]
        if there:
            self.entries.addSection(tr("Lately open"))
        alike = Counter(path.name for path in there)
        for path in there:
            # Cases of one data set are often called alike, image.nii.gz in a folder of the case's name.
            name = path.name if alike[path.name] == 1 else str(Path(path.parent.name, path.name))
            action = self.entries.addAction(name.replace("&", "&&"), self._opener(path))
            action.setToolTip(str(path))

    def _opener(self, path: Path) -> Callable[[], None]:
        return lambda: self.open(path)

    def _ask_file(self) -> None:
        # In the window's name: the page with this button goes when the dock's parts are there, a question with it.
        path, _filter = QFileDialog.getOpenFileName(self.window(), tr("Volume"), "", VOLUME_FILES)
        if path:
            self.open(Path(path))

    def _ask_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self.window(), tr("DICOM folder"))
        if path:
            self.open(Path(path))

    def open_sample(self, sample: str = "synthetic_ct") -> None:
        """Open a sample that needs no download, by its key in the manifest."""

        def opening() -> None:
            try:
                self._viewer.open_sample(PLUGIN, sample)
            except ValueError as error:
                if _NO_LAYERS not in str(error):
                    raise

        self._tell_failure(opening)

    def _sample_opener(self, sample: str) -> Callable[[], None]:
        return lambda: self.open_sample(sample)

    def _tell_failure(self, opening: Callable[[], object]) -> None:
        try:
            opening()
        except InputError as error:
            show_error(str(error))

    def _download(self) -> None:
        """Fetch the real CT in the background; what is there from before is only read."""
        transfer = telling_transfer(self._show_bytes)
        self._worker = worker = one_off(_fetched_layer, transfer)
        transfer.is_abandoned = lambda: worker.abort_requested  # napari asks it as it quits, and waits
        self._worker.returned.connect(partial(_take_download, self._viewer))  # also where the dock is closed by then
        self._worker.finished.connect(self._end_download)
        self.setText(tr("Opening the real CT…"))
        self._worker.start()

    def _show_bytes(self, done: float, total: float) -> None:
        self.setText(tr("{told:.0f} of {total:.0f} MB", told=done / MEGABYTE, total=total / MEGABYTE))

    def _end_download(self) -> None:
        self._worker = None
        self.setText(_TITLE)


def _take_download(viewer: ViewerModel, fetched: tuple[Any, ...] | str) -> None:
    if not isinstance(fetched, str):
        viewer.add_layer(Layer.create(*fetched))
    elif fetched:
        show_error(fetched)


def _fetched_layer(transfer: Transfer) -> tuple[Any, ...] | str:
    """The real CT as a layer tuple, whose voxels are looked through for it; a sentence where it could not be had."""
    fetched = fetch_real_ct(transfer)
    if isinstance(fetched, str):
        return fetched
    # Here and not above: the dock is to be there before such packages are imported.
    from napari_pqcomq.layers.volume_layers import image_tuple

    return image_tuple(fetched)
