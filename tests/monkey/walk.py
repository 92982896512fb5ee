"""A walk at random through what a user can do, with a look at everything after each action.

This is a walker of our own, and not a state machine of hypothesis'. Hypothesis runs a hundred examples from a fresh
start each, and shortens a failure by running it again and again; here the start is a window of napari, which takes
seconds, what is looked for comes after hundreds of actions in one window, and jobs run in threads meanwhile, so that
the same actions need not fail twice: hypothesis would call that flaky and give up. Here every action has a seed of its
own, so that a sequence can be replayed, and shortened by leaving actions out, without changing those that are left.
"""

from __future__ import annotations

import random
import re
import time
import traceback
from pathlib import Path

import layer_actions  # noqa: F401 (it enters its actions in the list)
import prompt_actions  # noqa: F401
import view_actions  # noqa: F401
import work_actions  # noqa: F401
from alarms import OURS, is_ours
from kinds import ACTIONS
from oracles import Memory, disagreements, threads

SETTLING = 30
"""Seconds in which the window comes to agree with itself, on a machine that has much else to do."""
THREADS_END = 120


class Walk:
    """In one window, until something is wrong.

    Args:
        window: to play with.
        alarms: that listen.
        told: called with a line for each action.
    """

    def __init__(self, window, alarms, told=lambda line: None):
        self._window, self._alarms, self._told = window, alarms, told
        self._memory = Memory(window)
        window.seen_anew, window.note_own, window.check_closed = set(), self._memory.note_own, self._check_closed
        self._closed_faults = []
        self.done = []
        self.faults = []

    def step(self, name, seed):
        """Do one action and look at everything; whether there was something to be done.

        Args:
            name: of the action.
            seed: of its random numbers.
        """
        function, _weight = ACTIONS[name]
        self._told(f"{name}:{seed}")
        self.faults, began = [], time.monotonic()
        try:
            outcome = function(self._window, random.Random(seed))
            self._window.turn()
        except Exception as error:
            outcome = "an exception"
            self._on_error(error)
        if outcome is False:
            return False
        self.done.append(f"{name}:{seed}")
        seconds = time.monotonic() - began
        self._window.sweep()
        self._look()
        self._told(
            f"    {outcome or ''} | {seconds:.1f} s, looking {time.monotonic() - began - seconds:.1f} s | "
            f"{self._window.told()!r:.120}"
        )
        return True

    def _on_error(self, error):
        """What an action raised: the plugin's exceptions, failed checks, what was waited for in vain, its own mistakes.

        What napari alone has raised is told of at the end.
        """
        told = "".join(traceback.format_exception(error))
        is_own = Path(traceback.extract_tb(error.__traceback__)[-1].filename).parent == Path(__file__).parent
        if isinstance(error, TimeoutError) or is_own or is_ours(error):
            self.faults.append(told)
        else:
            self._alarms.foreign.append(told)

    def _look(self):
        self.faults += [*self._alarms.taken(), *self._closed_faults]
        self._closed_faults = []
        self.faults += self._memory.changes()
        self.faults += self._settled(lambda: [*disagreements(self._window)])
        self.faults += self._memory.lost_sight()
        self.faults += self._alarms.taken()

    def _settled(self, look):
        """What is still wrong after a while; most is right at once."""
        began, wait = time.monotonic(), 0.0
        while True:
            try:
                found = look()
            except Exception:
                found = [f"while looking: {traceback.format_exc()}"]
            if not found or time.monotonic() - began > SETTLING:
                return found
            self._window.wait(wait)
            wait = min(2 * wait + 0.01, 0.5)

    def _check_closed(self):
        """After the dock was closed: nothing of it is left in the viewer, and none of its threads."""

        def left():
            viewer = self._window.viewer
            drags = [each for each in viewer.mouse_drag_callbacks if "napari_pqcomq" in getattr(each, "__module__", "")]
            tagged = [layer.name for layer in viewer.layers if "pqcomq_comparison" in layer.metadata]
            running = threads() if time.monotonic() - began > 1 else []
            return [f"left by a closed dock: {each}" for each in (drags, tagged, running) if each]

        began = time.monotonic()
        self._closed_faults += self._settled(left)

    def end(self):
        """End the window; what is wrong then."""
        self.faults = []
        self._window.end()
        self.faults += self._alarms.taken()
        end = time.monotonic() + THREADS_END
        while threads() and time.monotonic() < end:
            self._window.wait(0.1)
        if threads():
            self.faults.append(f"threads are left: {threads()}")
        return self.faults


def chosen(count, seed):
    """Actions by weight, each with a seed of its own.

    Args:
        count: how many.
        seed: of the walk.
    """
    numbers = random.Random(seed)
    names, weights = [*ACTIONS], [weight for _function, weight in ACTIONS.values()]
    for name in numbers.choices(names, weights, k=count):
        yield name, numbers.randrange(10**6)


def kind_of(fault):
    """By which faults are told apart: the last places in the code and the words, without numbers and names."""
    lines = [line.strip() for line in fault.splitlines() if line.strip()]
    places = [line for line in lines if line.startswith("File ") and any(each in line for each in OURS)]
    return re.sub(r"0x[0-9a-f]+|\d+|“.*?”|'.*?'", "…", " | ".join([*places[-2:], lines[-1]]))
