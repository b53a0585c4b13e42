"""Signatures of statements: form, algorithm, certificate, and that they sign this statement."""

import base64
import hashlib
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lrs.xapi.reader import ReadLimits
from lrs.xapi.rules import RULES
from lrs.xapi.signature import SignatureChecker
from lrs.xapi.versions import Version
from tests.factories import make_agent, make_full_statement, make_statement, make_statement_id
from tests.signing import (
    HASHES,
    SIGNATURE,
    base64url,
    certificate,
    ec_key,
    rsa_key,
    sign,
    sign_with_certificate,
)

LIMITS = ReadLimits(max_body_bytes=1_000_000, max_depth=64, max_statements=1)
WORK = {
    "usageType": "https://school.example.org/usage/work",
    "display": {"en": "A piece of work"},
    "contentType": "text/plain",
    "length": 3,
    "sha2": hashlib.sha256(b"abc").hexdigest(),
}


def signed(statement: dict[str, Any], *more: dict[str, Any]) -> dict[str, Any]:
    """The statement, with a signature's metadata behind its other attachments."""
    about = {**WORK, "usageType": SIGNATURE, "contentType": "application/octet-stream"}
    return {**statement, "attachments": [*statement.get("attachments", ()), *more, about]}


def fault(jws: bytes, statement: dict[str, Any], version: Version = Version.V1_0_3) -> str | None:
    """The broken rule; that its name is listed and its message says something is checked."""
    found = SignatureChecker(version, LIMITS).check("sha2", jws, 0, statement)
    if found is None:
        return None
    assert found.rule in RULES
    assert found.message.endswith(".")
    return found.rule


@pytest.mark.parametrize("version", list(Version))
@pytest.mark.parametrize("algorithm", HASHES)
@pytest.mark.parametrize("make", [sign, sign_with_certificate])
def test_signature_is_good_when_it_signs_the_statement(make: Any, algorithm: str, version: Version) -> None:
    statement = make_full_statement()
    assert fault(make(statement, algorithm), signed(statement), version) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None},
        {"timestamp": None},
        {"timestamp": "2026-03-02T10:30:00.125000+01:00"},
        {"stored": "2026-03-02T10:30:00Z", "version": "1.0.9", "authority": make_agent(9)},
        {"verb": {"id": make_statement()["verb"]["id"]}},
        {"object": {"id": make_statement()["object"]["id"], "objectType": "Activity"}},
        {"actor": {**make_agent(), "name": "Another name"}},
        {"result": {"duration": "PT1.239S", "score": {"raw": 8.0}}},
        {"attachments": []},
    ],
)
def test_differences_that_do_not_count_are_ignored_either_way(changes: dict[str, Any]) -> None:
    statement = make_statement(id=make_statement_id(1), result={"duration": "PT1.23S", "score": {"raw": 8}})
    other = {**statement, **changes}
    other = {name: value for name, value in other.items() if value is not None}
    assert fault(sign_with_certificate(other), signed(statement)) is None
    assert fault(sign_with_certificate(statement), signed(other)) is None


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"id": make_statement_id(2)}, "id"),
        ({"timestamp": "2026-03-02T09:30:00.126Z"}, "timestamp"),
        ({"actor": make_agent(2)}, "actor"),
        ({"verb": {"id": "https://school.example.org/verbs/other"}}, "verb"),
        ({"object": make_agent(2)}, "object"),
        ({"result": {"duration": "PT1.24S"}}, "result"),
        ({"result": None}, "result"),
        ({"context": {"language": "de"}}, "context"),
        ({"attachments": [WORK]}, "attachments"),
        ({"actor": make_agent(2), "result": None}, "actor, result"),
    ],
)
def test_differences_that_count_are_named(changes: dict[str, Any], named: str) -> None:
    statement = make_statement(id=make_statement_id(1), result={"duration": "PT1.23S"})
    other = {**statement, **changes}
    other = {name: value for name, value in other.items() if value is not None}
    for left, right in ((other, statement), (statement, other)):
        found = SignatureChecker(Version.V1_0_3, LIMITS).check("s", sign(left), 0, signed(right))
        assert found is not None
        assert found.rule == "signature.same-statement"
        assert found.message.endswith(f"differ in {named}.")


def test_other_attachments_are_signed_and_other_signatures_are_not() -> None:
    statement = make_statement(attachments=[WORK])
    assert fault(sign(statement), signed(statement)) is None
    assert fault(sign(signed(statement)), signed(signed(statement))) is None
    assert fault(sign(statement), signed(signed(statement))) is None
    assert fault(sign(make_statement()), signed(statement)) == "signature.same-statement"


@pytest.mark.parametrize(
    "algorithm", ["HS256", "none", "RS1", "rs256", "PS256", "ES256", "", None, ["RS256"], {}]
)
def test_algorithm_is_one_of_three(algorithm: Any) -> None:
    statement = make_statement()
    jws = sign(statement, "RS256", alg=algorithm)
    assert fault(jws, signed(statement)) == "signature.algorithm"


