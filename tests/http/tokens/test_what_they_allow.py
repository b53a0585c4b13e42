"""Tokens: what they allow, and how they stand beside keys."""

from lrs.access.model import Scope
from tests.engines import Engine
from tests.factories import make_statement
from tests.http.posting import sign_in
from tests.http.tokens.world import World, assert_refused, bearer, made
from tests.issuers import AUDIENCE, LocalIssuer

# What a token allows


def test_token_does_what_its_scopes_say(world: World) -> None:
    assert world.post(world.token(scope="statements/write"), make_statement()).status_code == 200
    assert world.get(world.token(scope="statements/write")).status_code == 403
    assert world.get(world.token(scope=["statements/read", 7])).status_code == 200
    assert world.post(world.token(scope=["statements/read"]), make_statement()).status_code == 403
    for nothing in ("openid email", "", None, 7, {}):
        assert world.get(world.token(scope=nothing)).status_code == 403


def test_mine_is_what_the_tokens_client_wrote(world: World) -> None:
    world.post(world.token(azp="kiosk"), make_statement())
    mine = world.post(world.token(), make_statement()).json
    found = world.get(world.token(scope="statements/read/mine")).json["statements"]
    assert [one["id"] for one in found] == mine


def test_profile_is_openids_when_the_token_is_openids(steady: World) -> None:
    path = "/xapi/activities/profile?activityId=http://a.example/1"
    assert steady.get(steady.token(scope="openid profile"), path).status_code == 403
    assert steady.get(steady.token(scope="profile"), path).status_code == 200


def test_token_never_administers(steady: World) -> None:
    answer = steady.instance.client.post(
        "/api/v1/institutions", json={"name": "Mine"}, headers=bearer(steady.token(scope="all admin"))
    )
    assert answer.status_code == 403


def test_other_claims_are_read_when_the_institution_says_so(sqlite: Engine, issuer: LocalIssuer) -> None:
    world = made(sqlite, issuer)
    world.trust("Museum", "museum", client_claim="client_id", scope_claim="scp")
    token = world.token(aud="museum", azp="no", client_id="desk", scope="all", scp=["statements/write"])
    assert world.post(token, make_statement()).status_code == 200
    assert world.get(token).status_code == 403


def test_institutions_stay_apart_when_they_trust_the_same_issuer(world: World) -> None:
    world.trust("Museum", "museum")
    world.post(world.token(), make_statement())
    world.post(world.token(aud="museum"), make_statement())
    for audience in (AUDIENCE, "museum"):
        assert len(world.get(world.token(aud=audience)).json["statements"]) == 1
    assert_refused(world.get(world.token(aud=[AUDIENCE, "museum"])))


def test_token_is_refused_at_once_when_its_issuer_is_trusted_no_more(world: World) -> None:
    other = world.trust("Museum", "museum")
    assert world.get(world.token(aud="museum")).status_code == 200
    world.instance.services.issuers.remove(other)
    assert_refused(world.get(world.token(aud="museum")))
    assert world.get(world.token()).status_code == 200


def test_client_with_keys_is_another_when_a_token_says_its_name(world: World) -> None:
    headers = world.instance.key("School", Scope.ALL)
    world.instance.access.ensure_client(world.instance.access.get_institution_named("School").id, "moodle")
    world.post(world.token(azp="School"), make_statement())
    world.instance.post(make_statement(), headers)
    found = world.instance.get(headers).json["statements"]
    assert found[0]["authority"] != found[1]["authority"]


def test_client_is_limited_when_the_instance_limits_keys(sqlite: Engine, issuer: LocalIssuer) -> None:
    world = made(sqlite, issuer, LRS_KEY_RATE="2")
    answers = [world.get(world.token()).status_code for _ in range(3)]
    assert answers == [200, 200, 429]
    assert world.get(world.token(azp="kiosk")).status_code == 200


def test_arrivals_are_told_of_the_client_when_tokens_brought_them(world: World) -> None:
    world.post(world.token(), make_statement())
    world.post(world.token(), {"no": "statement"})
    access = world.instance.access
    names = access.client_names(access.get_institution_named("School").id)
    path = f"/api/v1/keys/{next(iter(names))}/arrivals"
    told = world.get(world.token(), path)
    assert told.status_code == 200, told.text
    assert (len(told.json["receipts"]), len(told.json["refusals"])) == (1, 1)
    assert world.get(world.token(azp="kiosk", scope="statements/write"), path).status_code == 404
    client = world.instance.client
    sign_in(world.instance, "School")
    for page in ("/arrivals", f"/arrivals/{next(iter(names))}"):
        assert f"moodle ({world.issuer.url.removeprefix('http://')})" in client.get(page).text


# Beside keys


def test_basic_is_asked_for_when_nothing_is_sent(steady: World) -> None:
    for headers in ({}, {"Authorization": "Digest x"}):
        answer = steady.instance.client.get("/xapi/statements", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")


def test_scheme_counts_in_any_case_when_it_is_bearer(steady: World) -> None:
    headers = {**bearer(""), "Authorization": f"bEARER  {steady.token()} "}
    assert steady.instance.client.get("/xapi/statements", headers=headers).status_code == 200
