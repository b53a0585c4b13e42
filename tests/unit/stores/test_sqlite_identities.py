"""A body comes back exactly as it was given, although its statement's id is not kept in it."""

import json
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrs.access.handles import InstitutionId
from lrs.errors import CorruptRecord
from lrs.stores.compression import FIRST_TRAINED, BodyCodec, shipped_dictionaries
from lrs.stores.sqlite.facts import FilterCheck, decode_facts
from lrs.stores.sqlite.identities import FILLER, leave_out_id, put_back_id, put_back_ids
from lrs.stores.sqlite.rows import RowCodec
from lrs.xapi.ports import Fact, FactKind, Filter, PreparedStatement, StatementId, id_bytes
from lrs.xapi.texts import Additions, pack, received_text, served_text
from lrs.xapi.versions import Version
from tests import strategies

ID = "0f8b2c1e-5a7d-4e39-9b64-1c2d3e4f5a6b"
AUTHORITY = '{"objectType":"Agent","account":{"homePage":"http://lrs.example","name":"abc"}}'
SALT = InstitutionId("school")
CODEC = RowCodec(bytes(32), SALT, BodyCodec())
RAW = (
    b'{"actor":{"mbox":"mailto:ann@example.org"},"verb":{"id":"http://verb.example/did"},'
    b'"object":{"id":"http://object.example/1"},"timestamp":"2026-01-01T00:00:00Z"}'
)
RAW_APART = (
    b'{"id":"0f8b2c1e-5a7d-4e39-9b64-1c2d3e4f5a6b","actor":{"mbox":"mailto:ann@example.org"},'
    b'"verb":{"id":"http://verb.example/did"},'
    b'"object":{"id":"http://object.example/0f8b2c1e-5a7d-4e39-9b64-1c2d3e4f5a6b"},'
    b'"authority":{"mbox":"mailto:x@example.org"}}'
)
KEPT_BEFORE = {
    RAW: (
        "28b52ffd603f006d04004405009f0000007b616e6e40766572622f646964223a2f3122323032362d30312d30315430303a"
        "5a30663862326331652d356137642d346533392d396236342d316332643365346635613662"
        "3a2f2f6c72732261626311fc6a270cde4089e68cfa49a83074f63b26f751d5e93fd893671f42626d3adcefe7c6b633acff17"
        "3eb7c00528e496b2e57fc1ec8ef11f177c800117d08003162e8012ff35316e6f776865726503000a000000"
    ),
    RAW_APART: (
        "28b52ffd6037016504006404033a01000030663862326331652d356137642d346533392d396236342d3163326433653466"
        "3561366261"
        "6e6e40766572622f646964223a2f7d3a2f2f6c72732261626322787d15fcde8f07fea8929e17f9418f880f186da3f60483"
        "475eb03902f58f8aa55f68a1318fe2e872a25a60494d467fdfffcd6b42b800355d05bbb57081fd62d9e05eb7dae3ff17d4"
        "80013a28810316868012ff35316e6f776865726503000a000000"
    ),
}
"""Rows as they were written when a body was kept whole, with words of four bytes."""


def facts_of(raw: bytes) -> tuple[Fact, ...]:
    return (
        Fact(FactKind.VERB, "http://verb.example/did"),
        Fact(FactKind.ACTIVITY, json.loads(raw)["object"]["id"]),
        Fact(FactKind.AGENT, "mbox mailto:ann@example.org"),
        Fact(FactKind.CLIENT, "nowhere"),
    )


def packed(raw: bytes, statement_id: str) -> bytes:
    return pack(raw, json.loads(raw), Additions(statement_id, AUTHORITY, "1.0.0"))


def kept(body: bytes, *facts: Fact, statement_id: str = ID) -> tuple[int, bytes]:
    row = CODEC.encode(PreparedStatement(StatementId(statement_id), b"f" * 16, facts, body))
    return row.dictionary, row.blob


@pytest.mark.parametrize("raw", KEPT_BEFORE)
def test_row_that_was_kept_with_its_id_is_still_read(raw):
    blob = bytes.fromhex(KEPT_BEFORE[raw])
    assert CODEC.body(id_bytes(StatementId(ID)), 1, blob) == packed(raw, ID)
    content = CODEC.split(1, blob)
    assert set(decode_facts(content)) == set(facts_of(raw))
    for fact in facts_of(raw):
        check = FilterCheck(Filter(fact.kind, fact.value))
        assert check.holds(content)
        assert check.holds_in(content.body, blob)
    assert not FilterCheck(Filter(FactKind.VERB, "http://verb.example/other")).holds(content)


