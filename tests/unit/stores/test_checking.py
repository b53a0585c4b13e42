"""What a check says of a kept statement, looked at by itself."""

import json
from dataclasses import replace
from typing import Any

import pytest

from lrs.access.handles import InstitutionId
from lrs.access.model import Tolerance
from lrs.stores.checking import examine
from lrs.stores.moving import KeptStatement
from lrs.xapi.fingerprint import fingerprint
from lrs.xapi.ports import StatementId
from lrs.xapi.reader import ReadLimits, read_statements
from lrs.xapi.texts import Additions, pack
from lrs.xapi.tolerance import correct_body
from lrs.xapi.versions import Version

ID = "0f8b2c1e-5a7d-4e39-9b64-1c2d3e4f5a6b"
AUTHORITY = '{"account":{"homePage":"https://lrs.example","name":"abc"}}'
SENT: dict[str, Any] = {
    "id": ID,
    "actor": {"mbox": "mailto:ann@example.org"},
    "verb": {"id": "http://verb.example/did"},
    "object": {"id": "http://object.example/1"},
}


def kept(sent: dict[str, Any]) -> KeptStatement:
    """Keep a statement as a key does that has every tolerance."""
    read = read_statements(json.dumps(sent).encode(), ReadLimits(10_000, 20, 10))
    (raw,) = correct_body(read, list(Tolerance), Version.V1_0_3).read.statements
    value: Any = raw.value
    body = pack(raw.raw, value, Additions(ID, AUTHORITY, "1.0.0"), raw.sent)
    return KeptStatement(InstitutionId("school"), StatementId(ID), 1, fingerprint(value), "client", body)


@pytest.mark.parametrize(
    "sent",
    [
        SENT,
        {**SENT, "timestamp": "2026-01-01T00:00:00Z"},
        {**SENT, "authority": {"mbox": "mailto:x@example.org"}, "stored": "2026-01-01T00:00:00Z"},
        {**SENT, "context": {"contextActivities": {"parent": {"id": "http://object.example/2"}}}},
        {**SENT, "actor": {"mbox": "ann@example.org"}},
        {**SENT, "timestamp": "2026-01-01 00:00:00Z"},
        {**SENT, "timestamp": None},
    ],
)
def test_statement_is_whole_also_when_it_was_mended(sent):
    statement = kept(sent)
    assert examine(statement).faults == ()
    short = replace(statement, fingerprint=statement.fingerprint[:8])
    assert examine(short).faults == ()


def test_fingerprint_of_another_statement_is_a_fault():
    other = kept({**SENT, "result": {"success": True}})
    wrong = replace(other, fingerprint=kept(SENT).fingerprint)
    assert [fault.kind for fault in examine(wrong).faults] == ["fingerprint"]
