"""A tour of five steps on the sample, offered to those who open the dock for the first time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from qtpy.QtCore import QObject

from napari_pqcomq.app.panels.panels import Panels
from napari_pqcomq.app.panels.steps import Steps
from napari_pqcomq.translation import tr

_OFFER = tr("New here? Five short steps on a sample show what this window does.")
_TEXTS = (
    tr(
        "This CT is made by code: its organs' outlines are known. A volume of your own comes from “Open…”, or is "
        "dropped on the picture. Turn the wheel for slices; R, L, A and P are the patient's directions."
    ),
    tr(
        "Choose how many bits the model is quantized to. It is calibrated on slices of the open volume, on this "
        "computer."
    ),
    tr(
        "A box round an organ prompts the models: “Draw a box” (B), then drag. The sample's boxes are there, and the "
        "ticked ones are compared."
    ),
    tr(
        "“Compare” quantizes where that is still to be done and runs both models through all slices. Rims show where "
        "they differ; the strip above the slider shows on which slices (W goes to the worst)."
    ),
    tr(
        "The results then stand below the pictures: figures, export, plots, the gate's verdict, brush and eraser, and "
        "a blinded reading. ? shows all keys."
    ),
)


class Tour(QObject):
    """Asks once, and goes from step to step as the user presses *Next*; nothing is pressed for them but *Open…*.

    Args:
        panels: of the dock.
        steps: of the dock, opened as they are spoken of.
        open_sample: opens the synthetic CT.
        parent: Qt parent.
    """

    def __init__(
        self, panels: Panels, steps: Steps, open_sample: Callable[[], None], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._panels, self._steps, self._open_sample = panels, steps, open_sample
        self._is_seen = self._is_offered = False
        panels.volume.changed.connect(self._withdraw)

    def offer(self) -> None:
        """Ask, unless the tour was offered before or a volume is open already."""
        if self._is_seen or self._panels.volume.volume is not None:
            return
        self._is_offered = True
        self._panels.question.ask(
            self,
            _OFFER,
            (
                (tr("Show me"), tr("Opens the synthetic CT; you can end the tour at any step."), self.start),
                (
                    tr("No, thanks"),
                    tr("Not offered again; “Keys and mouse” and the documentation tell the rest."),
                    self._end,
                ),
            ),
        )

    def start(self) -> None:
        """Begin with the first step."""
        self._is_offered, self._is_seen = False, True
        self._open_sample()
        self._show(0)

    def preferences(self) -> dict[str, str]:
        """What is remembered from one session to the next."""
        return {"tour": "seen"} if self._is_seen else {}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take over what was remembered."""
        self._is_seen = kept.get("tour") == "seen"

    def _show(self, index: int) -> None:
        is_last = index == len(_TEXTS) - 1
        go_on = self._end if is_last else lambda: self._show(index + 1)
        answers = [
            (
                tr("Done") if is_last else tr("Next"),
                tr("The tour goes on.") if not is_last else tr("The tour ends."),
                go_on,
            )
        ]
        if not is_last:
            answers.append((tr("End"), tr("Leave the tour; the sample stays open."), self._end))
        self._panels.question.ask(
            self, tr("{step} of {steps} · {text}", step=index + 1, steps=len(_TEXTS), text=_TEXTS[index]), answers
        )
        opened = (self._steps.volume, self._steps.model, self._steps.objects)
        if index < len(opened):  # after the question, which folds the others
            opened[index].fold(False)

    def _end(self) -> None:
        self._is_seen, self._is_offered = True, False

    def _withdraw(self) -> None:
        """Who opens a volume knows how; the tour is offered another time."""
        if self._is_offered and self._panels.volume.volume is not None:
            self._is_offered = False
            self._panels.question.withdraw(self)
