"""Each server process on a core of its own, where there is one for each.

The threads of one process take turns anyway; what they cost each other is what they find gone
cold when they wake on another core. Kept on one core each, two processes on two cores serve about a
fifth more.
"""

import multiprocessing
import os
from contextlib import suppress


class Cores:
    """Hands the cores of this machine out to processes; made before they are, and shared by them."""

    def __init__(self) -> None:
        """Note which cores there are; nobody has one yet."""
        self._cores = sorted(os.sched_getaffinity(0))
        self._holders = multiprocessing.Array("l", len(self._cores))

    def take(self) -> int | None:
        """Keep this process, and each thread that it makes from here on, on a core that nobody holds.

        A core whose holder has ended is free again. Whoever finds none stays everywhere.

        Returns:
            The core.
        """
        with self._holders:
            for place, core in enumerate(self._cores):
                if not _lives(self._holders[place]):
                    self._holders[place] = os.getpid()
                    os.sched_setaffinity(0, {core})
                    return core
        return None


def count_cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cores_for(workers: int, pin: bool | None) -> Cores | None:
    """Return the cores that so many processes shall be kept on; None where they may run anywhere.

    Args:
        workers: How many.
        pin: What was asked for; None means: where there are several, and exactly a core for each.
    """
    if not hasattr(os, "sched_setaffinity"):
        return None
    if pin is None:
        pin = workers > 1 and len(os.sched_getaffinity(0)) == workers
    return Cores() if pin else None


def _lives(process: int) -> bool:
    with suppress(ProcessLookupError):
        if process:
            os.kill(process, 0)
            return True
    return False
