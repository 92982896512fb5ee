"""What a user has done in the background or with its outcome: compare, live, cancel, sessions, masks, corrections."""

from __future__ import annotations

import time

from kinds import action
from prompt_actions import anywhere

from pqcomq.errors import InputError
from pqcomq.masks.file_formats import MaskKind

SHOW_ME = "Show me"
"""The tour's answer that opens the sample, a large one: everything would take longer from then on."""
LONGEST_CANCEL = 240
"""Seconds until a cancelled job has ended: a step of it, on a machine that has much else to do."""


@action(3)
def compare(window, random):
    return _meanwhile(window, random) if window.press(window.panels.actions.compare_button) else False


@action(2)
def live(window, random):
    return _meanwhile(window, random) if window.press(window.panels.actions.live_button) else False


@action(2)
def compare_to_the_end(window, random):
    """So that there is a result to play with."""
    panels = window.panels
    if not panels.actions.compare_button.isEnabled():
        return False
    window.press(panels.actions.compare_button)
    window.wait_for_jobs()
    return None


def _meanwhile(window, random):
    """Wait a random moment, or until it is done, or cancel at once or later."""
    what = random.choice(["go on", "a moment", "cancel", "cancel later"])
    if window.is_calm:
        window.wait_for_jobs()
        return "to the end"
    if what in ("a moment", "cancel later"):
        window.wait(random.uniform(0, 0.6))
    if what.startswith("cancel"):
        cancel(window, random)
    return what


@action(1)
def cancel(window, random):
    """What runs ends soon after it."""
    jobs, panels = window.panels.jobs, window.panels
    if not jobs.is_running or not window.press(jobs.cancel_button):
        return False
    shown, began = panels.store.result, time.monotonic()
    window.wait_until(lambda: not jobs.is_running, "the end of a cancelled job", LONGEST_CANCEL)
    window.longest_cancel = max(window.longest_cancel, time.monotonic() - began)
    assert jobs.was_cancelled and panels.store.result is shown, "a cancelled job has an outcome all the same"
    return f"{time.monotonic() - began:.1f} s"


@action(1)
def wait_for_the_end(window, random):
    if not window.panels.jobs.is_running and not window.panels.view.is_opening:
        return False
    window.wait_for_jobs()
    return None


@action(2)
def wait_a_moment(window, random):
    window.wait(random.uniform(0.05, 0.8))


@action(0.7)
def quantize(window, random):
    return _meanwhile(window, random) if window.press(window.panels.weights.quantize_button) else False


@action(1)
def choose_bits(window, random):
    model = window.panels.model
    model.choose_bits(*random.choice([(8,), (8,), (4,), (8, 4, 2)]))
    model.choose_method("rtn")


@action(2)
def close_comparison(window, random):
    return None if window.press(window.panels.actions.close_button) else False


@action(2)
def show_the_last_comparison(window, random):
    return _meanwhile(window, random) if window.press(window.panels.actions.kept_button) else False


@action(1)
def answer_the_question(window, random):
    buttons = window.panels.question.buttons
    if not buttons:
        return False
    button = buttons[-1] if buttons[0].text() == SHOW_ME else random.choice(buttons)
    text = button.text()
    window.press(button)
    return text


@action(1.5)
def correct(window, random):
    """A stroke of brush or eraser, and perhaps back again."""
    panels = window.panels
    if not panels.view.is_open:
        return False
    window.key(random.choice(["A", "R"]))
    for _ in range(random.randint(1, 3)):
        window.drag(anywhere(window, random), anywhere(window, random))
    for keys in random.choice([(), ("Ctrl+Z",), ("Ctrl+Z", "Ctrl+Shift+Z")]):
        window.key(keys)
    window.note_own()  # where no comparison can be corrected, strokes on the user's labels are taken back
    if random.random() < 0.7:
        window.key("Esc")
    return None


@action(1)
def keep_masks(window, random):
    if not window.panels.view.is_open:
        return False
    window.key("Ctrl+K")
    if random.random() < 0.5:
        keeping = window.parts.on_screen.keeping
        window.wait_until(lambda: not keeping.is_running, "the kept masks")
    return None


@action(0.7)
def export(window, random):
    form = window.panels.export.form
    kind = random.choice([each for each in MaskKind if not each.is_dicom])
    try:
        form.export(window.folder / f"mask{kind.value}", overwrite=True)
    except InputError as error:
        return str(error)
    if random.random() < 0.5:
        window.wait_until(lambda: form._worker is None, "the exported masks")
    return None


@action(0.7)
def save_session(window, random):
    panels = window.panels
    if panels.store.result is None:
        return False
    panels.session.save_requested.emit(window.folder / f"session{random.randrange(2)}")
    return _meanwhile(window, random)


@action(0.7)
def open_session(window, random):
    folder = window.folder / f"session{random.randrange(2)}"
    window.panels.session.open_requested.emit(folder)
    return _meanwhile(window, random)


@action(0.4)
def move_the_boxes(window, random):
    panels = window.panels
    if not panels.session.jitter_button.isEnabled():
        return False
    panels.session.jitter_requested.emit(random.randint(1, 6))
    return _meanwhile(window, random)


@action(0.7)
def cascade(window, random):
    button = window.panels.cascade.findChildren(type(window.panels.actions.compare_button))
    pressed = [each for each in button if each.isEnabled()]
    if not pressed:
        return False
    random.choice(pressed).click()
    return _meanwhile(window, random)


@action(0.7)
def read_blinded(window, random):
    """A reading, mostly stopped before its end."""
    study = window.panels.reader_study
    if study.start_button.isEnabled() and not window.panels.store.is_being_read:
        try:
            study.begin(window.folder / "reading.csv")
        except InputError as error:
            return str(error)
    for _ in range(random.randint(0, 4)):
        window.wait(0.25)
        window.key(random.choice("JKL"))
    if random.random() < 0.8:
        study.stop()
    return None


@action(0.5)
def set_tolerance(window, random):
    spins = [each for each in window.panels.gate.findChildren(object) if hasattr(each, "setSingleStep")]
    if not spins:
        return False
    spin = random.choice(spins)
    spin.setValue(random.choice([spin.minimum(), spin.maximum(), spin.value() - spin.singleStep()]))
    return None


@action(1)
def open_a_tab(window, random):
    tabs = window.panels.results
    if tabs.isHidden():
        return False
    tabs.setCurrentIndex(random.randrange(tabs.count()))
    return None
