"""Keys over HTTP: rotated with an overlap, ending, limited."""

from typing import Any

import pytest

from lrs.access.model import Scope
from lrs.clock import to_text
from tests.engines import Engine
from tests.http.conftest import Instance, basic, make_instance
from tests.http.posting import BAD, GOOD, key_id
from tests.http.test_access_api import administrator

DAY = 86_400


def rotate(instance: Instance, key: dict[str, str], **body: Any) -> Any:
    return instance.client.post(
        f"/api/v1/keys/{key_id(key)}/rotations", json=body, headers=administrator(instance)
    )


def headers_of(made: Any) -> dict[str, str]:
    return {**basic(made["id"], made["secret"]), "X-Experience-API-Version": "1.0.3"}


def test_both_keys_are_good_during_the_overlap_and_one_after_it(instance: Instance) -> None:
    old = instance.key("School", Scope.STATEMENTS_WRITE, default_version="2.0.0", rate_per_minute=500)
    answer = rotate(instance, old)
    assert answer.status_code == 201, answer.text
    made = answer.get_json()
    assert (made["scopes"], made["defaultVersion"], made["ratePerMinute"]) == (
        ["statements/write"],
        "2.0.0",
        500,
    )
    assert (made["expiresAt"], made["state"], made["lastUsedAt"]) == (None, "good", None)
    new = headers_of(made)
    assert instance.post(GOOD, old).status_code == 200
    assert instance.post(GOOD, new).status_code == 200
    instance.clock.move(DAY - 1)
    assert instance.post(GOOD, old).status_code == 200
    instance.clock.move(1)
    assert instance.post(GOOD, old).status_code == 401
    assert instance.post(GOOD, new).status_code == 200


def test_the_authority_stays_when_a_key_is_rotated(instance: Instance) -> None:
    old = instance.key()
    first = instance.post(GOOD, old).get_json()[0]
    new = headers_of(rotate(instance, old).get_json())
    second = instance.post(GOOD, new).get_json()[0]
    authorities = [instance.get(new, statementId=id_).get_json()["authority"] for id_ in (first, second)]
    assert authorities[0] == authorities[1]


def test_own_records_stay_readable_when_a_key_is_rotated(instance: Instance) -> None:
    old = instance.key("School", Scope.STATEMENTS_WRITE, Scope.STATEMENTS_READ_MINE)
    instance.post(GOOD, old)
    new = headers_of(rotate(instance, old, overlapHours=0).get_json())
    assert len(instance.get(new).get_json()["statements"]) == 1


def test_the_old_key_ends_at_once_when_there_is_no_overlap(instance: Instance) -> None:
    old = instance.key()
    assert rotate(instance, old, overlapHours=0).status_code == 201
    assert instance.get(old).status_code == 401


def test_the_successor_lasts_as_long_when_the_key_was_made_for_a_time(embedded: Instance) -> None:
    end = embedded.clock() + 100 * DAY * 1_000_000
    old = embedded.key(expires_at_us=end)
    embedded.clock.move(60 * DAY)
    new = headers_of(rotate(embedded, old).get_json())
    embedded.clock.move(99 * DAY)
    assert embedded.get(new).status_code == 200
    embedded.clock.move(DAY)
    assert embedded.get(new).status_code == 401


def test_rotating_is_refused_when_there_is_nothing_to_rotate(embedded: Instance) -> None:
    old = embedded.key()
    assert rotate(embedded, basic("0" * 12, "")).status_code == 404
    assert rotate(embedded, old).status_code == 201
    again = rotate(embedded, old)
    assert again.status_code == 409
    assert "successor" in again.get_json()["detail"]
    revoked = embedded.key()
    embedded.access.keys.revoke(key_id(revoked))
    assert rotate(embedded, revoked).status_code == 409
    ended = embedded.key(expires_at_us=embedded.clock() + 1)
    embedded.clock.move(1)
    assert rotate(embedded, ended).status_code == 409


def change(instance: Instance, key: dict[str, str], **body: Any) -> Any:
    return instance.client.patch(f"/api/v1/keys/{key_id(key)}", json=body, headers=administrator(instance))


def test_another_rate_is_in_force_at_the_next_request_of_every_process(engine: Engine) -> None:
    first, second = make_instance(engine), make_instance(engine)
    key = first.key(rate_per_minute=1)
    assert [second.get(key).status_code for _ in range(2)] == [200, 429]
    changed = change(first, key, ratePerMinute=0)
    assert (changed.status_code, changed.get_json()["ratePerMinute"]) == (200, 0)
    assert [second.get(key).status_code for _ in range(3)] == [200] * 3
    assert change(first, key, ratePerMinute=None).get_json()["ratePerMinute"] is None


def test_what_is_given_changes_and_the_rest_stays(instance: Instance) -> None:
    end = instance.clock() + DAY * 1_000_000
    key = instance.key(expires_at_us=end, rate_per_minute=500)
    before = change(instance, key, tolerances=["null-property"]).get_json()
    assert before["tolerances"] == ["null-property"]
    after = change(instance, key, expiresAt=None, defaultVersion="2.0.0").get_json()
    assert after == {**before, "expiresAt": None, "defaultVersion": "2.0.0", "state": "good"}
    instance.clock.move(2 * DAY)
    assert instance.get(key).status_code == 200


