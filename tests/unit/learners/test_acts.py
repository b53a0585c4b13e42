"""What a statement says of persons."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from lrs.clock import from_datetime, to_datetime
from lrs.learners.acts import (
    LONGEST_NARRATIVE,
    Voucher,
    act_from,
    act_key,
    act_row,
    acts_of,
    read_statement,
    seconds_of,
    sortable,
)
from lrs.learners.handles import IdentityId
from lrs.vouchers import VOUCHER

ANA = {"mbox": "mailto:ana@example.org", "name": "Ana"}
BEN = {"account": {"homePage": "https://school.example", "name": "17"}}
MINIMAL = {
    "id": "6690E6C9-3EF0-4ED3-8B37-7F3964730BEE",
    "actor": ANA,
    "verb": {"id": "https://example.org/did"},
    "object": {"id": "https://example.org/workshop"},
    "timestamp": "2026-03-01T10:00:00+01:00",
    "stored": "2026-03-02T10:00:00Z",
    "authority": {"account": {"homePage": "https://lrs.example", "name": "abc"}, "name": "Museum"},
}


def read(**changes: Any) -> Any:
    return read_statement(json.dumps({**MINIMAL, **changes}).encode())


def test_actor_has_one_act_with_the_instant_of_the_timestamp() -> None:
    (act,) = acts_of(read(), "museum")
    assert (act.id, act.institution) == ("6690e6c9-3ef0-4ed3-8b37-7f3964730bee", "museum")
    assert to_datetime(act.at).isoformat() == "2026-03-01T09:00:00+00:00"
    assert (act.identifier, act.name, act.group) == ("mbox mailto:ana@example.org", "Ana", None)
    assert (act.verb, act.object) == ("https://example.org/did", "https://example.org/workshop")
    assert act.client == "account https://lrs.example abc"


def test_client_is_the_one_that_was_handed_in() -> None:
    assert acts_of(read(), "museum", "client-1")[0].client == "client-1"


def test_each_identified_member_acts_once_when_a_group_acts() -> None:
    group = {"objectType": "Group", "name": "Class 4b", "member": [ANA, BEN, {"name": "Guest"}, ANA]}
    acts = acts_of(read(actor=group), "museum")
    assert [act.identifier for act in acts] == [
        "mbox mailto:ana@example.org",
        "account https://school.example 17",
    ]
    assert {act.group for act in acts} == {"Class 4b"}


def test_group_is_known_by_its_identifier_when_it_has_no_name() -> None:
    group = {"objectType": "Group", "account": BEN["account"], "member": [ANA]}
    assert acts_of(read(actor=group), "m")[0].group == "account https://school.example 17"
    assert acts_of(read(actor={"objectType": "Group", "member": [ANA]}), "m")[0].group == ""


@pytest.mark.parametrize(
    "actor",
    [
        {"objectType": "Group", "member": [{"name": "Guest"}]},
        {"objectType": "Group", "account": BEN["account"]},
    ],
)
def test_nobody_acts_when_nobody_is_identified(actor: dict[str, Any]) -> None:
    assert acts_of(read(actor=actor), "museum") == ()


def test_voiding_gives_no_act() -> None:
    voided = {"id": "http://adlnet.gov/expapi/verbs/voided"}
    target = {"objectType": "StatementRef", "id": MINIMAL["id"]}
    assert acts_of(read(verb=voided, object=target), "museum") == ()


@pytest.mark.parametrize(
    "target",
    [
        {"objectType": "Agent", **ANA},
        {"objectType": "StatementRef", "id": "6690e6c9-3ef0-4ed3-8b37-7f3964730bee"},
        {"objectType": "SubStatement", "actor": ANA, "verb": {"id": "x:y"}, "object": {"id": "x:z"}},
    ],
)
def test_object_is_none_when_it_is_no_activity(target: dict[str, Any]) -> None:
    (act,) = acts_of(read(object=target), "museum")
    assert act.object is None
    assert act.object_name == {}


def test_numbers_stay_as_they_were_written() -> None:
    text = json.dumps({**MINIMAL, "result": {"score": "HERE"}}).replace(
        '"HERE"', '{"scaled": 0.10, "raw": 12345678901234567890, "min": -0.0, "max": 1E2}'
    )
    (act,) = acts_of(read_statement(text.encode()), "museum")
    assert (act.scaled, act.raw, act.min, act.max) == ("0.10", "12345678901234567890", "-0.0", "1E2")


def test_result_and_context_are_read() -> None:
    activity = {"id": "https://example.org/p"}
    result = {"success": False, "completion": True, "duration": "PT1H30M", "response": "w" * 3000}
    context = {
        "contextActivities": {
            "parent": [activity, activity],
            "grouping": activity,
            "category": [{"id": "https://example.org/c"}],
        }
    }
    definition = {"name": {"en": "Workshop"}, "type": "https://example.org/type"}
    (act,) = acts_of(
        read(result=result, context=context, object={"id": "x:y", "definition": definition}), "museum"
    )
    assert (act.success, act.completion, act.seconds) == (False, True, 5400)
    assert act.narrative == "w" * LONGEST_NARRATIVE
    assert act.parents == act.groupings == ("https://example.org/p",)
    assert act.categories == ("https://example.org/c",)
    assert (act.object_name, act.type) == ({"en": "Workshop"}, "https://example.org/type")


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [
        ("PT1H30M", 5400),
        ("P1W", 604_800),
        ("P1DT1S", 86_401),
        ("PT0.5S", 1),
        ("PT0.49S", 0),
        ("PT1,5H", 5400),
        ("P0Y0M1D", 86_400),
        ("P1Y", None),
        ("P0.5M", None),
        ("ninety", None),
    ],
)
def test_duration_is_whole_seconds_when_it_is_a_number_of_them(duration: str, seconds: int | None) -> None:
    assert seconds_of(duration) == seconds


@pytest.mark.parametrize("duration", ["P99999999999999999999W", f"PT{'9' * 200}S", "P5301W"])
def test_row_is_made_when_a_duration_is_longer_than_a_century(duration: str) -> None:
    """One statement that no row can hold would keep everybody's from being derived."""
    (act,) = acts_of(read(result={"duration": duration}), "museum")
    assert act.seconds is None
    assert act_from(act_row(IdentityId("0" * 12), act)) == act


