"""Hands whole files of tests to pytest-xdist's workers, and comes to an end where a worker dies.

xdist's own scheduler hands out again everything that a dead worker had been given: the test it died in, which may
end worker after worker, and files that were finished, with nothing to do in them. A worker with such a file reports
nothing more, so it gets nothing more, and the run waits for ever.
"""

from __future__ import annotations

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController


class FileScheduler(LoadFileScheduling):
    """A dead worker's unfinished files go to the others, without the test in which it died."""

    def remove_node(self, node: WorkerController) -> str | None:
        """Take a worker out.

        Returns:
            The test in which it died, which xdist reports as failed; None where it had finished its tests.
        """
        unfinished = {file: tests for file, tests in self.assigned_work.pop(node).items() if not all(tests.values())}
        if not unfinished:
            return None
        tests = next(iter(unfinished.values()))
        fatal = next(test for test, completed in tests.items() if not completed)
        tests[fatal] = True
        self.workqueue.update({file: tests for file, tests in unfinished.items() if not all(tests.values())})
        for other in self.nodes:
            self._reschedule(other)
        return fatal
