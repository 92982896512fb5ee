"""The steps of the dock: volume, model, objects; each folds when it is done, so that nothing needs scrolling."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_pqcomq.app.panels import Panels
from napari_pqcomq.translation import tr, trn
from napari_pqcomq.widgets.controls.collapsible import Collapsible
from napari_pqcomq.widgets.controls.stacked import stacked
from napari_pqcomq.widgets.dock.step import Step
from pqcomq.models.registry import MODEL_TITLES


class Steps(QWidget):
    """The three steps before the results, which have a dock of their own.

    Args:
        panels: of the dock.
        parent: Qt parent.

    Attributes:
        volume: which volume, and how it is shown.
        model: which model, how many bits; the weights.
        objects: boxes, and the ground truth.
    """

    def __init__(self, panels: Panels, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._panels = panels
        for panel in (panels.volume, panels.model, panels.prompts, panels.truth):
            panel.setTitle("")  # the step's header has it
            panel.setFlat(True)
        self.volume = Step(tr("1 Volume"), panels.volume)
        self.model = Step(tr("2 Model"), stacked(panels.model, panels.weights))
        self.truth = Collapsible(tr("Ground truth (optional)"), panels.truth)
        self.objects = Step(tr("3 Objects"), stacked(panels.prompts, self.truth))
        self._for_room: list[Step] = []  # folded while a question is asked
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for step in (self.volume, self.model, self.objects):
            column.addWidget(step)

    def make_room(self, is_asked: bool) -> None:
        """Fold model and objects while a question is asked, so that nothing needs scrolling, and open them after it."""
        if is_asked and not self._for_room:
            self._for_room = [step for step in (self.model, self.objects) if not step.is_folded]
            for step in self._for_room:
                step.fold(True)
        elif not is_asked:
            for step in self._for_room:
                step.fold(step.is_done)
            self._for_room = []

    def show_state(self, weights: Sequence[str], missing: int) -> None:
        """Say how far the user has come.

        Args:
            weights: titles of the chosen quantized models that are at hand.
            missing: how many are still to be made.
        """
        panels = self._panels
        volume, settings = panels.volume.volume, panels.model.settings
        # What is odd about a volume is not to be folded away.
        is_plain = volume is not None and all(each.severity == "harmless" for each in volume.findings)
        self.volume.show_state(volume.name if volume else tr("none open"), is_plain)
        bits = ", ".join(str(width) for width in settings.widths)
        state = (
            tr("ready")
            if not missing
            else tr("not quantized yet")
            if not weights
            else tr("{missing} still to be made", missing=missing)
        )
        self.model.show_state(
            tr("{model_title} · {bits} bits · {state}", model_title=MODEL_TITLES[settings.key], bits=bits, state=state),
            not missing,
        )
        current = panels.objects.current_prompt
        count = len(panels.objects)
        counted = trn("{count} object", "{count} objects", count)
        self.objects.show_state(f"{counted}, {current.name}" if current else tr("no box yet"), done=False)
