"""What a process does when it begins to work for another, or to handle many statements."""

import contextlib
import ctypes
import gc
import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess

_OBJECTS_BETWEEN_COLLECTIONS = 50_000
_ARENAS = 2
_M_ARENA_MAX = -8
"""Of ``mallopt``, as glibc's malloc.h has it."""


def spare_collector() -> None:
    """Have the garbage collector look seldom, and never at what lives as long as the process.

    A statement makes dozens of small objects, none of them in cycles: collecting after every
    700 of them costs a twentieth of the time of a batch.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, 20, 50)


def share_memory() -> None:
    """Have glibc allocate for all threads from two arenas; call it before there are threads.

    It would give each thread one of its own, and each keeps what its threads once needed and
    others cannot use: a process would grow with every thread, and with every large piece of work. Its
    own variable, MALLOC_ARENA_MAX, is read too early to be set for a process that is forked. Nothing
    happens where the C library is another.
    """
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS)


def give_back_memory(seconds: float = 60.0) -> None:
    """Have what the C library holds free given back to the system, as often as is said here.

    It gives back by itself only what lies at the end of an arena. A thread of its own asks for the
    rest; nothing happens where the C library is another than glibc.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        threading.Thread(target=_trim_each, args=(trim, seconds), name="memory", daemon=True).start()


def _trim_each(trim: Callable[[int], int], seconds: float) -> None:
    while True:
        time.sleep(seconds)
        trim(0)


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
