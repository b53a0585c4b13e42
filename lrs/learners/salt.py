"""The salt of ids: made once for the instance, kept in the commons."""

from collections.abc import Callable

from lrs.clock import Clock
from lrs.learners.identifiers import SALT_BYTES
from lrs.learners.kinds import SALT
from lrs.tables.recorded import Recorded, RecordedTables, Wish

_SUBJECT = "learners"


def read_salt(commons: RecordedTables, random_bytes: Callable[[int], bytes], clock: Clock) -> bytes:
    """Return the salt; the first caller of an instance makes it.

    Raises:
        StoreError: The store failed.
    """
    found = commons.find(SALT, _SUBJECT)
    if found is None:
        made = Wish({"salt": random_bytes(SALT_BYTES).hex()})

        def keep_first(there: Recorded | None) -> Wish | None:
            return None if there else made

        found = commons.change(SALT, _SUBJECT, keep_first, clock())
    if found is None:
        raise AssertionError("A value that was just made is there.")
    return bytes.fromhex(found.value["salt"])
