"""Driver errors in our words; the only place that knows the driver's error classes."""

from collections.abc import Iterator
from contextlib import contextmanager

from bson.errors import BSONError, InvalidDocument
from pymongo import errors as driver

from lrs.errors import ConfigError, LrsError, StoreError, StoreUnavailable, TooLarge

AWAY = "The database cannot be reached or is busy; what was not acknowledged may be sent again."
BAD_ADDRESS = "LRS_STORE is no address that the database driver takes, or names no database."
BROKEN = "The database refused an operation; see the log."

TRANSLATIONS: tuple[tuple[type[Exception], type[LrsError], str], ...] = (
    (driver.ConnectionFailure, StoreUnavailable, AWAY),
    (driver.ExecutionTimeout, StoreUnavailable, AWAY),
    (driver.CursorNotFound, StoreUnavailable, AWAY),
    (driver.WriteConcernError, StoreUnavailable, AWAY),
    (driver.WaitQueueTimeoutError, StoreUnavailable, AWAY),
    (driver.DocumentTooLarge, TooLarge, "The database cannot hold so large a record."),
    (
        driver.ConfigurationError,
        ConfigError,
        "LRS_STORE is no address that the database driver takes, or names no database.",
    ),
    (driver.InvalidName, ConfigError, "LRS_STORE names a database that MongoDB does not allow."),
    (driver.InvalidOperation, StoreError, "The store was already closed, or was used wrongly."),
    (InvalidDocument, StoreError, BROKEN),
    (BSONError, StoreError, BROKEN),
    (driver.PyMongoError, StoreError, BROKEN),
)
"""Driver class, our class, detail; the first that fits wins, the last one fits all."""

TRANSIENT_CODES = frozenset(
    {
        6,  # HostUnreachable
        7,  # HostNotFound
        50,  # MaxTimeMSExpired
        64,  # WriteConcernFailed
        89,  # NetworkTimeout
        91,  # ShutdownInProgress
        134,  # ReadConcernMajorityNotAvailableYet
        189,  # PrimarySteppedDown
        262,  # ExceededTimeLimit
        9001,  # SocketException
        10107,  # NotWritablePrimary
        11600,  # InterruptedAtShutdown
        11602,  # InterruptedDueToReplStateChange
        13435,  # NotPrimaryNoSecondaryOk
        13436,  # NotPrimaryOrSecondary
    }
)
"""Server codes after which the same operation may succeed: elections, shutdowns, time limits."""

_DUPLICATE_KEY = 11000


def is_transient(error: Exception) -> bool:
    """Tell whether the outcome is unknown or may be better when the same is tried again."""
    if isinstance(error, driver.BulkWriteError):
        return _is_transient_bulk(error)
    code = getattr(error, "code", None)
    return code in TRANSIENT_CODES or issubclass(_entry(error)[0], StoreUnavailable)


def translate(error: Exception) -> LrsError:
    """Return our error for one of the driver's."""
    kind, detail = _entry(error)
    if kind is StoreError and is_transient(error):
        kind, detail = StoreUnavailable, AWAY
    return kind(detail)


@contextmanager
def translated() -> Iterator[None]:
    """Let no driver error out of a block or, as a decorator, a function."""
    try:
        yield
    except (driver.PyMongoError, BSONError) as error:
        raise translate(error) from error


def only_duplicates(error: driver.BulkWriteError) -> bool:
    """Tell whether an unordered insert failed for nothing but keys that were there already."""
    details = error.details or {}
    problems = details.get("writeErrors", [])
    return not details.get("writeConcernErrors") and all(
        one.get("code") == _DUPLICATE_KEY for one in problems
    )


def _is_transient_bulk(error: driver.BulkWriteError) -> bool:
    details = error.details or {}
    codes = {one.get("code") for one in details.get("writeErrors", [])} - {_DUPLICATE_KEY}
    return codes <= TRANSIENT_CODES and bool(codes or details.get("writeConcernErrors"))


def _entry(error: Exception) -> tuple[type[LrsError], str]:
    for theirs, ours, detail in TRANSLATIONS:
        if isinstance(error, theirs):
            return ours, detail
    return StoreError, BROKEN
