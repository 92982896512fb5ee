"""The wheel scrolls the dock: a control that it passes over changes only when the user has clicked into it before."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QAbstractSlider, QAbstractSpinBox, QComboBox, QScrollBar, QTabBar, QWidget

_GUARDED = (QComboBox, QAbstractSpinBox, QTabBar, QAbstractSlider)


class WheelGuard(QObject):
    """Keeps the wheel from changing controls without the focus.

    Args:
        root: the widget whose controls are guarded, those that it has now.
    """

    def __init__(self, root: QWidget) -> None:
        super().__init__(root)
        self.guarded = [
            each
            for each in root.findChildren(QWidget)
            if isinstance(each, _GUARDED) and not isinstance(each, QScrollBar)
        ]
        for each in self.guarded:
            if each.focusPolicy() == Qt.FocusPolicy.WheelFocus:
                each.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # or the wheel itself would give it the focus
            each.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 (Qt's name)
        """Leave the wheel to what scrolls, unless the control has the focus."""
        if event.type() == QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return bool(super().eventFilter(watched, event))
