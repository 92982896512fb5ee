"""The steps of the dock: volume, model, objects; each folds when it is done, so that nothing needs scrolling."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication, QGroupBox, QVBoxLayout, QWidget

from napari_pqcomq.app.panels.panels import Panels
from napari_pqcomq.layers.volume_layers import shown_name
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
            _take_little_room(panel)
        self.volume = Step(tr("1 Volume"), panels.volume)
        self.model = Step(tr("2 Model"), stacked(panels.model, panels.weights))
        self.truth = Collapsible(tr("Ground truth (optional)"), panels.truth)
        self.objects = Step(tr("3 Objects"), stacked(panels.prompts, self.truth))
        self._for_room: list[Step] = []  # folded while a question is asked
        self._for_work: list[tuple[Step, bool]] = []  # folded while work goes on or a view is open; whether it was done
        self._opened_again: list[Step] = []  # after that, until the user is at another
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.timeout.connect(self._fold_one)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for step in (self.volume, self.model, self.objects):
            column.addWidget(step)
        for signal in (panels.jobs.running, panels.view.closed):
            signal.connect(lambda *_: QTimer.singleShot(0, self, self._open_again))  # what follows has begun by then

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

    def scrolls(self, by: int) -> None:
        """The steps are higher than their place: fold those that are not in hand, until nothing needs scrolling.

        Args:
            by: pixels that are out of sight.
        """
        if by > 0:
            self._pause.start()  # not while the dock is being laid out
        else:
            self._pause.stop()

    def _fold_one(self) -> None:
        """Fold the first step that can be; if that is not enough, this is called again."""
        steps = self.volume, self.model, self.objects
        in_hand = [step for step in steps if _is_in_hand(step)]
        if in_hand:
            self._opened_again = []
        else:  # where the user goes on
            has_begun = self.volume.is_done or self._panels.prompts.has_objects
            in_hand = [*self._opened_again, self.objects if has_begun else self.volume]
        # What is odd about a volume is folded away last.
        order = [step for step in steps if step.is_done or step is not self.volume]
        for step in [*order, self.volume]:
            if step not in in_hand and not step.is_folded:
                if self._is_working:
                    self._for_work.append((step, step.is_done))
                step.fold(True)
                return

    @property
    def _is_working(self) -> bool:
        """Whether a job's bar or an open view takes room that the steps have without."""
        panels = self._panels
        return panels.jobs.is_running or panels.view.is_opening or panels.view.is_open

    def _open_again(self) -> None:
        """Open what was folded for a job or a view that has ended, but for what has been done by it."""
        if self._is_working or not self._for_work:
            return
        folded, self._for_work = self._for_work, []
        self._opened_again = [step for step, was_done in folded if was_done or not step.is_done]
        for step in self._opened_again:
            step.fold(False)

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
        name = shown_name(panels.viewer.layers, volume) if volume else tr("none open")
        self.volume.show_state(name, is_plain)
        bits = ", ".join(str(width) for width in settings.widths)
        state = (
            tr("ready")
            if not missing
            else tr("not quantized yet")
            if not weights
            else tr("{missing} to be made", missing=missing)
        )
        self.model.show_state(
            tr("{model_title} · {bits} bits · {state}", model_title=MODEL_TITLES[settings.key], bits=bits, state=state),
            not missing,
        )
        current = panels.objects.current_prompt
        count = len(panels.objects)
        counted = trn("{count} object", "{count} objects", count)
        self.objects.show_state(f"{counted}, {current.name}" if current else tr("no box yet"), done=False)


def _is_in_hand(step: Step) -> bool:
    """Whether the mouse or the keyboard is in a step."""
    focus = QApplication.focusWidget()
    return step.underMouse() or (focus is not None and step.isAncestorOf(focus))


def _take_little_room(panel: QGroupBox) -> None:
    """Leave no room for a title, and little round what the panel holds."""
    panel.setStyleSheet("QGroupBox { margin-top: 0px; padding-top: 0px; }")
    layout = panel.layout()
    assert layout is not None  # noqa: S101 (made by the panel)
    layout.setContentsMargins(9, 4, 9, 4)
    layout.setSpacing(4)
