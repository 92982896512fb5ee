"""The list of what a scan found: patients, their studies, series, parts of series, and masks on them."""

from __future__ import annotations

from dataclasses import dataclass

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from napari_pqcomq.translation import tr
from pqcomq.volumes.dicom.annotations import Annotation
from pqcomq.volumes.dicom.series_summary import SeriesInfo

_COLUMNS = (tr("Series"), tr("Modality"), tr("Slices"), tr("Size"), tr("Spacing (mm)"), tr("Plane"), tr("Remark"))
_WIDEST = 300
"""Pixels: the remark at the end of the row must stay in sight."""
_ROLE = Qt.ItemDataRole.UserRole


@dataclass(frozen=True, eq=False)
class Wanted:
    """A volume, or a mask on one, that the user chose.

    Attributes:
        series: UID of the image series.
        part: which volume of the series, counted from 1; None where there is only one.
        annotation: the mask to be opened on it, if it is one.
    """

    series: str
    part: int | None = None
    annotation: Annotation | None = None


class SeriesTree(QTreeWidget):
    """Rows to choose from, several at once; none is chosen beforehand.

    Attributes:
        chosen_changed: emitted when other rows are chosen.
    """

    chosen_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setColumnCount(len(_COLUMNS))
        self.setHeaderLabels(list(_COLUMNS))
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setUniformRowHeights(True)
        self.itemSelectionChanged.connect(self.chosen_changed.emit)

    @property
    def chosen(self) -> list[Wanted]:
        """What the chosen rows stand for, from top to bottom."""
        return [wanted for item in self._items() if item.isSelected() and (wanted := item.data(0, _ROLE)) is not None]

    def show_series(self, infos: list[SeriesInfo]) -> None:
        """Fill the list; patients are named, since the user must distinguish them on this screen."""
        self.clear()
        patients: dict[tuple[str, ...], QTreeWidgetItem] = {}
        studies: dict[tuple[str, ...], QTreeWidgetItem] = {}
        for info in infos:
            study = info.study
            if study.patient not in patients:
                name = " ".join(study.patient_name.replace("^", " ").split()) or tr("Patient")
                title = f"{name} ({study.patient_id})" if study.patient_id else name
                patients[study.patient] = _heading(self.invisibleRootItem(), title)
            if (*study.patient, study.uid) not in studies:
                title = ", ".join(filter(None, (_date(study.date), study.description))) or tr("Study")
                studies[(*study.patient, study.uid)] = _heading(patients[study.patient], title)
            _add_series(studies[(*study.patient, study.uid)], info)
        self.expandAll()
        header = self.header()
        header.setStretchLastSection(True)
        for column in range(len(_COLUMNS) - 1):
            self.resizeColumnToContents(column)
            self.setColumnWidth(column, min(self.columnWidth(column), _WIDEST))
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Interactive)

    def _items(self) -> list[QTreeWidgetItem]:
        found: list[QTreeWidgetItem] = []
        waiting = [self.topLevelItem(i) for i in reversed(range(self.topLevelItemCount()))]
        while waiting:
            item = waiting.pop()
            if item is not None:  # none of them is; Qt's signature cannot say so
                found.append(item)
                waiting += [item.child(i) for i in reversed(range(item.childCount()))]
        return found


def _heading(parent: QTreeWidgetItem, title: str) -> QTreeWidgetItem:
    item = QTreeWidgetItem(parent, [title])
    item.setFlags(Qt.ItemFlag.ItemIsEnabled)
    item.setFirstColumnSpanned(True)
    return item


def _add_series(parent: QTreeWidgetItem, info: SeriesInfo) -> None:
    columns, rows = info.size_xy
    steps = [*(info.spacing_xy or ()), *([] if info.spacing_z is None else [info.spacing_z])]
    spacing = " × ".join(f"{step:.3g}" for step in steps)
    size = f"{columns} × {rows}"
    item = QTreeWidgetItem(
        parent, [info.name, info.modality, str(info.slices), size, spacing, info.plane, info.problem]
    )
    item.setToolTip(len(_COLUMNS) - 1, info.problem)
    if len(info.parts) == 1:
        item.setData(0, _ROLE, Wanted(info.uid))
    else:  # its parts are chosen instead
        item.setFlags(Qt.ItemFlag.ItemIsEnabled)
        for number, part in enumerate(info.parts, start=1):
            child = QTreeWidgetItem(
                item,
                [tr("Part {number}: {label}", number=number, label=part.label), info.modality, str(len(part.planes))],
            )
            child.setData(0, _ROLE, Wanted(info.uid, number))
    for annotation in info.annotations:
        names = ", ".join(annotation.names)
        child = QTreeWidgetItem(item, [tr("Mask: {names}", names=names or annotation.file.name), annotation.kind])
        child.setToolTip(0, f"{annotation.file.name}: {names}")
        child.setData(0, _ROLE, Wanted(info.uid, None if len(info.parts) == 1 else 1, annotation))


def _date(text: str) -> str:
    """``"20210317"`` as ``"2021-03-17"``; anything else as it is."""
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if len(text) == 8 and text.isdigit() else text
