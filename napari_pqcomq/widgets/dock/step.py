"""A step of the work: a header that folds what stands below it, and says in a few words what was chosen there."""

from __future__ import annotations

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QPainter, QPaintEvent
from qtpy.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from napari_pqcomq.translation import tr


class ElidedLabel(QLabel):
    """One line that never asks for room; what does not fit is shortened, and the tooltip tells all of it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def setText(self, text: str) -> None:  # noqa: N802 (Qt's name)
        """Show another text."""
        super().setText(text)
        self.setToolTip(text)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        """As high as a line."""
        return QSize(0, self.fontMetrics().height())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        """Draw as much as fits."""
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)


class Step(QWidget):
    """Folds by itself when it is done, unless the user has opened it; opens again when it is no longer done.

    Args:
        title: of the step.
        content: what is folded.
        parent: Qt parent.

    Attributes:
        toggled: emitted with True when it is opened, with False when it is folded.
    """

    toggled = Signal(bool)

    def __init__(self, title: str, content: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title, self.content = title, content
        self.button, self.summary = QToolButton(), ElidedLabel()
        self.button.setText(title)
        self.button.setToolTip(tr("Show or hide: {title}.", title=title))
        self.button.setCheckable(True)
        self.button.setChecked(True)
        self.button.setAutoRaise(True)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        font = self.button.font()
        font.setBold(True)
        self.button.setFont(font)
        self._is_done = False
        header = QHBoxLayout()
        header.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        header.addWidget(self.summary, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(header)
        column.addWidget(content)
        self.button.toggled.connect(self._on_toggled)
        self._on_toggled(True)

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to be chosen."""
        return self._is_done

    @property
    def is_folded(self) -> bool:
        """Whether only the header is seen."""
        return not self.button.isChecked()

    def fold(self, folded: bool) -> None:
        """Fold or open it."""
        self.button.setChecked(not folded)

    def show_state(self, summary: str, done: bool) -> None:
        """Say how it stands.

        Args:
            summary: what was chosen, seen while it is folded.
            done: nothing is left to be chosen; a change folds or opens the step.
        """
        self.summary.setText(summary)
        if done != self._is_done:
            self._is_done = done
            self.fold(done)

    def _on_toggled(self, opened: bool) -> None:
        self.button.setArrowType(Qt.ArrowType.DownArrow if opened else Qt.ArrowType.RightArrow)
        self.content.setVisible(opened)
        self.summary.setVisible(not opened)
        self.toggled.emit(opened)