def test_instructor_stands_for_the_statement_before_the_authority_does() -> None:
    mentor = {"mbox": "mailto:mo@example.org", "name": "Mo"}
    assert acts_of(read(), "m")[0].voucher == Voucher("machine", "Museum", "account https://lrs.example abc")
    assert acts_of(read(context={"instructor": mentor}), "m")[0].voucher == Voucher(
        "teacher", "Mo", "mbox mailto:mo@example.org"
    )
    context = {"instructor": mentor, "extensions": {VOUCHER: "mentor"}}
    assert acts_of(read(context=context), "m")[0].voucher.kind == "mentor"


@pytest.mark.parametrize("said", ["boss", 3, ["mentor"], {"kind": "mentor"}, None])
def test_extension_is_passed_over_when_it_names_no_kind(said: object) -> None:
    assert acts_of(read(context={"extensions": {VOUCHER: said}}), "m")[0].voucher.kind == "machine"


def test_row_gives_the_act_back() -> None:
    full = read(
        actor={"objectType": "Group", "member": [ANA]},
        context={"instructor": BEN, "contextActivities": {"parent": [{"id": "x:p"}]}},
        result={"score": {"scaled": 0.5}, "success": False, "duration": "PT0S"},
    )
    for statement in (read(), full):
        (act,) = acts_of(statement, "museum")
        row = act_row(IdentityId("0" * 12), act)
        assert act_from(row) == act
        assert (row.table, row.owner, row.key) == ("acts", "0" * 12, act_key(act))
        assert json.dumps(json.loads(row.content), sort_keys=True) == json.dumps(json.loads(row.content))


def test_text_order_is_the_order_of_time() -> None:
    years = ["0001-01-01", "1969-12-31", "1970-01-01", "2026-03-01", "9999-12-31"]
    texts = [sortable(from_datetime(datetime.fromisoformat(year).replace(tzinfo=UTC))) for year in years]
    assert texts == sorted(texts)
    assert {len(text) for text in texts} == {18}
