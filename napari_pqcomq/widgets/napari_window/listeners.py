"""Listeners of napari's events that come and go together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Listener = tuple[Any, Callable[..., None]]
"""napari's event emitter, and what it calls."""


class Listeners:
    """Connects several, and lets go of all of them."""

    def __init__(self) -> None:
        self._connected: list[Listener] = []

    def connect(self, listeners: Iterable[Listener]) -> None:
        """Listen from now on."""
        for emitter, listener in listeners:
            emitter.connect(listener)
            self._connected.append((emitter, listener))

    def disconnect(self) -> bool:
        """Listen no longer.

        Returns:
            Whether anything was listened to.
        """
        connected, self._connected = self._connected, []
        for emitter, listener in connected:
            emitter.disconnect(listener)
        return bool(connected)
