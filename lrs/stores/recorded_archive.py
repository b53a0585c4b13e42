"""Recorded values and their entries as content of an archive: what may have to be erased one day."""

import json

from lrs.errors import InvalidArchive
from lrs.stores.archive import Item
from lrs.stores.archive_records import EntryRecord, RecordedRecord
from lrs.stores.recorded import KeptEntry, KeptValue, sorted_terms, value_from, value_text


def value_content(value: KeptValue) -> bytes:
    """Write a value and its terms: ``{"terms":[…],"value":…}``."""
    terms = json.dumps(value.terms, ensure_ascii=False, separators=(",", ":"))
    return f'{{"terms":{terms},"value":{value.text}}}'.encode()


def to_value(item: Item) -> KeptValue:
    """Read what ``value_content`` wrote.

    Raises:
        InvalidArchive: It is something else.
    """
    record = item.record
    assert isinstance(record, RecordedRecord)  # noqa: S101 - for the type checker
    try:
        held = value_from((item.content or b"").decode())
        text, terms = value_text(held["value"]), sorted_terms(held["terms"])
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(record.kind, record.subject) from error
    return KeptValue(record.kind, record.subject, text, terms, record.version, record.at_us)


def entry_content(entry: KeptEntry) -> bytes:
    """Write what was before and after: ``{"before":…,"after":…}``, null where there was nothing."""
    return f'{{"before":{entry.before or "null"},"after":{entry.after or "null"}}}'.encode()


def to_entry(item: Item) -> KeptEntry:
    """Read what ``entry_content`` wrote.

    Raises:
        InvalidArchive: It is something else.
    """
    record = item.record
    assert isinstance(record, EntryRecord)  # noqa: S101 - for the type checker
    try:
        held = value_from((item.content or b"").decode())
        before, after = (None if one is None else value_text(one) for one in (held["before"], held["after"]))
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(record.kind, record.subject) from error
    return KeptEntry(record.kind, record.subject, before, after, record.at_us)


def _damaged(kind: str, subject: str) -> InvalidArchive:
    return InvalidArchive(f"The archive is damaged: what it holds of {kind} {subject} cannot be read.")
