"""All keys and what the mouse does, over the picture, until a key or a click."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QKeySequence, QMouseEvent, QShortcut
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from napari_pqcomq.translation import tr
from napari_pqcomq.widgets.napari_window.shortcuts import Shortcut

_STYLE = (
    "HelpOverlay { background: rgba(16, 19, 24, 245); border: 1px solid #56B4E9; border-radius: 6px; }"
    "HelpOverlay QLabel { color: #E6E9EE; }"
    "HelpOverlay QLabel, HelpOverlay QScrollArea { background: transparent; }"
    "HelpOverlay QScrollArea > QWidget > QWidget { background: transparent; }"
)
_COLUMNS = 2

Row = tuple[str, str]
"""Key or button, and what it does."""


class HelpOverlay(QFrame):
    """Stands over the window of a widget.

    Args:
        inside: a widget of the window.
        shortcuts: all keys.
        mouse: what buttons and wheel do.
    """

    def __init__(self, inside: QWidget, shortcuts: Sequence[Shortcut], mouse: Sequence[Row]) -> None:
        super().__init__(inside)
        self._inside = inside
        self.setStyleSheet(_STYLE)
        self.setAccessibleName(tr("Keys and mouse"))
        self.setToolTip(tr("A click or Esc closes it."))
        rows = [*((each.keys, each.meaning) for each in shortcuts), *mouse]
        self._page = QWidget()
        row = QHBoxLayout(self._page)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(18)
        half = -(-len(rows) // _COLUMNS)
        self._tables = [_table(rows[start : start + half]) for start in range(0, len(rows), half)]
        for table in self._tables:
            row.addWidget(table)
        self._scrolled = QScrollArea()
        self._scrolled.setFrameShape(QFrame.Shape.NoFrame)
        self._scrolled.setWidgetResizable(True)
        self._scrolled.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scrolled.setWidget(self._page)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 14, 18, 14)
        column.addWidget(QLabel(tr("<b>Keys and mouse</b> · ? or Esc closes")))
        column.addWidget(self._scrolled)
        self.setVisible(False)
        close = QShortcut(QKeySequence(Qt.Key.Key_Escape), self)  # of the whole window, while this is seen
        close.activated.connect(self.hide)
        close.activatedAmbiguously.connect(self.hide)  # the dock's own Esc is in force too

    def toggle(self) -> None:
        """Show it in the middle of the window, or close it."""
        if not self.isHidden():
            self.setVisible(False)
            return
        window = self._inside.window()
        if self.parentWidget() is not window:
            self.setParent(window)
        self._fit(window.size())
        self.move((window.width() - self.width()) // 2, (window.height() - self.height()) // 2)
        self.setVisible(True)
        self.raise_()
        self._scrolled.setFocus(Qt.FocusReason.OtherFocusReason)  # arrows and page keys scroll what has no room

    def _fit(self, room: QSize) -> None:
        """Be as large as all rows, or as there is room: then long ones wrap, and what is still too high scrolls."""
        whole = self.layout()
        rows = self._page.layout()
        assert whole is not None and rows is not None  # noqa: S101 (made above)
        for wraps in (False, True):
            for table in self._tables:
                table.setWordWrap(wraps)
            for layout in (rows, whole):  # a hidden widget's still stand on the old sizes
                layout.invalidate()
            frame = 2 * self._scrolled.frameWidth()
            around = whole.totalSizeHint() - self._scrolled.sizeHint() + QSize(frame, frame)
            width = min(rows.totalSizeHint().width() + around.width(), room.width())
            if rows.totalMinimumSize().width() + around.width() <= width:
                break
        height = max(rows.totalSizeHint().height(), rows.totalHeightForWidth(width - around.width()))
        self.resize(width, min(height + around.height(), room.height()))

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        """Close it."""
        self.setVisible(False)


def _table(rows: Sequence[Row]) -> QLabel:
    lines = (f"<tr><td><b>{escape(key)}</b>&nbsp;&nbsp;</td><td>{escape(what)}</td></tr>" for key, what in rows)
    label = QLabel(f"<table cellspacing='0'>{''.join(lines)}</table>")
    label.setTextFormat(Qt.TextFormat.RichText)
    label.setAlignment(Qt.AlignmentFlag.AlignTop)
    return label