def test_algorithm_must_be_named() -> None:
    parts = sign(make_statement()).split(b".")
    jws = b".".join([base64url(b"{}").encode(), *parts[1:]])
    assert fault(jws, signed(make_statement())) == "signature.algorithm"


@pytest.mark.parametrize(
    "jws",
    [
        b"",
        b"a.b",
        b"a.b.c.d",
        b"..",
        b"e30.e30.",
        b"!!.e30.e30",
        b"e30.e30.e30\n",
        b"e30=.e30.e30",
        b"a.e30.e30",
        b"W10.e30.e30",
        b"e.e30.e30",
        b'{"payload":"e30","protected":"e30","signature":"e30"}',
        b"\xff\xfe",
    ],
)
def test_form_is_the_compact_one(jws: bytes) -> None:
    assert fault(jws, signed(make_statement())) == "signature.form"


def test_header_is_strict_json_without_demands() -> None:
    statement = make_statement()
    assert fault(sign(statement, crit=["b64"], b64=False), signed(statement)) == "signature.form"
    head = base64url(b'{"alg":"HS256","alg":"RS256"}').encode()
    assert fault(head + b"." + sign(statement).partition(b".")[2], signed(statement)) == "signature.form"


@pytest.mark.parametrize(
    "payload",
    [
        b"{'actor': 1}",
        b" ",
        b"[]",
        b"null",
        b"\xff",
        b'{"a":1,"a":1}',
        b"[" * 1000,
        {"actor": make_agent()},
        {**make_statement(), "unknown": 1},
    ],
)
def test_payload_is_a_valid_statement(payload: Any) -> None:
    assert fault(sign_with_certificate(payload), signed(make_statement())) == "signature.payload"


def test_payload_is_held_to_the_rules_of_the_version() -> None:
    statement = make_statement(
        context={"contextAgents": [{"objectType": "contextAgent", "agent": make_agent()}]}
    )
    assert fault(sign(statement), signed(statement), Version.V2_0_0) is None
    assert fault(sign(statement), signed(statement), Version.V1_0_3) == "signature.payload"


def test_signature_must_be_good_by_the_first_certificate() -> None:
    statement = make_statement()
    ours, other = certificate(rsa_key()), certificate(rsa_key(2))
    assert fault(sign(statement, x5c=[ours, other]), signed(statement)) is None
    assert fault(sign(statement, x5c=[other, ours]), signed(statement)) == "signature.verified"
    head, payload, signature = sign(statement, x5c=[ours]).split(b".")
    flipped = bytes(signature[:-9]) + (b"A" if signature[-9:-8] != b"A" else b"B") + signature[-8:]
    assert fault(b".".join([head, payload, flipped]), signed(statement)) == "signature.verified"
    assert fault(b".".join([head, payload, b"e30"]), signed(statement)) == "signature.verified"
    wider = json.loads(base64.urlsafe_b64decode(head + b"=" * (-len(head) % 4)))
    wider["alg"] = "RS512"
    changed = base64url(json.dumps(wider).encode()).encode()
    assert fault(b".".join([changed, payload, signature]), signed(statement)) == "signature.verified"


def test_signature_is_not_verified_when_there_is_no_certificate() -> None:
    statement = make_statement()
    head, payload, _ = sign(statement).split(b".")
    assert fault(b".".join([head, payload, b"e30"]), signed(statement)) is None


@pytest.mark.parametrize(
    "chain",
    [
        None,
        [],
        {},
        "text",
        [1],
        [None],
        ["no base64!"],
        ["é"],
        ["AAAA"],
        [""],
        [certificate(rsa_key())[:-8]],
        [certificate(ec_key())],
        [certificate(rsa_key()), 1],
    ],
)
def test_chain_is_of_certificates_with_an_rsa_key(chain: Any) -> None:
    statement = make_statement()
    assert fault(sign(statement, x5c=chain), signed(statement)) == "signature.certificate"


def test_each_signature_is_read_once_and_compared_with_each_statement() -> None:
    one, other = make_statement(), make_statement(actor=make_agent(2))
    checker = SignatureChecker(Version.V1_0_3, LIMITS)
    assert checker.check("a", sign(one), 0, signed(one)) is None
    found = checker.check("a", b"not read again", 1, signed(other))
    assert found is not None
    assert found.rule == "signature.same-statement"


@given(
    st.binary(max_size=60)
    | st.lists(st.binary(max_size=20), min_size=3, max_size=3).map(
        lambda parts: b".".join(base64url(part).encode() for part in parts)
    )
)
@example(b"e30.bnVsbA.e30")
def test_no_bytes_do_harm(jws: bytes) -> None:
    assert fault(jws, signed(make_statement())) in RULES


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
@given(st.integers(0), st.integers(0, 255))
def test_no_broken_certificate_does_harm(place: int, value: int) -> None:
    der = bytearray(base64.b64decode(certificate(rsa_key())))
    der[place % len(der)] = value
    jws = sign(make_statement(), x5c=[base64.b64encode(bytes(der)).decode()])
    assert fault(jws, signed(make_statement())) in {None, "signature.certificate", "signature.verified"}
