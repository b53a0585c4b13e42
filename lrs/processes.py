"""What a process does when it begins to work for another, or to handle many statements."""

import gc
import multiprocessing
import os
import threading
from multiprocessing.process import BaseProcess

_OBJECTS_BETWEEN_COLLECTIONS = 50_000


def spare_collector() -> None:
    """Have the garbage collector look seldom, and never at what lives as long as the process.

    A statement makes dozens of small objects, none of them in cycles: collecting after every
    700 of them costs a twentieth of the time of a batch.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, 20, 50)


def end_with_parent() -> None:
    """End this process as soon as the one that began it has ended; nothing where none did.

    A parent that was killed could not end those who work for it: they would work on, and hold what
    they hold, a port for instance. Nothing is lost so: what was acknowledged is kept, whatever is killed.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_behind, args=(parent,), name="parent-watch", daemon=True).start()


def _end_behind(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)
