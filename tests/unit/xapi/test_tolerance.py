"""Mending small known faults: what is mended, what is not, and that all else stays as written."""

import json
from typing import Any

import pytest

from lrs.access.model import Tolerance
from lrs.xapi.reader import RawStatement, ReadLimits, read_statements
from lrs.xapi.statement import validate_statement
from lrs.xapi.texts import Additions, pack, received_text, served_text
from lrs.xapi.tolerance import MEANINGS, Correction, correct_body, correct_statement
from lrs.xapi.versions import Version
from tests.factories import make_statement

OLD, NEW = Version.V1_0_3, Version.V2_0_0
LIMITS = ReadLimits(1 << 20, 60, 100)
EVERY = frozenset(Tolerance)


def mend(
    statement: Any, *names: Tolerance, version: Version = OLD
) -> tuple[RawStatement, list[tuple[str, str]]]:
    text = statement if isinstance(statement, bytes) else json.dumps(statement).encode()
    raw = read_statements(text, LIMITS).statements[0]
    made, found = correct_statement(raw, names or EVERY, version)
    return made, [(one.pointer, one.rule.value) for one in found]


# name, path of the property, what is sent, what is made of it
MENDED: list[tuple[str, str, Any, Any]] = [
    ("mbox-scheme", "actor/mbox", "ada@example.org", "mailto:ada@example.org"),
    ("timestamp-form", "timestamp", "2026-11-21 09:30:00.601+00:00", "2026-11-21T09:30:00.601+00:00"),
    ("timestamp-form", "timestamp", "2026-11-21 09:30:00", "2026-11-21T09:30:00"),
    ("language-underscore", "verb/display", {"en_US": "did"}, {"en-US": "did"}),
    ("language-underscore", "object/definition/name", {"pt_BR": "A", "en": "B"}, {"pt-BR": "A", "en": "B"}),
    ("language-underscore", "context/language", "en_GB", "en-GB"),
    ("number-text", "result/score/scaled", "0.80", 0.8),
    ("number-text", "result/score/raw", "-12", -12),
    ("number-text", "result/score/max", "1e2", 100.0),
    ("boolean-text", "result/success", "true", True),
    ("boolean-text", "result/completion", "False", False),
    ("duration-form", "result/duration", "P16559.14S", "PT16559.14S"),
    ("duration-form", "result/duration", "P1H30M", "PT1H30M"),
    ("score-rounding", "result/score/scaled", 1.0000001, 1),
    ("score-rounding", "result/score/scaled", -1.0000001, -1),
]

LEFT: list[tuple[str, Any]] = [
    ("actor/mbox", "ada"),
    ("actor/mbox", "http://example.org"),
    ("timestamp", "21.11.2026 09:30"),
    ("timestamp", "yesterday"),
    ("timestamp", "2026-11-21T09:30:00-00:00"),
    ("verb/display", {"en_": "did"}),
    ("verb/display", {"en_US": "did", "en-US": "done"}),
    ("context/language", "_"),
    ("result/score/raw", "12 points"),
    ("result/score/raw", "NaN"),
    ("result/score/raw", "0x10"),
    ("result/score/raw", "1" * 40),
    ("result/score/scaled", 1.01),
    ("result/score/scaled", 2),
    ("result/success", "yes"),
    ("result/success", 1),
    ("result/duration", "16 seconds"),
    ("result/duration", "-PT5S"),
]


def with_value(path: str, value: Any) -> dict[str, Any]:
    statement = make_statement()
    steps = path.split("/")
    holder: Any = statement
    for step in steps[:-1]:
        holder = holder.setdefault(step, {})
    holder[steps[-1]] = value
    return statement


def value_at(statement: Any, path: str) -> Any:
    for step in path.split("/"):
        statement = statement[step]
    return statement


@pytest.mark.parametrize(("name", "path", "sent", "made"), MENDED)
def test_a_fault_is_mended_and_named(name: str, path: str, sent: Any, made: Any) -> None:
    statement = with_value(path, sent)
    raw, found = mend(statement, Tolerance(name))
    assert value_at(raw.value, path) == made
    assert type(value_at(raw.value, path)) is type(made)
    assert [(pointer.startswith(f"/{path}"), rule) for pointer, rule in found] == [(True, name)]
    assert validate_statement(raw.value, OLD) == []
    assert raw.sent == json.dumps(statement).encode()


@pytest.mark.parametrize(("name", "path", "sent"), [row[:3] for row in MENDED])
def test_nothing_is_mended_that_was_not_asked_for(name: str, path: str, sent: Any) -> None:
    others = EVERY - {Tolerance(name)}
    raw, found = mend(with_value(path, sent), *others)
    assert (raw.sent, found) == (None, [])


@pytest.mark.parametrize(("path", "sent"), LEFT)
def test_what_has_no_one_meaning_is_left_to_be_refused(path: str, sent: Any) -> None:
    raw, found = mend(with_value(path, sent))
    assert (raw.sent, found) == (None, [])
    assert validate_statement(raw.value, OLD)


@pytest.mark.parametrize("version", Version)
def test_a_valid_statement_is_never_touched(version: Version) -> None:
    statement = make_statement(timestamp="2026-11-21T09:30:00Z", result={"duration": "PT1S"})
    raw, found = mend(statement, version=version)
    assert (raw.sent, found) == (None, [])


