"""What is read from tokens and key sets, without store or network."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrs.access.handles import InstitutionId
from lrs.access.model import Issuer, IssuerId, Scope
from lrs.access.tokens import (
    ALGORITHMS,
    check_claims,
    find_key,
    read_client_name,
    read_keys,
    read_scopes,
    read_unverified,
)
from lrs.errors import Unauthenticated
from tests.issuers import ec, part, public, rsa

ISSUER = Issuer(IssuerId("i"), InstitutionId("s"), "https://login.example/a", "lrs", "azp", "scope", None, 0)
GOOD = {"iss": ISSUER.url, "aud": "lrs", "exp": 1000}


def test_no_algorithm_is_taken_that_needs_no_private_key() -> None:
    assert {name[:2] for name in ALGORITHMS} == {"RS", "PS", "ES"}


def test_claims_are_held_against_the_issuer_that_was_found() -> None:
    check_claims(GOOD, ISSUER, 0)
    for change in ({"iss": "https://login.example/b"}, {"aud": "other"}, {"aud": []}, {"aud": {"lrs": 1}}):
        with pytest.raises(Unauthenticated):
            check_claims({**GOOD, **change}, ISSUER, 0)


def test_clients_have_different_names_when_issuer_or_claim_differ() -> None:
    assert read_client_name({"azp": "moodle"}, ISSUER) == "moodle (login.example/a)"
    sneaky = read_client_name({"azp": "moodle (login.example/a)"}, ISSUER)
    assert sneaky == "moodle (login.example/a) (login.example/a)"


def test_scopes_are_the_standards_alone() -> None:
    assert read_scopes({"scope": "all statements/write admin email ALL"}, ISSUER) == {
        Scope.ALL,
        Scope.STATEMENTS_WRITE,
    }
    for nothing in (None, 7, {}, [], [["all"]], "openid profile"):
        assert read_scopes({"scope": nothing}, ISSUER) == frozenset()


def test_only_keys_that_may_sign_are_read() -> None:
    weak = {"kty": "RSA", "kid": "weak", "n": "AQAB", "e": "AQAB"}
    document = {
        "keys": [
            public(rsa(), use="sig"),
            public(ec()),
            public(rsa(2), use="enc"),
            {**public(rsa(3)), "n": 7},
            {**public(ec()), "crv": "P-000"},
            {**public(ec()), "x": "AAAA"},
            {"kty": "oct", "kid": "shared", "k": "c2VjcmV0"},
            {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"},
            {"kty": ["RSA"]},
            {},
            weak,
            7,
        ]
    }
    read = read_keys(document)
    assert [key.kid for key in read] == ["rsa-1", "ec-P-256"]
    assert not any(key.is_private for key in read)
    assert find_key(read, "rsa-1", "ES256") is None
    assert find_key(read, "ec-P-256", "ES384") is None
    assert find_key(read, None, "PS256") is read[0]


def test_private_parts_are_left_out_when_an_issuer_publishes_them() -> None:
    (key,) = read_keys({"keys": [rsa().as_dict(private=True)]})
    assert not key.is_private


@pytest.mark.parametrize("document", [None, [], {}, {"keys": {}}, {"keys": None}, "keys"])
def test_document_is_refused_when_it_is_no_key_set(document: object) -> None:
    with pytest.raises(ValueError, match="no JWK Set"):
        read_keys(document)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
HEADERS = st.fixed_dictionaries(
    {"alg": JSON | st.sampled_from(ALGORITHMS)},
    optional={"kid": JSON, "crit": JSON, "b64": JSON, "typ": JSON},
)
CLAIMS = st.fixed_dictionaries(
    {},
    optional={
        "iss": JSON,
        "aud": JSON | st.just("lrs"),
        "exp": JSON,
        "nbf": JSON,
        "azp": JSON,
        "scope": JSON,
    },
)
KEYS = st.fixed_dictionaries(
    {"kty": JSON | st.sampled_from(["RSA", "EC", "oct"])},
    optional=dict.fromkeys(("kid", "use", "alg", "n", "e", "crv", "x", "y"), JSON),
)


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_nothing_but_a_refusal_comes_of_any_text(text: str) -> None:
    with pytest.raises(Unauthenticated):
        read_unverified(text)


@given(HEADERS | JSON, CLAIMS | JSON, st.binary(max_size=20))
def test_nothing_but_a_refusal_comes_of_any_token(header: Any, claims: Any, signature: bytes) -> None:
    token = ".".join([part(header), part(claims), part(signature)])
    with contextlib.suppress(Unauthenticated):
        assert read_unverified(token).algorithm in ALGORITHMS


@given(CLAIMS)
def test_nothing_but_a_refusal_comes_of_any_claims(claims: dict[str, Any]) -> None:
    with contextlib.suppress(Unauthenticated):
        check_claims({**claims, "iss": ISSUER.url, "aud": "lrs"}, ISSUER, 0)
    with contextlib.suppress(Unauthenticated):
        read_client_name(claims, ISSUER)
    assert Scope.ADMIN not in read_scopes(claims, ISSUER)


@given(st.lists(KEYS | JSON, max_size=5))
def test_no_key_comes_of_anything(keys: list[Any]) -> None:
    assert read_keys({"keys": keys}) == []
