"""Processes that ``lrs run`` starts beside itself: the server and the worker.

A signal only notes that somebody wants to end (``Ending``); whoever works looks at it between
two steps. Raising from the handler would strike anywhere, also inside a lock of the store.
"""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

import click

_STOP_SECONDS = 20.0
_LOOK_SECONDS = 0.2


class AskedToEnd(Exception):
    """SIGINT or SIGTERM came."""


class Ending:
    """Remembers that SIGINT or SIGTERM came; for the main thread, from its making on."""

    def __init__(self) -> None:
        """Take both signals."""
        self._asked = threading.Event()
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, self._note)

    def check(self) -> None:
        """Return while nobody has asked to end.

        Raises:
            AskedToEnd: Somebody has.
        """
        if self._asked.is_set():
            raise AskedToEnd

    def wait_for(self, children: Sequence[subprocess.Popen[bytes]]) -> None:
        """Return when one of the children has ended.

        Raises:
            AskedToEnd: Somebody asked to end before that.
        """
        while all(child.poll() is None for child in children):
            self._asked.wait(_LOOK_SECONDS)
            self.check()

    def _note(self, _signal: int, _frame: FrameType | None) -> None:
        self._asked.set()


@contextmanager
def child(*arguments: str, ending: Callable[[], None]) -> Iterator[subprocess.Popen[bytes]]:
    """Run an ``lrs`` command as a child, ended with this block; what it writes goes to standard error.

    It looks for modules where they are installed, never (``-P``) in the current folder. It has
    a process group of its own, so that Ctrl-C in a terminal ends this process, and this one it.

    Args:
        arguments: The command.
        ending: Raises where somebody asked to end; looked at before it is started.
    """
    ending()
    entry = "import sys; from lrs.cli import main; sys.exit(main())"
    started = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-P", "-c", entry, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        start_new_session=True,
    )
    try:
        yield started
    finally:
        _end(started, arguments[0])


def _end(started: subprocess.Popen[bytes], name: str) -> None:
    """Ask a child to finish what it is doing and wait for it; Ctrl-C again changes nothing."""
    if started.poll() is None:
        started.terminate()
    try:
        started.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        click.echo(f"lrs {name} did not end within {_STOP_SECONDS:g} s, and is ended by force.", err=True)
        started.kill()
        started.wait()
