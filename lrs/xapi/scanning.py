"""Asking a program of the operator's whether an attachment may be kept, such as a virus scanner.

The program gets the bytes on its standard input. It ends with 0 when they are good, with 1 when
they are refused (the first line of its output is the reason that the sender is told); anything
else, or taking too long, means that nobody knows: nothing is kept, and the sender tries again.
"""

import os
import signal
import subprocess
import tempfile
import threading
import unicodedata
from collections.abc import Callable
from typing import TypeAlias

from lrs.errors import ScanUnavailable

Scan: TypeAlias = Callable[[bytes], str | None]
"""Returns why the bytes are refused, or None where they are good; raises ScanUnavailable."""

AT_ONCE = 4
"""So many scans run at once in one process; others wait as long as one may take."""

_REFUSED = 1
_LONGEST_REASON = 200
_ENVIRON = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}


class ProgramScan:
    """Scans by running a program.

    Args:
        program: Its path.
        seconds: How long it may take.
    """

    def __init__(self, program: str, seconds: float) -> None:
        """Keep what was handed in."""
        self._program = program
        self._seconds = seconds
        self._places = threading.BoundedSemaphore(AT_ONCE)

    def __call__(self, content: bytes) -> str | None:
        """Return why the bytes are refused, or None where they are good.

        Raises:
            ScanUnavailable: The program could not be run, took too long, or said neither.
        """
        if not self._places.acquire(timeout=self._seconds):
            raise ScanUnavailable("Too many attachments are being scanned; send them again shortly.")
        try:
            with tempfile.TemporaryFile() as output:
                code = self._run(content, output.fileno())
                output.seek(0)
                said = output.read(4 * _LONGEST_REASON)
        except OSError as error:
            raise ScanUnavailable("The program that scans attachments cannot be run.") from error
        finally:
            self._places.release()
        if code == 0:
            return None
        if code == _REFUSED:
            return _reason(said)
        raise ScanUnavailable(f"The program that scans attachments ended with {code}.")

    def _run(self, content: bytes, output: int) -> int:
        """Run the program to its end, or end it, with all that it started."""
        with subprocess.Popen(  # noqa: S603 - the operator names the program
            [self._program],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.DEVNULL,
            env=_ENVIRON,
            start_new_session=True,
        ) as child:
            try:
                child.communicate(content, timeout=self._seconds)
            except subprocess.TimeoutExpired as error:
                raise ScanUnavailable("The program that scans attachments took too long.") from error
            finally:
                if child.poll() is None:
                    os.killpg(child.pid, signal.SIGKILL)
            return child.returncode


def _reason(said: bytes) -> str:
    """Return the first line of what was said, as plain text."""
    line = said.decode(errors="replace").strip().partition("\n")[0]
    plain = "".join(char for char in line if unicodedata.category(char)[0] != "C").strip()
    return plain[:_LONGEST_REASON] or "no reason was given"
