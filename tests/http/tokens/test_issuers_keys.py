"""Tokens: keys that change, issuers that are away."""

import pytest

from lrs.access.keysets import FRESH_US, KEPT_US, PAUSE_US
from tests.engines import Engine
from tests.http.conftest import make_instance
from tests.http.tokens.world import SECOND, World, assert_refused, made
from tests.issuers import LocalIssuer, issuing, public, rsa


def test_new_key_is_found_when_the_issuer_changes_its_keys(world: World) -> None:
    assert world.get(world.token()).status_code == 200
    world.issuer.keys = [public(rsa()), public(rsa(2))]
    world.instance.clock.move(PAUSE_US / SECOND)
    assert world.get(world.token(rsa(2))).status_code == 200
    world.issuer.keys = [public(rsa(2))]
    world.instance.clock.move(FRESH_US / SECOND)
    assert_refused(world.get(world.token(rsa())))
    assert world.get(world.token(rsa(2))).status_code == 200


def test_issuer_is_asked_twice_a_minute_when_unknown_keys_flood_in(small: World) -> None:
    assert small.get(small.token()).status_code == 200
    before = len(small.issuer.fetched)
    small.instance.clock.move(PAUSE_US / SECOND)
    for number in range(30):
        assert_refused(small.get(small.token(header={"kid": f"unknown-{number}"})))
    assert len(small.issuer.fetched) == before + 2
    small.instance.clock.move(PAUSE_US / SECOND)
    assert_refused(small.get(small.token(header={"kid": "unknown"})))
    assert len(small.issuer.fetched) == before + 4
    assert small.get(small.token()).status_code == 200


def test_keys_are_kept_for_a_day_when_the_issuer_is_away(small: World) -> None:
    assert small.get(small.token()).status_code == 200
    small.issuer.status = 503
    small.instance.clock.move(KEPT_US / SECOND - 1)
    before = len(small.issuer.fetched)
    for _ in range(5):
        assert small.get(small.token()).status_code == 200
    assert len(small.issuer.fetched) == before + 1
    small.instance.clock.move(1)
    answer = small.get(small.token())
    assert (answer.status_code, answer.json["code"]) == (500, "outbound-unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    small.issuer.status = 200
    small.instance.clock.move(PAUSE_US / SECOND)
    assert small.get(small.token()).status_code == 200


@pytest.mark.parametrize("body", [b"", b"no json", b"[]", b'{"keys": 7}', b'{"keys": []}', b"[" * 100_000])
def test_answer_is_that_it_may_be_tried_again_when_the_issuer_has_no_good_keys(
    small: World, body: bytes
) -> None:
    small.issuer.body = body or b" "
    answer = small.get(small.token())
    assert (answer.status_code, answer.json["code"]) == (500, "outbound-unavailable")
    small.issuer.body = None
    small.instance.clock.move(PAUSE_US / SECOND)
    assert small.get(small.token()).status_code == 200


def test_keys_are_not_taken_when_the_discovery_document_is_anothers(small: World) -> None:
    small.issuer.names_itself = "https://another.example"
    assert small.get(small.token()).status_code == 500
    assert not [path for path in small.issuer.fetched if path.endswith("/keys")]


def test_good_keys_stay_when_the_issuer_publishes_nonsense(small: World) -> None:
    assert small.get(small.token()).status_code == 200
    small.issuer.keys = []
    small.instance.clock.move(FRESH_US / SECOND)
    assert small.get(small.token()).status_code == 200


def test_discovery_is_not_asked_when_the_address_of_the_keys_is_given(sqlite: Engine) -> None:
    with issuing() as issuer:
        world = World(make_instance(sqlite, LRS_OUTBOUND_ALLOW=f"127.0.0.1:{issuer.seen.port}"), issuer)
        world.trust(jwks_url=f"{issuer.url}/elsewhere")
        assert world.get(world.token()).status_code == 200
        assert issuer.fetched == ["/realms/harbour/elsewhere"]


def test_issuer_is_not_asked_when_its_address_is_private_and_not_allowed(
    sqlite: Engine, issuer: LocalIssuer
) -> None:
    world = made(sqlite, issuer, LRS_OUTBOUND_ALLOW="none")
    assert world.get(world.token()).status_code == 500
    assert issuer.seen.connections == 0
