"""The driver's errors, translated once. None of them leaves this package."""

from collections.abc import Iterator
from contextlib import contextmanager

import apsw

from lrs.errors import CorruptRecord, StoreError, StoreUnavailable

_AWAY: tuple[type[apsw.Error], ...] = (
    apsw.AuthError,
    apsw.BusyError,
    apsw.CantOpenError,
    apsw.ConnectionClosedError,
    apsw.FullError,
    apsw.InterruptError,
    apsw.IOError,
    apsw.LockedError,
    apsw.NoLFSError,
    apsw.NoMemError,
    apsw.PermissionsError,
    apsw.ProtocolError,
    apsw.ReadOnlyError,
)
"""What may pass: another holder, a full or vanished disk, a closed store."""

_DAMAGED: tuple[type[apsw.Error], ...] = (apsw.CorruptError, apsw.NotADBError, apsw.FormatError)


def translate(error: apsw.Error | OSError) -> StoreError:
    """Say what a driver's or the system's error means for the caller."""
    name = type(error).__name__
    if isinstance(error, _DAMAGED):
        return CorruptRecord(f"The database file is damaged or is not one ({name}: {error}).")
    if isinstance(error, (OSError, *_AWAY)):
        return StoreUnavailable(f"The database file cannot be used just now ({name}: {error}). Try again.")
    return StoreError(f"The database refused ({name}: {error}).")


@contextmanager
def translated() -> Iterator[None]:
    """Let StoreErrors out instead of what the driver raises inside the block."""
    try:
        yield
    except (apsw.Error, OSError) as error:
        raise translate(error) from error
