"""Work in a thread of which nothing is kept."""

from __future__ import annotations

import gc
import weakref

from napari_pqcomq.jobs.running.one_off import one_off


class Volume:
    """Stands for hundreds of megabytes."""


def test_napari_keeps_the_worker_and_nothing_of_its_work(viewer, qtbot):
    given, came = Volume(), []
    seen = weakref.ref(given)
    worker = one_off(lambda volume, *, name: (type(volume).__name__, name), given, name="block")
    worker.returned.connect(came.append)
    del given
    with qtbot.waitSignal(worker.finished, timeout=60_000):
        worker.start()
    qtbot.waitUntil(lambda: bool(came), timeout=60_000)
    assert came == [("Volume", "block")]
    gc.collect()
    assert seen() is None
