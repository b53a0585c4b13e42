"""What a check can say of anything kept, whatever engine it lies in."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson

from lrs.access.handles import InstitutionId
from lrs.access.ports import AccessStore
from lrs.errors import CorruptRecord, TooLarge
from lrs.stores.moving import UNREADABLE, Fault, KeptStatement, to_prepared
from lrs.stores.recorded import KeptValue, value_from, value_text
from lrs.xapi.fingerprint import fingerprint, is_same
from lrs.xapi.ports import PreparedStatement
from lrs.xapi.ports.activities import ActivityDefinition
from lrs.xapi.ports.attachments import AttachmentContent
from lrs.xapi.ports.documents import Document, DocumentKey
from lrs.xapi.texts import received_text, served_text

LOOKED_AT_ONCE = 500
_BROKEN: tuple[type[Exception], ...] = (CorruptRecord, *UNREADABLE)
_BY_DIGITS = {56: "sha224", 64: "sha256", 96: "sha384", 128: "sha512"}


@dataclass(frozen=True, slots=True)
class Examined:
    """A kept statement, looked at by itself.

    Attributes:
        prepared: What follows from its body; None where that cannot be read.
        faults: What is wrong.
    """

    prepared: PreparedStatement | None
    faults: tuple[Fault, ...]


def where(institution_id: InstitutionId, what: object) -> str:
    """Say which record of which institution."""
    return f"{institution_id} {what}"


def examine(kept: KeptStatement) -> Examined:
    """Look at a statement: are both its texts JSON, is it that statement, is its fingerprint right."""
    here = where(kept.institution_id, kept.id)
    try:
        received = orjson.loads(received_text(kept.body))
        served = orjson.loads(served_text(kept.body, kept.stored_at_us))
        prepared = to_prepared(kept)
        made = _fingerprint(received, served)
    except _BROKEN as error:
        return Examined(None, (Fault("body", here, f"The body cannot be read: {error}"),))
    faults = []
    if str(served.get("id")).lower() != kept.id:
        faults.append(Fault("body", here, f"The body is that of statement {served.get('id')}."))
    # The first byte says by which rules it was made; those of another time are not known here.
    if made[:1] == kept.fingerprint[:1] and not is_same(kept.fingerprint, made):
        faults.append(Fault("fingerprint", here, "The fingerprint is not that of the body."))
    return Examined(prepared, tuple(faults))


def _fingerprint(received: dict[str, Any], served: dict[str, Any]) -> bytes:
    """Make it of what is served, which may be mended; a timestamp that was spliced in does not count."""
    taken = {
        name: part for name, part in served.items() if name != "timestamp" or received.get(name) is not None
    }
    return fingerprint(taken)


class Order:
    """Sees that ``stored`` rises with the position."""

    def __init__(self) -> None:
        """Nothing has been seen."""
        self._last: defaultdict[InstitutionId, int] = defaultdict(int)

    def iter_faults(self, kept: KeptStatement) -> Iterator[Fault]:
        """Look at the next statement in order of position."""
        if kept.stored_at_us <= self._last[kept.institution_id]:
            here = where(kept.institution_id, kept.id)
            yield Fault("order", here, "It is stored at or before the statement in front of it.")
        self._last[kept.institution_id] = max(kept.stored_at_us, self._last[kept.institution_id])


def iter_document_faults(
    institution_id: InstitutionId, key: DocumentKey, document: Document, in_place: bool
) -> Iterator[Fault]:
    """Look at a document; ``in_place``: whether its row has the key that belongs to it."""
    here = where(institution_id, f"document {key.document_id} of {key.activity or key.agent}")
    if hashlib.sha1(document.content, usedforsecurity=False).hexdigest() != document.etag:
        yield Fault("document", here, "The content is not the one that its ETag was made of.")
    if not in_place:
        yield Fault("document", here, "It lies under the key of another document.")


def iter_attachment_faults(institution_id: InstitutionId, attachment: AttachmentContent) -> Iterator[Fault]:
    """Look at an attachment: are these the bytes that its hash was made of."""
    name = _BY_DIGITS.get(len(attachment.sha2))
    if name is None or hashlib.new(name, attachment.content).hexdigest() != attachment.sha2:
        here = where(institution_id, f"attachment {attachment.sha2}")
        yield Fault("attachment", here, "The bytes do not have this hash.")


def iter_definition_faults(institution_id: InstitutionId, one: ActivityDefinition) -> Iterator[Fault]:
    """Look at a merged definition: is it a JSON object."""
    if not _is_object(one.definition):
        here = where(institution_id, f"activity {one.activity}")
        yield Fault("definition", here, "The merged definition is no JSON object.")


def iter_value_faults(institution_id: InstitutionId, value: KeptValue) -> Iterator[Fault]:
    """Look at a recorded value: is its text what a store writes."""
    here = where(institution_id, f"{value.kind} {value.subject}")
    with suppress(ValueError, TooLarge):
        held = value_from(value.text)
        if isinstance(held, dict) and value_text(held) == value.text:
            return
    yield Fault("recorded", here, "The value cannot be read, or is not as it was written.")


def iter_entry_faults(institution_id: InstitutionId, position: int, *values: str | None) -> Iterator[Fault]:
    """Look at an entry of the history: can what was before and after be read."""
    if not all(value is None or _is_object(value) for value in values):
        yield Fault("history", where(institution_id, f"history {position}"), "The entry cannot be read.")


def iter_orphan_faults(access: AccessStore, named: Iterable[tuple[InstitutionId, str]]) -> Iterator[Fault]:
    """Look at what names an institution, given with what it is: is the institution there."""
    known = {one.id for one in access.list_institutions()}
    for institution_id, what in named:
        if institution_id not in known:
            yield Fault("institution", where(institution_id, what), "There is no such institution.")


def iter_access_faults(access: AccessStore) -> Iterator[Fault]:
    """Look at institutions, clients and keys: does each key lead to its client and institution."""
    access.list_keys(None)
    for institution in access.list_institutions():
        clients = {client.id: client for client in access.list_clients(institution.id)}
        for client in clients.values():
            if not _is_object(client.authority):
                here = where(institution.id, f"client {client.id}")
                yield Fault("key", here, "The authority of its statements is no JSON object.")
        for key in access.list_keys(institution.id):
            found = access.find_credential(key.id)
            sound = found is not None and found.client is not None and found.institution is not None
            if not sound or key.client_id not in clients:
                here = where(institution.id, f"key {key.id}")
                yield Fault("key", here, "Its client is missing, or is not its institution's.")


def _is_object(text: str | bytes) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