def test_an_empty_duration_is_left_out() -> None:
    raw, found = mend(make_statement(result={"duration": " ", "success": True}))
    assert raw.value["result"] == {"success": True}  # type: ignore[index]
    assert found == [("/result/duration", "duration-form")]


def test_null_is_left_out_where_the_standard_knows_the_property() -> None:
    context = {"registration": None, "extensions": {"http://e.org/x": None}}
    statement = {**make_statement(), "result": None, "context": context}
    raw, found = mend(statement)
    assert raw.value == {**make_statement(), "context": {"extensions": {"http://e.org/x": None}}}
    assert sorted(found) == [("/context/registration", "null-property"), ("/result", "null-property")]


@pytest.mark.parametrize(
    "statement",
    [
        {**make_statement(), "actor": None},
        {**make_statement(), "shoe": None},
        make_statement(verb={"id": "http://example.org/did", "display": {"en": None}}),
        make_statement(context={"contextActivities": {"parent": [None]}}),
    ],
)
def test_null_elsewhere_is_still_refused(statement: dict[str, Any]) -> None:
    raw, _ = mend(statement)
    assert validate_statement(raw.value, OLD)


def test_a_timestamp_without_offset_is_utc_under_2_0() -> None:
    raw, found = mend(make_statement(timestamp="2026-11-21 09:30:00"), version=NEW)
    assert raw.value["timestamp"] == "2026-11-21T09:30:00Z"  # type: ignore[index]
    assert found == [("/timestamp", "timestamp-form")]


def test_several_faults_of_one_value_are_mended_in_turn() -> None:
    raw, found = mend(make_statement(result={"score": {"scaled": "1.0000001"}}))
    assert raw.value["result"] == {"score": {"scaled": 1}}  # type: ignore[index]
    assert found == [
        ("/result/score/scaled", "number-text"),
        ("/result/score/scaled", "score-rounding"),
    ]


def test_faults_are_found_in_members_substatements_and_attachments() -> None:
    inner = {k: v for k, v in make_statement(actor={"mbox": "eve@example.org"}).items() if k != "id"}
    statement = make_statement(
        actor={"objectType": "Group", "member": [{"mbox": "ada@example.org"}]},
        object={"objectType": "SubStatement", **inner, "result": {"success": "true"}},
        context={"instructor": {"mbox": "bob@example.org"}},
    )
    raw, found = mend(statement)
    assert validate_statement(raw.value, OLD) == []
    assert {pointer for pointer, _ in found} == {
        "/actor/member/0/mbox",
        "/object/actor/mbox",
        "/object/result/success",
        "/context/instructor/mbox",
    }


def test_extensions_are_never_looked_at() -> None:
    kept = {
        "http://e.org/x": {"mbox": "ada@example.org", "duration": "", "name": {"en_US": "x"}, "score": None}
    }
    statement = make_statement(context={"extensions": kept}, result={"extensions": kept})
    assert mend(statement)[0].sent is None


def test_all_else_stays_as_it_is_written() -> None:
    sent = (
        b'{ "actor" :{"mbox":"ada@example.org"},"verb":{"id":"http://example.org/did"},\n'
        b'"object":{"id":"http://example.org/a"},"result":{"score":{"raw":1.50e1,"max":"20"},'
        b'"extensions":{"http://e.org/n": 123456789012345678901234567890 }}}'
    )
    raw, _ = mend(sent)
    assert b'"raw":1.50e1' in raw.raw
    assert b'"max":20' in raw.raw
    assert b"123456789012345678901234567890" in raw.raw
    assert list(raw.value) == ["actor", "verb", "object", "result"]  # type: ignore[call-overload]


def test_received_is_what_was_sent_and_served_is_what_was_mended() -> None:
    sent = json.dumps(make_statement(actor={"mbox": "ada@example.org"})).encode()
    raw, _ = mend(sent)
    additions = Additions("00000000-0000-4000-8000-000000000001", '{"mbox":"mailto:a@b.org"}', "1.0.0")
    body = pack(raw.raw, raw.value, additions, raw.sent)  # type: ignore[arg-type]
    assert received_text(body) == sent
    assert json.loads(served_text(body, 0))["actor"] == {"mbox": "mailto:ada@example.org"}


def test_a_body_is_counted_by_its_mended_statements() -> None:
    body = json.dumps(
        [make_statement(), make_statement(actor={"mbox": "a@e.org"}, result={"duration": ""}), "no statement"]
    ).encode()
    made = correct_body(read_statements(body, LIMITS), EVERY, OLD)
    assert made.count == 1
    assert [len(found) for found in made.corrections] == [0, 2, 0]
    assert made.read.is_batch
    assert made.corrections[1][0] == Correction("/actor/mbox", Tolerance.MBOX_SCHEME)


def test_nothing_is_done_where_nothing_is_tolerated() -> None:
    read = read_statements(json.dumps(make_statement(actor={"mbox": "a@e.org"})).encode(), LIMITS)
    made = correct_body(read, (), OLD)
    assert made.read is read
    assert made.count == 0


def test_every_tolerance_says_what_it_does() -> None:
    assert set(MEANINGS) == set(Tolerance)