@pytest.mark.parametrize("raw", KEPT_BEFORE)
def test_row_without_its_id_is_shorter_and_reads_the_same(raw):
    number, blob = kept(packed(raw, ID), *facts_of(raw))
    assert raw is not RAW or len(blob) < len(bytes.fromhex(KEPT_BEFORE[raw])) - 16
    body = CODEC.body(id_bytes(StatementId(ID)), number, blob)
    assert received_text(body) == raw
    assert json.loads(served_text(body, 1))["id"] == ID


@settings(deadline=None, max_examples=60)
@given(st.data(), st.sampled_from(Version))
def test_both_texts_come_back_wherever_the_id_stands_and_however_it_is_written(data, version):
    value = data.draw(strategies.statements(version))
    identity = data.draw(st.uuids())
    where = data.draw(st.sets(st.sampled_from(["id", "name", "extensions", "upper"])))
    if "id" in where:
        value["id"] = str(identity).upper() if "upper" in where else str(identity)
    else:
        value.pop("id", None)
    if "name" in where:
        value["actor"]["name"] = f"\xff{identity}{identity}\xff"
    if "extensions" in where:
        value.setdefault("result", {})["extensions"] = {
            f"urn:uuid:{identity}": [str(identity)[1:], str(identity)]
        }
    raw = json.dumps(value, ensure_ascii=data.draw(st.booleans())).encode()
    given_id = str(value.get("id", identity))
    body = packed(raw, given_id)
    number, blob = kept(body, statement_id=given_id.lower())
    assert str(identity).encode() not in CODEC.split(number, blob).body
    assert CODEC.body(identity.bytes, number, blob) == body
    assert received_text(body) == raw


def test_many_come_back_together_each_with_its_own_id():
    ids = [uuid.UUID(int=n * 0x1234567_89ABCDEF_01234567) for n in range(1, 131)]
    given_bodies = [packed(RAW, str(one)) for one in ids]
    given_bodies[7] = packed(RAW_APART, ID)
    rows = [kept(body, statement_id=str(one)) for body, one in zip(given_bodies, ids, strict=True)]
    bodies = CODEC.bodies(*zip(*rows, strict=True))
    assert all(FILLER in body for n, body in enumerate(bodies) if n != 7)
    assert put_back_ids(bodies, [one.bytes for one in ids]) == given_bodies
    assert put_back_ids([], []) == []


@given(st.uuids())
def test_an_id_is_written_as_its_row_would_write_it(identity):
    body = f'{{"id":"{identity}"}}'.encode()
    left = leave_out_id(body, identity.bytes)
    assert left == b'{"id":"' + FILLER + b'"}'
    assert put_back_ids([left], [identity.bytes]) == [put_back_id(left, identity.bytes)] == [body]


@given(
    st.lists(st.sampled_from([b"\xff", b"\xff" * 20, b"\xff" * 35, ID.encode(), ID.upper().encode(), b"a"]))
)
def test_body_that_is_no_text_comes_back_as_it_was_or_is_refused(parts):
    body, identity = b"".join(parts), id_bytes(StatementId(ID))
    if FILLER in body:
        with pytest.raises(CorruptRecord, match=ID):
            leave_out_id(body, identity)
    else:
        assert put_back_id(leave_out_id(body, identity), identity) == body


@pytest.mark.parametrize("part", [ID, ID[:8], ID[-3:], ID[9:]])
@pytest.mark.parametrize("kind", [FactKind.REGISTRATION, FactKind.CLIENT])
def test_statement_is_found_by_what_is_a_piece_of_its_id(part, kind):
    body = packed(RAW[:-1] + f',"context":{{"registration":"{part}"}}}}'.encode(), ID)
    fact = Fact(kind, part)
    number, blob = kept(body, fact)
    content = CODEC.split(number, blob)
    assert decode_facts(content) == (fact,)
    check = FilterCheck(Filter(kind, part))
    assert check.holds(content)
    assert check.holds_in(content.body, blob)


def test_id_takes_no_room_once_a_dictionary_knows_the_filler():
    data = shipped_dictionaries()[1] + b'"timestamp":"2026-01-01T00:00:00Z","id":"' + FILLER + b'"'
    codec = RowCodec(bytes(32), SALT, BodyCodec({FIRST_TRAINED: data}))
    row = codec.encode(PreparedStatement(StatementId(ID), b"f" * 16, (), packed(RAW, ID)))
    without = codec.encode(PreparedStatement(StatementId(ID), b"f" * 16, (), packed(RAW, "")))
    assert len(row.blob) - len(without.blob) < 8
