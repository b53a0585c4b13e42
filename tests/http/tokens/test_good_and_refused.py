"""Tokens: which are good, and which are refused."""

import hashlib
import hmac
import json
from typing import Any

import pytest

from lrs.access.keysets import FRESH_US
from lrs.access.tokens import LEEWAY_US
from tests.factories import make_statement
from tests.http.tokens.world import SECOND, World, assert_refused
from tests.issuers import AUDIENCE, ec, issuing, part, public, rsa


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
