"""Signed tokens as the second way in, from a real issuer on the loopback."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from config.settings import read_settings
from lrs.access.issuers import IssuerWish
from lrs.access.keysets import FRESH_US, KEPT_US, PAUSE_US
from lrs.access.model import Scope
from lrs.access.tokens import LEEWAY_US
from lrs.errors import AlreadyExists, ConfigError, InvalidRequest, NotFound
from tests.engines import Engine, mongomock_engine, sqlite_engine
from tests.factories import make_statement
from tests.http.conftest import Instance, make_instance
from tests.http.test_arrivals import sign_in
from tests.issuers import AUDIENCE, LocalIssuer, ec, issuing, part, public, rsa
from tests.loopback import write_authority, write_certificate

SECOND = 1_000_000


class World:
    """An instance whose school trusts an issuer."""

    def __init__(self, instance: Instance, issuer: LocalIssuer) -> None:
        self.instance, self.issuer = instance, issuer

    def trust(self, institution: str = "School", audience: str = AUDIENCE, **wish: Any) -> str:
        self.instance.access.ensure_institution(institution)
        made = self.instance.services.issuers.add(institution, IssuerWish(self.issuer.url, audience, **wish))
        return made.id

    def token(self, key: Any = None, header: dict[str, Any] | None = None, **claims: Any) -> str:
        return self.issuer.token(self.instance.clock(), key, header, **claims)

    def get(self, token: str, path: str = "/xapi/statements") -> TestResponse:
        return self.instance.client.get(path, headers=bearer(token))

    def post(self, token: str, body: Any) -> TestResponse:
        return self.instance.post(body, bearer(token))


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "X-Experience-API-Version": "1.0.3"}


@pytest.fixture
def issuer() -> Iterator[LocalIssuer]:
    with issuing() as one:
        yield one


@pytest.fixture(params=["sqlite", "mongomock"])
def world(request: pytest.FixtureRequest, tmp_path: Path, issuer: LocalIssuer) -> Iterator[World]:
    engine = sqlite_engine(tmp_path) if request.param == "sqlite" else mongomock_engine()
    yield made(engine, issuer)
    engine.close()


@pytest.fixture
def small(sqlite: Engine, issuer: LocalIssuer) -> World:
    """On one engine, where the store does not matter."""
    return made(sqlite, issuer)


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """For tests that change nothing: its clock stands, its issuer stays."""
    engine = sqlite_engine(tmp_path_factory.mktemp("steady"))
    with issuing() as one:
        yield made(engine, one)
    engine.close()


def made(engine: Engine, issuer: LocalIssuer, **environ: str) -> World:
    allow = {"LRS_OUTBOUND_ALLOW": f"127.0.0.1:{issuer.seen.port}", **environ}
    world = World(make_instance(engine, **allow), issuer)
    world.trust()
    return world


def assert_refused(answer: TestResponse) -> None:
    assert answer.status_code == 401, answer.text
    challenge = answer.headers["WWW-Authenticate"]
    assert challenge.startswith('Bearer realm="lrs", error="invalid_token", error_description="')
    assert answer.json["code"] == "unauthenticated"


def test_statements_are_the_clients_when_its_token_is_good(world: World) -> None:
    assert world.post(world.token(), make_statement()).status_code == 200
    assert world.post(world.token(aud=["other", AUDIENCE]), make_statement()).status_code == 200
    assert world.post(world.token(azp="kiosk"), make_statement()).status_code == 200
    found = world.get(world.token()).json["statements"]
    where = world.issuer.url.removeprefix("http://")
    assert [one["authority"]["name"] for one in found] == [f"kiosk ({where})", *[f"moodle ({where})"] * 2]
    assert found[1]["authority"] == found[2]["authority"]
    assert len(world.issuer.fetched) == 2


def test_token_is_good_when_it_is_signed_with_each_algorithm(world: World) -> None:
    curves = {"ES256": ec("P-256"), "ES384": ec("P-384"), "ES512": ec("P-521")}
    world.issuer.keys += [public(key) for key in curves.values()]
    for algorithm in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"):
        assert world.get(world.token(header={"alg": algorithm})).status_code == 200
    for algorithm, key in curves.items():
        assert world.get(world.token(key, {"alg": algorithm})).status_code == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://another.example"},
        {"aud": None},
        {"aud": [7, None]},
        {"aud": AUDIENCE + "/"},
        {"iss": "https://another.example"},
        {"iss": None},
        {"iss": ["x"]},
        {"exp": None},
        {"exp": "9999999999"},
        {"exp": True},
        {"exp": 0},
        {"exp": float("nan")},
        {"exp": float("inf")},
        {"exp": 10**400},
        {"nbf": "now"},
        {"nbf": 9_999_999_999},
        {"azp": None},
        {"azp": ""},
        {"azp": " moodle"},
        {"azp": "moo\ndle"},
        {"azp": "x" * 200},
        {"azp": ["moodle"]},
    ],
)
def test_token_is_refused_when_a_claim_is_not_as_it_must_be(steady: World, claims: dict[str, Any]) -> None:
    assert steady.get(steady.token()).status_code == 200
    assert_refused(steady.get(steady.token(**claims)))


def test_token_is_good_a_minute_beyond_its_time_when_clocks_differ(steady: World) -> None:
    now = steady.instance.clock() // SECOND
    leeway = LEEWAY_US // SECOND
    assert steady.get(steady.token(exp=now - leeway + 1)).status_code == 200
    assert_refused(steady.get(steady.token(exp=now - leeway)))
    assert steady.get(steady.token(nbf=now + leeway)).status_code == 200
    assert_refused(steady.get(steady.token(nbf=now + leeway + 1)))


def forged(small: World, header: dict[str, Any], signature: bytes = b"", secret: bytes | None = None) -> str:
    text = f"{part(header)}.{part(small.issuer.claims(small.instance.clock()))}"
    if secret is not None:
        signature = hmac.new(secret, text.encode(), hashlib.sha256).digest()
    return f"{text}.{part(signature)}"


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "RS256", "ES256", "", None, ["RS256"], "dir"])
def test_token_is_refused_when_nobody_signed_it(steady: World, algorithm: Any) -> None:
    for kid in ({"kid": "rsa-1"}, {}):
        assert_refused(steady.get(forged(steady, {"alg": algorithm, **kid})))


def test_token_is_refused_when_the_public_key_was_taken_for_a_secret(small: World) -> None:
    small.issuer.keys.append({"kty": "oct", "kid": "shared", "k": part(b"s" * 32), "alg": "HS256"})
    secrets = [rsa().as_pem(private=False), json.dumps(public(rsa())).encode(), b"s" * 32]
    for kid, secret in zip(("rsa-1", "rsa-1", "shared"), secrets, strict=True):
        assert_refused(small.get(forged(small, {"alg": "HS256", "kid": kid}, secret=secret)))


def test_token_is_refused_when_it_brings_its_own_key(steady: World) -> None:
    stranger = rsa(9)
    for header in ({"jwk": public(stranger)}, {"jku": f"{steady.issuer.url}/mine"}):
        assert_refused(steady.get(steady.token(stranger, {**header, "kid": "rsa-1"})))
    assert not [path for path in steady.issuer.fetched if path.endswith("/mine")]


def test_token_is_refused_when_it_was_changed_after_signing(steady: World) -> None:
    head, claims, signature = steady.token().split(".")
    other = part(steady.issuer.claims(steady.instance.clock(), scope="all admin"))
    assert_refused(steady.get(f"{head}.{other}.{signature}"))
    assert_refused(steady.get(f"{head}.{claims}.{part(b'x' * 256)}"))
    assert_refused(steady.get(f"{head}.{claims}"))


@pytest.mark.parametrize(
    "token",
    ["", "x", "a.b.c", "....", "e30.e30.e30", "ü.ü.ü", "x" * 20_000, f"{part([])}.{part([])}.{part(b'')}"],
)
def test_token_is_refused_when_it_is_none(steady: World, token: str) -> None:
    before = len(steady.issuer.fetched)
    assert_refused(steady.get(token))
    assert len(steady.issuer.fetched) == before


def test_token_is_refused_when_its_header_demands_what_is_not_understood(steady: World) -> None:
    for header in ({"crit": ["exp"], "exp": 1}, {"crit": ["b64"], "b64": False}, {"kid": 7}):
        claims = steady.issuer.claims(steady.instance.clock())
        token = f"{part({'alg': 'RS256', 'kid': 'rsa-1', **header})}.{part(claims)}.{part(b'x')}"
        assert_refused(steady.get(token))


@pytest.mark.parametrize(
    "change",
    [
        {"use": "enc"},
        {"alg": "RS512"},
        {"n": "AQAB"},
        {"n": 7},
        {"kty": "EC"},
        {"e": None},
        {"kid": ["rsa-1"]},
    ],
)
def test_token_is_refused_when_its_key_is_not_fit_for_it(small: World, change: dict[str, Any]) -> None:
    small.issuer.keys = [public(rsa(), **change), public(rsa(2))]
    assert_refused(small.get(small.token()))
    assert small.get(small.token(rsa(2))).status_code == 200


def test_token_without_key_id_is_good_when_just_one_key_fits(small: World) -> None:
    small.issuer.keys = [public(rsa()), public(ec())]
    assert small.get(small.token(header={"kid": None})).status_code == 200
    assert small.get(small.token(ec(), {"kid": None})).status_code == 200
    small.instance.clock.move(FRESH_US / SECOND)
    small.issuer.keys.append(public(rsa(2)))
    assert_refused(small.get(small.token(header={"kid": None})))


def test_nothing_is_fetched_when_nobody_trusts_the_issuer_or_the_audience(small: World) -> None:
    with issuing() as stranger:
        assert_refused(small.get(stranger.token(small.instance.clock())))
        assert_refused(small.get(small.token(aud="another")))
        assert stranger.fetched == small.issuer.fetched == []


# Keys that change, issuers that are away


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


# Whom to trust


@pytest.mark.parametrize(
    "wish",
    [
        {"url": "http://login.example"},
        {"url": "login.example"},
        {"url": "https://login.example/?a=b"},
        {"url": "https://login.example/#"},
        {"url": "https://user@login.example/"},
        {"url": "https://login.example/" + "x" * 120},
        {"audience": ""},
        {"audience": "a\nb"},
        {"audience": "x" * 501},
        {"client_claim": ""},
        {"client_claim": 'a"b'},
        {"scope_claim": "a b"},
        {"jwks_url": "http://login.example/keys"},
        {"jwks_url": ""},
    ],
)
def test_issuer_is_refused_when_it_is_said_wrongly(shared_instance: Instance, wish: dict[str, str]) -> None:
    shared_instance.access.ensure_institution("School")
    good = {"url": "https://login.example/realm", "audience": "lrs"}
    with pytest.raises(InvalidRequest):
        shared_instance.services.issuers.add("School", IssuerWish(**{**good, **wish}))
    assert shared_instance.services.issuers.list(None) == []


def test_issuer_is_trusted_once_when_it_is_added_twice(instance: Instance) -> None:
    issuers = instance.services.issuers
    for name in ("School", "Museum"):
        instance.access.create_institution(name)
    wish = IssuerWish("https://login.example", "lrs")
    made = issuers.add("School", wish)
    with pytest.raises(AlreadyExists):
        issuers.add("Museum", wish)
    assert list(issuers.list("School")) == list(issuers.list(None)) == [made]
    assert list(issuers.list("Museum")) == []
    for name in ("Nobody",):
        with pytest.raises(NotFound):
            issuers.add(name, wish)
        with pytest.raises(NotFound):
            issuers.list(name)
    issuers.remove(made.id)
    with pytest.raises(NotFound):
        issuers.remove(made.id)


def test_issuer_is_believed_when_the_authority_that_the_operator_names_vouches_for_it(
    sqlite: Engine, tmp_path: Path
) -> None:
    with issuing(certificate=write_certificate(tmp_path, "localhost")) as issuer:
        url = f"https://localhost:{issuer.seen.port}"
        allow = {"LRS_OUTBOUND_ALLOW": f"localhost:{issuer.seen.port}"}
        for named, status in (({}, 500), ({"LRS_OUTBOUND_CA": str(write_authority(tmp_path))}, 200)):
            world = World(make_instance(sqlite, **allow, **named), issuer)
            world.instance.access.ensure_institution("School")
            if not world.instance.services.issuers.list("School"):
                wish = IssuerWish(url, AUDIENCE, jwks_url=f"{url}/keys")
                world.instance.services.issuers.add("School", wish)
            assert world.get(world.token(iss=url)).status_code == status


def test_instance_does_not_start_when_the_authority_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="LRS_OUTBOUND_CA must be usual"):
        read_settings({"LRS_OUTBOUND_CA": str(tmp_path / "nothing.pem")})
    with pytest.raises(ConfigError, match="LRS_OUTBOUND_ALLOW must be none, or"):
        read_settings({"LRS_OUTBOUND_ALLOW": "11.0.0.0/7"})