def test_a_key_ends_at_the_new_moment_when_its_end_was_changed(instance: Instance) -> None:
    key = instance.key()
    ends = to_text(instance.clock() + DAY * 1_000_000)
    assert change(instance, key, expiresAt=ends).get_json()["expiresAt"] == ends
    instance.clock.move(DAY)
    assert instance.get(key).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"ratePerMinute": -1},
        {"ratePerMinute": "7"},
        {"expiresAt": "2001-01-01T00:00:00Z"},
        {"defaultVersion": "1.0.2"},
        {"tolerances": None},
        {"tolerances": ["everything"]},
        {"scopes": ["all"]},
    ],
)
def test_a_key_stays_as_it_is_when_the_change_is_wrong(embedded: Instance, body: dict[str, Any]) -> None:
    key = embedded.key()
    before = embedded.access.keys.find(key_id(key))
    assert change(embedded, key, **body).status_code == 400
    assert embedded.access.keys.find(key_id(key)) == before


def test_changing_is_refused_when_the_key_is_unknown_rotated_revoked_or_expired(embedded: Instance) -> None:
    assert change(embedded, basic("0" * 12, ""), ratePerMinute=1).status_code == 404
    rotated, revoked = embedded.key(), embedded.key()
    expired = embedded.key(expires_at_us=embedded.clock() + DAY * 1_000_000)
    successor = rotate(embedded, rotated).get_json()["id"]
    embedded.access.keys.revoke(key_id(revoked))
    embedded.clock.move(DAY / 2)
    refused = change(embedded, rotated, ratePerMinute=1)
    assert refused.status_code == 409
    assert successor in refused.get_json()["detail"]
    embedded.clock.move(DAY)
    for key in (revoked, expired):
        assert change(embedded, key, ratePerMinute=1, expiresAt=None).status_code == 409


def test_an_administrators_key_tolerates_nothing(embedded: Instance) -> None:
    own = administrator(embedded)
    assert change(embedded, own, ratePerMinute=9).get_json()["ratePerMinute"] == 9
    assert change(embedded, own, tolerances=["null-property"]).status_code == 400


@pytest.mark.parametrize("body", [{"overlapHours": -1}, {"overlapHours": 1.5}, {"overlap": 1}])
def test_rotating_is_refused_when_the_body_is_wrong(embedded: Instance, body: dict[str, Any]) -> None:
    key = embedded.key()
    assert rotate(embedded, key, **body).status_code == 400
    assert embedded.get(key).status_code == 200


def test_only_an_administrator_rotates(embedded: Instance) -> None:
    key = embedded.key()
    answer = embedded.client.post(f"/api/v1/keys/{key_id(key)}/rotations", json={}, headers=key)
    assert answer.status_code == 403


def test_a_key_is_called_ending_from_fourteen_days_before(embedded: Instance) -> None:
    end = embedded.clock() + 30 * DAY * 1_000_000
    key = embedded.key(expires_at_us=end)
    place = f"/api/v1/institutions/{embedded.access.get_institution_named('School').id}/keys"

    def state() -> str:
        state: str = embedded.client.get(place, headers=administrator(embedded)).get_json()["keys"][0][
            "state"
        ]
        return state

    states = []
    for days in (0, 15.99, 0.01, 13.99, 0.01):
        embedded.clock.move(days * DAY)
        states.append(state())
    assert states == ["good", "good", "ending", "ending", "expired"]
    embedded.access.keys.revoke(key_id(key))
    assert state() == "revoked"


def test_too_many_requests_are_refused_until_some_flow_in(instance: Instance) -> None:
    key = instance.key(rate_per_minute=3)
    assert [instance.get(key).status_code for _ in range(3)] == [200] * 3
    refused = instance.post(GOOD, key)
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "20"
    assert refused.get_json()["code"] == "rate-limited"
    assert refused.headers["X-Experience-API-Version"] == "1.0.3"
    instance.clock.move(20)
    assert instance.post(GOOD, key).status_code == 200


def test_a_refused_request_writes_nothing(embedded: Instance) -> None:
    """Neither a refusal for the provider's page nor the moment of last use."""
    key = embedded.key(rate_per_minute=1)
    embedded.post(BAD, key)
    before = embedded.access.keys.find(key_id(key))
    embedded.clock.move(0.5)
    for _ in range(5):
        assert embedded.post(BAD, key).status_code == 429
    assert embedded.access.keys.find(key_id(key)) == before
    handle = embedded.access.handle_for_institution_named("School")
    assert len(embedded.services.arrivals.overview(handle, key_id(key)).refusals) == 1


def test_the_rate_of_a_stranger_costs_the_key_nothing(embedded: Instance) -> None:
    key = embedded.key(rate_per_minute=2)
    for _ in range(5):
        assert embedded.get({**key, **basic(key_id(key), "wrong")}).status_code == 401
    assert embedded.get(key).status_code == 200


def test_the_setting_holds_for_keys_without_a_rate(sqlite: Engine) -> None:
    instance = make_instance(sqlite, LRS_KEY_RATE="2")
    usual, free = instance.key(), instance.key(rate_per_minute=0)
    assert [instance.get(usual).status_code for _ in range(4)] == [200, 200, 429, 429]
    assert [instance.get(free).status_code for _ in range(4)] == [200] * 4
