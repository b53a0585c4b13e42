"""Quotas over HTTP: what does not fit is refused with nothing lost, and people are told in time."""

import logging
from typing import Any

import pytest

from lrs.access.model import Scope
from lrs.xapi.quotas import Usage
from tests.http.conftest import Instance
from tests.http.posting import GOOD, key_id, sign_in
from tests.http.test_access_api import administrator


def place(instance: Instance, what: str, name: str = "School") -> str:
    return f"/api/v1/institutions/{instance.access.get_institution_named(name).id}/{what}"


def set_quota(instance: Instance, statements: object, name: str = "School") -> Any:
    return instance.client.put(
        place(instance, "quota", name), json={"statements": statements}, headers=administrator(instance)
    )


def test_a_post_that_does_not_fit_is_refused_whole_and_the_rest_stays(instance: Instance) -> None:
    key = instance.key()
    assert set_quota(instance, 3).get_json()["statementQuota"] == 3
    kept = instance.post([GOOD, GOOD], key).get_json()
    refused = instance.post([GOOD, GOOD], key)
    assert refused.status_code == 403
    body = refused.get_json()
    assert body["code"] == "quota-exceeded"
    assert "may hold 3 statements and holds 2; 2 new ones do not fit" in body["detail"]
    assert {one["id"] for one in instance.get(key).get_json()["statements"]} == set(kept)
    assert instance.post(GOOD, key).status_code == 200
    assert instance.post(GOOD, key).status_code == 403


def test_a_put_that_does_not_fit_is_refused_and_one_that_is_there_is_not(instance: Instance) -> None:
    key = instance.key()
    id_ = instance.post({**GOOD, "id": "11111111-1111-4111-8111-111111111111"}, key).get_json()[0]
    set_quota(instance, 1)

    def put(id_: str) -> int:
        answer = instance.client.put(
            "/xapi/statements", query_string={"statementId": id_}, json=GOOD, headers=key
        )
        return answer.status_code

    assert put(id_) == 204
    assert put("11111111-1111-4111-8111-111111111112") == 403


def test_the_refusal_stands_with_the_arrivals_of_the_key(instance: Instance) -> None:
    key = instance.key()
    set_quota(instance, 1)
    instance.post([GOOD, GOOD], key)
    body = instance.client.get(f"/api/v1/keys/{key_id(key)}/arrivals", headers=key).get_json()
    assert [one["code"] for one in body["refusals"]] == ["quota-exceeded"]


def test_another_institution_has_room_of_its_own(instance: Instance) -> None:
    school, museum = instance.key("School"), instance.key("Museum")
    set_quota(instance, 1)
    assert instance.post([GOOD, GOOD], museum).status_code == 200
    assert instance.post(GOOD, school).status_code == 200


def test_a_larger_quota_holds_at_once_and_none_lets_everything_in(instance: Instance) -> None:
    key = instance.key()
    set_quota(instance, 1)
    assert instance.post([GOOD, GOOD], key).status_code == 403
    set_quota(instance, 2)
    assert instance.post([GOOD, GOOD], key).status_code == 200
    set_quota(instance, 0)
    assert instance.post([GOOD] * 10, key).status_code == 200


@pytest.mark.parametrize("statements", [-1, 1.5, "5", None, 10**16])
def test_a_quota_is_refused_when_it_is_no_number_of_statements(
    embedded: Instance, statements: object
) -> None:
    embedded.key()
    assert set_quota(embedded, statements).status_code == 400


def test_only_an_administrator_sets_a_quota(embedded: Instance) -> None:
    key = embedded.key()
    answer = embedded.client.put(place(embedded, "quota"), json={"statements": 5}, headers=key)
    assert answer.status_code == 403


def test_usage_is_told_to_administrators_and_the_institution_itself(instance: Instance) -> None:
    key, narrow = instance.key(), instance.key("School", Scope.STATEMENTS_READ)
    set_quota(instance, 10)
    instance.post([GOOD] * 8, key)
    expected = {"statements": 8, "quota": 10, "percent": 80, "alarm": True}
    for headers in (key, administrator(instance)):
        assert instance.client.get(place(instance, "usage"), headers=headers).get_json() == expected
    assert instance.client.get(place(instance, "usage"), headers=narrow).status_code == 403


@pytest.mark.parametrize(
    ("statements", "quota", "percent", "alarm", "full"),
    [
        (0, 0, 0, False, False),
        (10**9, 0, 0, False, False),
        (79, 100, 79, False, False),
        (80, 100, 80, True, False),
        (799, 1000, 79, False, False),
        (100, 100, 100, True, True),
        (150, 100, 150, True, True),
    ],
)
def test_the_alarm_begins_at_eighty_percent(
    statements: int, quota: int, percent: int, alarm: bool, full: bool
) -> None:
    usage = Usage(statements, quota)
    assert (usage.percent, usage.alarm, usage.full) == (percent, alarm, full)


def test_the_log_warns_once_an_hour(embedded: Instance, caplog: pytest.LogCaptureFixture) -> None:
    key, other = embedded.key("School"), embedded.key("Museum")
    for name in ("School", "Museum"):
        set_quota(embedded, 100, name)
    warnings = []
    with caplog.at_level(logging.WARNING, "lrs.xapi.quotas"):
        embedded.post([GOOD] * 79, key)
        for minutes in (1, 1, 58, 1, 1):
            embedded.clock.move(minutes * 60)
            embedded.post(GOOD, key)
            warnings.append(len(caplog.records))
        embedded.post([GOOD] * 90, other)
        warnings.append(len(caplog.records))
    assert warnings == [1, 1, 1, 2, 2, 3]
    school = embedded.access.get_institution_named("School").id
    assert caplog.messages[0] == f"institution {school} holds 80 statements, 80 % of its quota of 100"


def test_the_page_says_when_room_runs_out(instance: Instance) -> None:
    key = instance.key()
    sign_in(instance, "School")
    set_quota(instance, 5)
    instance.post([GOOD] * 3, key)
    assert 'id="quota"' not in instance.client.get("/arrivals").text
    instance.post(GOOD, key)
    page = instance.client.get("/arrivals").text
    assert "Room for records is running out" in page
    assert "may hold 5 records, and holds 4 (80 %)" in page
    instance.post(GOOD, key)
    assert "No more records fit" in instance.client.get("/arrivals").text
