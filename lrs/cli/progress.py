"""A progress bar on standard error: bytes read of the total, records and records a second."""

import sys
import time

import click

_BAR = 24
_BAR_SECONDS = 0.2
_LINE_SECONDS = 5.0


class Progress:
    """Shows how far a file has been read.

    On a terminal one line is drawn over and over; elsewhere a line is written every few
    seconds; with ``silent`` nothing is.
    """

    def __init__(self, total_bytes: int, silent: bool = False) -> None:
        """Begin at nothing, now."""
        self.total = max(total_bytes, 1)
        self._silent = silent
        self._is_terminal = sys.stderr.isatty()
        self._began = self._shown = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long it has been going."""
        return time.monotonic() - self._began

    def show(self, bytes_read: int, records: int) -> None:
        """Show where it stands, unless it was shown just now."""
        now = time.monotonic()
        if self._silent or now - self._shown < (_BAR_SECONDS if self._is_terminal else _LINE_SECONDS):
            return
        self._shown = now
        share = min(bytes_read / self.total, 1.0)
        text = f"{share:4.0%}  {records:,} records  {records / max(now - self._began, 0.001):,.0f}/s"
        if self._is_terminal:
            filled = round(share * _BAR)
            click.echo(f"\r[{'#' * filled}{'.' * (_BAR - filled)}] {text} ", err=True, nl=False)
        else:
            click.echo(text.strip(), err=True)

    def clear(self) -> None:
        """Make room for a line of text where a bar is drawn."""
        if self._is_terminal and not self._silent:
            click.echo("\r\033[K", err=True, nl=False)
