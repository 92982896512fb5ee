"""Memory goes back to the system when something large was closed."""

from __future__ import annotations

from napari_pqcomq.jobs.running import freed_memory


def test_what_was_closed_at_once_is_given_back_at_once_and_not_at_every_closing(qtbot, monkeypatch):
    given = []
    monkeypatch.setattr(freed_memory, "give_back_freed_memory", lambda: given.append(1))
    monkeypatch.setattr(freed_memory, "_PAUSE_MS", 50)
    freed = freed_memory.freed_memory()
    for _ in range(3):
        freed.soon()
    assert given == []
    qtbot.waitUntil(lambda: given == [1])
    freed.soon()
    qtbot.waitUntil(lambda: given == [1, 1])
