"""Looking at everything in the file, in one snapshot: is it whole, and does it agree with itself.

What can be made again from the bodies is made again and compared: facts, postings (own and
inherited), voidings, the tables of ids and references.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import apsw
import orjson

from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.access.ports import AccessStore
from lrs.errors import CorruptRecord, StoreError
from lrs.stores.checking import (
    iter_access_faults,
    iter_attachment_faults,
    iter_definition_faults,
    iter_document_faults,
    iter_entry_faults,
    iter_orphan_faults,
    iter_value_faults,
    where,
)
from lrs.stores.compression import shipped_dictionaries
from lrs.stores.definitions import unpack_definition
from lrs.stores.moving import UNREADABLE, Fault, Looked
from lrs.stores.sqlite import sql
from lrs.stores.sqlite.documents import iter_documents
from lrs.stores.sqlite.errors import translated
from lrs.stores.sqlite.recorded import iter_values
from lrs.stores.sqlite.rows import State
from lrs.stores.sqlite.statement_checks import StatementCheck
from lrs.stores.sqlite.tenants import GOING
from lrs.tables.recorded import COMMONS
from lrs.xapi.ports import FactKind, StatementId, id_bytes, id_text
from lrs.xapi.ports.activities import ActivityDefinition
from lrs.xapi.ports.attachments import AttachmentContent

if TYPE_CHECKING:
    from lrs.stores.sqlite.stores import SqliteRecordStores

_MOST_MESSAGES = 100
_VOIDING = (
    "SELECT s.seq, s.ref, s.stored FROM ids i CROSS JOIN stmt s ON s.seq = i.seq"
    " WHERE i.h = ? AND s.tenant = ? AND s.id = ? AND s.state = 2"
)
_ENTRIES = "SELECT position, tenant, before, after FROM history ORDER BY position"
_OWNED = (
    "SELECT institution, 'client ' || id FROM clients"
    " UNION ALL SELECT institution, 'key ' || id FROM keys WHERE institution IS NOT NULL"
    " UNION ALL SELECT institution, 'issuer ' || id FROM issuers"
    " UNION ALL SELECT institution, 'destination ' || id FROM destinations"
)
_ALL = 1 << 31
_TERM = "SELECT 1 FROM recorded_terms WHERE tenant = ? AND kind = ? AND subject = ? AND term = ?"

Faults = Iterator[Fault | Looked]


class StoreCheck:
    """Checks a whole file.

    Args:
        database: A connection inside a transaction.
        records: Of the same store.
        access: Of the same store.
    """

    def __init__(self, database: apsw.Connection, records: "SqliteRecordStores", access: AccessStore) -> None:
        """Read which institutions there are."""
        self._database = database
        self._records = records
        self._access = access
        found = sql.rows(database, "SELECT number, institution, dropped FROM tenants")
        self._tenants = {int(number): InstitutionId(one) for number, one, dropped in found if not dropped}
        self._dropped = {int(number): int(dropped) for number, _, dropped in found if dropped}
        self._going = [InstitutionId(one) for _, one, dropped in found if dropped == GOING]

    def run(self) -> Faults:
        """Look at one part after the other; where one cannot be read to its end, go on with the next."""
        statements = StatementCheck(self._database, self._records, self._tenants, self._dropped)
        parts: list[tuple[str, Faults]] = [
            ("file", self._file()),
            ("dictionaries", self._dictionaries()),
            ("statements", statements.run()),
            ("history", self._history()),
            ("access", iter_access_faults(self._access)),
            ("institutions", self._institutions()),
            ("dropped institutions", self._half_dropped()),
        ]
        for tenant, one in self._tenants.items():
            parts += [
                (f"{one} documents", self._documents(tenant, one)),
                (f"{one} attachments", self._attachments(tenant, one)),
                (f"{one} activities", self._activities(tenant, one)),
                (f"{one} recorded values", self._recorded(tenant, one)),
                (f"{one} refusals", self._refusals(one)),
            ]
        for name, part in parts:
            try:
                with translated():
                    yield from part
            except StoreError as error:
                yield Fault("unreadable", name, error.detail)
            except UNREADABLE as error:
                yield Fault("unreadable", name, f"It cannot be read to its end: {error!r}")

    def _file(self) -> Faults:
        """Let SQLite look at its own pages and indexes."""
        for (message,) in self._database.execute(f"PRAGMA integrity_check({_MOST_MESSAGES})"):
            if message != "ok":
                yield Fault("file", "database file", str(message))

    def _dictionaries(self) -> Faults:
        kept = dict(sql.rows(self._database, "SELECT number, data FROM dictionaries"))
        for number, data in shipped_dictionaries().items():
            if kept.get(number) != data:
                what = "The compression dictionary is missing or is not the one that was shipped."
                yield Fault("dictionary", f"dictionary {number}", what)

    def _history(self) -> Faults:
        """See that every voiding statement has its one entry, and every entry its statement."""
        yield from self._entries()
        seen: set[int] = set()
        query = "SELECT position, tenant, subject, after, at FROM history WHERE kind = 'statement.voided'"
        for position, tenant, subject, after, at in self._database.execute(f"{query} ORDER BY position"):
            if tenant not in self._tenants:
                continue
            voiding = self._find_voiding(tenant, after)
            if voiding is None or voiding[0] in seen or (id_text(voiding[1]), voiding[2]) != (subject, at):
                here = where(self._tenants[tenant], f"history {position}")
                yield Fault("history", here, f"No statement voids {subject} as this entry says.")
            else:
                seen.add(voiding[0])
        query = "SELECT seq, tenant, id FROM stmt WHERE state = ?"
        for seq, tenant, identity in self._database.execute(query, (int(State.VOIDING),)):
            if seq not in seen and tenant in self._tenants:
                here = where(self._tenants[tenant], id_text(identity))
                yield Fault("history", here, "It voids a statement, and the history does not say so.")

    def _entries(self) -> Faults:
        """See that every entry is some institution's, and can be read."""
        for position, tenant, before, after in self._database.execute(_ENTRIES):
            if tenant in self._tenants:
                yield from iter_entry_faults(self._tenants[tenant], position, before, after)
            elif tenant not in self._dropped:
                yield Fault("institution", f"history {position}", "Its institution is unknown.")

    def _institutions(self) -> Faults:
        """See that whatever belongs to an institution belongs to one that is there."""
        held = [(one, "records") for one in self._tenants.values() if one != COMMONS.institution_id]
        yield from iter_orphan_faults(self._access, [*held, *sql.rows(self._database, _OWNED)])

    def _refusals(self, institution_id: InstitutionId) -> Faults:
        """See that those can be read that are shown."""
        self._records.arrivals(InstitutionHandle(institution_id)).list_refusals(None, _ALL)
        yield from ()

    def _half_dropped(self) -> Faults:
        """See that no removal was broken off."""
        for one in self._going:
            what = "It was to be taken away, and not all of it is gone; repeat that."
            yield Fault("institution", one, what)

    def _recorded(self, tenant: int, institution_id: InstitutionId) -> Faults:
        """See that each value can be read and is found by its terms, and nothing by others."""
        terms = 0
        for value in iter_values(self._database, tenant):
            yield from iter_value_faults(institution_id, value)
            key = (tenant, value.kind, value.subject)
            kept = sum(1 for term in value.terms if sql.row(self._database, _TERM, (*key, term)))
            terms += kept
            if kept != len(value.terms):
                here = where(institution_id, f"{value.kind} {value.subject}")
                yield Fault("recorded", here, f"It is not found by {len(value.terms) - kept} of its terms.")
        held = sql.value(self._database, "SELECT count(*) FROM recorded_terms WHERE tenant = ?", (tenant,))
        if held > terms:
            what = f"{held - terms} terms find values that do not have them, or are not there."
            yield Fault("recorded", where(institution_id, "recorded values"), what)

    def _find_voiding(self, tenant: int, after: str | None) -> Any:
        """Return position, target and ``stored`` of the voiding statement that an entry names, or None."""
        try:
            identity = id_bytes(StatementId(orjson.loads(after or "{}")["by"]))
        except (ValueError, KeyError, TypeError):
            return None
        h = self._records.place(self._tenants[tenant]).codec.id_hash(identity)
        return sql.row(self._database, _VOIDING, (h, tenant, identity))

    def _documents(self, tenant: int, institution_id: InstitutionId) -> Faults:
        store = self._records.documents(InstitutionHandle(institution_id))
        for row in iter_documents(self._database, tenant, self._records.bodies):
            in_place = store.place_of(row.key) == (row.about, row.name)
            yield from iter_document_faults(institution_id, row.key, row.document, in_place)

    def _attachments(self, tenant: int, institution_id: InstitutionId) -> Faults:
        query = "SELECT sha2, dict, content FROM attachments WHERE tenant = ?"
        for sha2, number, blob in self._database.execute(query, (tenant,)):
            try:
                content = self._records.bodies.decompress(number, blob)
            except CorruptRecord as error:
                yield Fault("attachment", where(institution_id, f"attachment {sha2}"), error.detail)
                continue
            yield from iter_attachment_faults(institution_id, AttachmentContent(sha2, content))

    def _activities(self, tenant: int, institution_id: InstitutionId) -> Faults:
        codec = self._records.place(institution_id).codec
        query = "SELECT number, h, dict, content FROM activities WHERE tenant = ?"
        for number, h, dictionary, blob in self._database.execute(query, (tenant,)):
            try:
                activity, text = unpack_definition(dictionary, blob, self._records.bodies)
            except (CorruptRecord, UnicodeDecodeError) as error:
                yield Fault("definition", where(institution_id, f"activity {number}"), str(error))
                continue
            yield from iter_definition_faults(institution_id, ActivityDefinition(activity, text))
            if codec.term(FactKind.ACTIVITY, activity) != h:
                here = where(institution_id, f"activity {activity}")
                yield Fault("definition", here, "It lies under the key of another activity.")
