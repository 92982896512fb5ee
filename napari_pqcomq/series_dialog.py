"""The question which DICOM series of a folder to open."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtWidgets import QAbstractItemView, QDialog, QDialogButtonBox, QLabel, QListWidget, QVBoxLayout

from pqcomq.volumes.dicom.listing import SeriesInfo


class SeriesDialog(QDialog):
    """A list of series, none chosen beforehand: the user decides."""

    def __init__(self, folder: Path, series: list[SeriesInfo]) -> None:
        super().__init__()
        self.setWindowTitle("Which series?")
        self.setMinimumWidth(520)
        self._series = series
        self._list = QListWidget()
        self._list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self._list.addItems([_described(one) for one in series])
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel)
        self._open = self._buttons.button(QDialogButtonBox.StandardButton.Open)
        self._open.setEnabled(False)
        layout = QVBoxLayout(self)
        layout.addWidget(QLabel(f"{folder.name} holds {len(series)} series. Open which one?"))
        layout.addWidget(self._list)
        layout.addWidget(self._buttons)
        # The selection, not the current row: Qt makes the first row current as soon as the list has the focus.
        self._list.itemSelectionChanged.connect(lambda: self._open.setEnabled(self.chosen is not None))
        self._list.itemDoubleClicked.connect(lambda _item: self.accept())
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)

    @property
    def chosen(self) -> str | None:
        """UID of the selected series."""
        rows = [index.row() for index in self._list.selectedIndexes()]
        return self._series[rows[0]].uid if rows else None


def choose_series(folder: Path, series: list[SeriesInfo]) -> str | None:
    """Ask the user for one of the series; None when the dialog is cancelled."""
    dialog = SeriesDialog(folder, series)
    accepted = dialog.exec()
    chosen = dialog.chosen if accepted else None
    dialog.deleteLater()
    return chosen


def _described(series: SeriesInfo) -> str:
    """One line, without patient data."""
    columns, rows = series.size_xy
    spacing = "" if series.spacing_xy is None else f", {series.spacing_xy[0]:g} × {series.spacing_xy[1]:g} mm"
    planes = "1 slice" if series.slices == 1 else f"{series.slices} slices"
    return f"{series.name}: {series.modality}, {planes} of {columns} × {rows} pixels{spacing}"
