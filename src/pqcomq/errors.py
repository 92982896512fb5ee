"""The one error type a user is meant to read."""

from __future__ import annotations


class InputError(ValueError):
    """Bad input from outside: a file, a folder, a box, a setting.

    The message is one clear sentence that names the offending file or value and the problem. The command line
    prints it and exits with status 2; the plugin shows it as a notification. Nothing is written and nothing that
    was already loaded is lost when it is raised.
    """
