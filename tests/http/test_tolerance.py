"""A key that asks for it has small known faults mended: seen, counted, logged, never silently."""

import json
import logging
from typing import Any

import pytest

from lrs.access.model import Scope, Tolerance
from lrs.xapi.ports import Position
from lrs.xapi.texts import received_text
from tests.factories import make_statement, make_statement_id
from tests.http.conftest import Instance
from tests.http.posting import key_id, sign_in

EVERY = frozenset(Tolerance)
FAULTY = make_statement(
    id=make_statement_id(1),
    actor={"mbox": "ada@example.org"},
    result={"score": {"scaled": "0.8"}, "success": "true"},
)


def tolerant(instance: Instance, *scopes: Scope) -> dict[str, str]:
    return instance.key("School", *scopes, tolerances=EVERY)


def arrivals(instance: Instance, key: dict[str, str]) -> Any:
    return instance.client.get(f"/api/v1/keys/{key_id(key)}/arrivals", headers=key).get_json()


def kept_as_sent(instance: Instance, name: str) -> list[bytes]:
    handle = instance.access.handle_for_institution_named(name)
    page = instance.services.stores.records.statements(handle).read_log(Position(0), 10)
    return [received_text(one.body) for one in page.statements]


def test_a_faulty_statement_is_refused_without_and_mended_with_a_tolerance(instance: Instance) -> None:
    assert instance.post([FAULTY], instance.key()).status_code == 400
    key = tolerant(instance)
    answer = instance.post([FAULTY], key)
    assert answer.status_code == 200, answer.text
    served = instance.get(key, statementId=FAULTY["id"]).get_json()
    assert served["actor"]["mbox"] == "mailto:ada@example.org"
    assert served["result"] == {"score": {"scaled": 0.8}, "success": True}
    assert kept_as_sent(instance, "School") == [json.dumps(FAULTY).encode()]


def test_it_is_found_by_what_it_was_mended_to(instance: Instance) -> None:
    key = tolerant(instance)
    instance.post(FAULTY, key)
    found = instance.get(key, agent='{"mbox":"mailto:ada@example.org"}').get_json()["statements"]
    assert [one["id"] for one in found] == [FAULTY["id"]]


def test_the_same_again_is_there_already_faulty_or_mended(instance: Instance) -> None:
    key = tolerant(instance)
    right = {**FAULTY, "actor": {"mbox": "mailto:ada@example.org"}}
    right["result"] = {"score": {"scaled": 0.8}, "success": True}
    for sent in (FAULTY, FAULTY, right):
        assert instance.post(sent, key).status_code == 200
    assert [one["already"] for one in arrivals(instance, key)["receipts"]] == [1, 1, 0]


@pytest.mark.parametrize("way", ["post", "put", "lines"])
def test_receipts_count_what_was_mended(instance: Instance, way: str) -> None:
    key = tolerant(instance)
    right = make_statement(id=make_statement_id(2))
    if way == "put":
        query = {"statementId": FAULTY["id"]}
        answer = instance.client.put("/xapi/statements", query_string=query, json=FAULTY, headers=key)
    elif way == "post":
        answer = instance.post([right, FAULTY], key)
    else:
        body = b"\n".join(json.dumps(one).encode() for one in (right, FAULTY))
        answer = instance.client.post(
            "/api/v1/statements/lines", data=body, headers=key, content_type="application/x-ndjson"
        )
    assert answer.status_code in {200, 204}, answer.text
    assert [one["corrected"] for one in arrivals(instance, key)["receipts"]] == [1]
    instance.post(make_statement(id=make_statement_id(3)), key)
    assert [one["corrected"] for one in arrivals(instance, key)["receipts"]] == [0, 1]


def test_each_correction_is_logged_without_what_was_sent(
    embedded: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    key = tolerant(embedded)
    with caplog.at_level(logging.INFO, logger="lrs.xapi.tolerance"):
        embedded.post([make_statement(), FAULTY], key)
    assert caplog.messages == [
        f"{key_id(key)}: statement {FAULTY['id']} was mended: mbox-scheme at /actor/mbox,"
        " number-text at /result/score/scaled, boolean-text at /result/success"
    ]


def test_only_what_was_chosen_is_mended(instance: Instance) -> None:
    key = instance.key("School", tolerances={Tolerance.MBOX_SCHEME})
    problems = instance.post([FAULTY], key).get_json()["problems"]
    assert {problem["path"] for problem in problems} == {"/0/result/score/scaled", "/0/result/success"}


def test_the_page_says_that_and_how_much_was_mended(embedded: Instance) -> None:
    key = tolerant(embedded)
    embedded.post(FAULTY, key)
    sign_in(embedded, "School")
    page = embedded.client.get(f"/arrivals/{key_id(key)}").text
    assert "<dt>mended on arrival</dt><dd>1</dd>" in page
    assert "These faults of records are mended, not refused: boolean-text, duration-form" in page
    assert "Mended</th>" in page


def test_the_api_makes_lists_and_rotates_keys_with_tolerances(instance: Instance) -> None:
    admin = instance.key(None, Scope.ADMIN)
    school = instance.access.create_institution("School")
    path = f"/api/v1/institutions/{school.id}/keys"
    wanted = {"scopes": ["all"], "tolerances": ["null-property", "mbox-scheme"]}
    made = instance.client.post(path, json=wanted, headers=admin)
    assert made.status_code == 201, made.text
    assert made.get_json()["tolerances"] == ["mbox-scheme", "null-property"]
    rotated = instance.client.post(f"/api/v1/keys/{made.get_json()['id']}/rotations", json={}, headers=admin)
    assert rotated.get_json()["tolerances"] == ["mbox-scheme", "null-property"]
    listed = instance.client.get(path, headers=admin).get_json()["keys"]
    assert [one["tolerances"] for one in listed] == [["mbox-scheme", "null-property"]] * 2
    wrong = instance.client.post(path, json={"scopes": ["all"], "tolerances": ["all"]}, headers=admin)
    assert (wrong.status_code, wrong.get_json()["problems"][0]["path"]) == (400, "/tolerances/0")
