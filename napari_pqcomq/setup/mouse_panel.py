"""What the mouse does on the picture: as in a radiologist's workstation, or as napari has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QLabel, QVBoxLayout, QWidget

from napari_pqcomq.translation import tr

MOUSE = (
    (tr("Wheel"), tr("slices")),
    (tr("Ctrl + wheel"), tr("zoom")),
    (tr("Right button"), tr("window: wider to the right, brighter upwards")),
    (tr("Middle button"), tr("pan")),
    (tr("Left button"), tr("boxes, curtain, pan")),
)
"""What each does, with the switch on."""
_MEANINGS = " · ".join(f"{button}: {what}" for button, what in MOUSE)


class MousePanel(QWidget):
    """One switch, on by default.

    Attributes:
        changed: emitted with the switch's new state.
    """

    changed = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.switch = QCheckBox(tr("Mouse as in a PACS"))
        self.switch.setChecked(True)
        self.switch.setToolTip(
            tr("{meanings}. Off: napari's own mouse, which zooms with the wheel.", meanings=_MEANINGS)
        )
        self.meanings = QLabel(_MEANINGS)
        self.meanings.setWordWrap(True)
        self.meanings.setEnabled(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.switch)
        column.addWidget(self.meanings)
        self.switch.toggled.connect(self.changed)
        self.switch.toggled.connect(self.meanings.setVisible)

    def preferences(self) -> dict[str, str]:
        """What is remembered from one session to the next."""
        return {"pacs mouse": "on" if self.switch.isChecked() else "off"}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take over what was remembered."""
        self.switch.setChecked(kept.get("pacs mouse", "on") != "off")
