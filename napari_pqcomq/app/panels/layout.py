"""Where the dock's parts stand: the settings scroll, what to press stays in sight."""

from __future__ import annotations

from collections.abc import Generator

from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import QComboBox, QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from napari_pqcomq.app.panels.panels import Panels
from napari_pqcomq.app.panels.steps import Steps
from napari_pqcomq.translation import tr
from napari_pqcomq.widgets.controls.collapsible import Collapsible
from napari_pqcomq.widgets.controls.combo_boxes import keep_narrow
from napari_pqcomq.widgets.controls.stacked import stacked
from napari_pqcomq.widgets.controls.wheel_guard import WheelGuard
from napari_pqcomq.widgets.napari_window.message_log import make_copyable

_MARGIN = 6
_READABLE_WIDTH = 360


class _Column(QScrollArea):
    """Scrolls up and down only, so it is never narrower than its content."""

    def __init__(self, content: QWidget) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(content)
        self._content = content

    def minimumSizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        """Wide enough for the content and the scroll bar beside it."""
        bar = self.verticalScrollBar().sizeHint().width() + _MARGIN
        width = self._content.minimumSizeHint().width() + bar
        return QSize(max(width, _READABLE_WIDTH), super().minimumSizeHint().height())


def lay_out(panels: Panels, steps: Steps, keys: QWidget, dock: QWidget) -> Generator[None, None, None]:
    """Arrange the panels in the dock, one above the other, in steps.

    In a window Qt styles a part when it is added, which takes its time: they are added one by one.

    Args:
        panels: the dock's.
        steps: the settings.
        keys: the list of keys.
        dock: a widget without a layout.
    """
    for part in (steps, panels.cascade, panels.results):
        for box in part.findChildren(QComboBox):
            keep_narrow(box)
    yield
    whole = QVBoxLayout(dock)
    whole.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
    settings = QWidget()
    column = QVBoxLayout(settings)
    column.setContentsMargins(0, 0, _MARGIN, 0)
    column.setSpacing(2)
    shown = _Column(settings)
    shown.verticalScrollBar().rangeChanged.connect(lambda _least, most: steps.scrolls(most))
    whole.addWidget(shown, 1)
    column.addWidget(steps)
    yield
    column.addWidget(Collapsible(tr("Cascade: small model first, full precision in doubt"), panels.cascade))
    more = (
        Collapsible(tr("Session and report"), panels.session),
        Collapsible(tr("Unfinished work"), panels.autosave),
        Collapsible(tr("Keys and mouse"), stacked(panels.mouse_panel, keys)),
        Collapsible(tr("Messages"), panels.messages),
    )
    column.addWidget(Collapsible(tr("Session, keys, messages"), stacked(*more)))
    column.addStretch(1)
    yield
    planes = Collapsible(tr("Other planes"), panels.insets)
    planes.button.setChecked(True)
    planes.setVisible(panels.volume.volume is not None)  # without a volume there are none, and steps need the room
    panels.volume.changed.connect(lambda: planes.setVisible(panels.volume.volume is not None))
    for below in (planes, panels.view_bar, panels.question, panels.jobs, panels.actions):
        whole.addWidget(below)
    yield
    for label in dock.findChildren(QLabel):
        if label.wordWrap():
            label.setMinimumWidth(1)  # a file's name is one word: it would widen the dock for good
    for each in (dock, panels.results_dock):
        make_copyable(each)
    WheelGuard(dock)  # the results are still inside of it, and stay guarded where they go
