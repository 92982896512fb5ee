"""The list of all actions; each module of actions adds its own.

An action is a function of the window and of random numbers of its own, so that a sequence can be replayed with some of
its actions left out. It returns False where there is nothing to be done: then it was none.
"""

from __future__ import annotations

ACTIONS = {}
"""Function and weight by name."""


def action(weight=1.0):
    """Enter a function in the list."""

    def entered(function):
        ACTIONS[function.__name__] = function, weight
        return function

    return entered
