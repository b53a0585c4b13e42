"""Signed statements (xAPI 1.0.3 Data 2.6) through the real app: real keys, self-signed certificates."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.factories import make_agent, make_statement, make_statement_id
from tests.http.conftest import Instance
from tests.multipart import MULTIPART, data_part, metadata, multipart, read_answer
from tests.signing import SIGNATURE, certificate, rsa_key, sign, sign_with_certificate

OCTETS = "application/octet-stream"
VERSIONS = ["1.0.3", "2.0.0"]


def about(jws: bytes, **changes: Any) -> dict[str, Any]:
    return metadata(jws, **{"usageType": SIGNATURE, "contentType": OCTETS, **changes})


def signed(statement: dict[str, Any], jws: bytes, **changes: Any) -> dict[str, Any]:
    return {**statement, "attachments": [*statement.get("attachments", ()), about(jws, **changes)]}


def part(jws: bytes) -> bytes:
    return data_part(jws, Content_Type=OCTETS)


def send(instance: Instance, key: dict[str, str], body: bytes) -> TestResponse:
    return instance.client.post("/xapi/statements", data=body, headers=key, content_type=MULTIPART)


def problems(answer: TestResponse) -> list[tuple[str, str, str]]:
    assert (answer.status_code, answer.json["code"]) == (400, "invalid-attachment"), answer.text
    return [(found["path"], found["rule"], found["spec"]) for found in answer.json["problems"]]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512"])
def test_signed_statement_comes_back_with_its_signature(
    instance: Instance, version: str, algorithm: str
) -> None:
    key = {**instance.key(), "X-Experience-API-Version": version}
    statement = make_statement(id=make_statement_id(1), attachments=[metadata(b"an essay")])
    jws = sign_with_certificate(statement, algorithm)
    body = multipart(signed(statement, jws), data_part(b"an essay"), part(jws))
    assert send(instance, key, body).status_code == 200
    answer = instance.get(key, statementId=make_statement_id(1), attachments="true")
    single, parts = read_answer(answer.headers["Content-Type"], answer.data)
    assert single["attachments"] == signed(statement, jws)["attachments"]
    assert [content for _, content in parts] == [b"an essay", jws]


@pytest.mark.parametrize(("version", "spec"), [("1.0.3", "xAPI 1.0.3 Data 2.6"), ("2.0.0", "xAPI 2.0 4.2.6")])
@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (lambda sent: sign_with_certificate({**sent, "actor": make_agent(2)}), "signature.same-statement"),
        (lambda sent: sign(sent, x5c=[certificate(rsa_key(2))]), "signature.verified"),
        (lambda sent: sign(sent, "RS256", alg="HS256"), "signature.algorithm"),
        (lambda sent: sign(b"{'actor':1}"), "signature.payload"),
        (lambda sent: b"no signature", "signature.form"),
        (lambda sent: sign(sent, x5c=["AAAA"]), "signature.certificate"),
    ],
)
def test_statement_is_refused_when_its_signature_is_wrong(
    embedded: Instance, make: Any, rule: str, version: str, spec: str
) -> None:
    key = {**embedded.key(), "X-Experience-API-Version": version}
    statement = make_statement()
    jws = make(statement)
    answer = send(embedded, key, multipart(signed(statement, jws), part(jws)))
    assert problems(answer) == [("/attachments/0", rule, spec)]
    assert embedded.get(key).json["statements"] == []


def test_signature_says_that_it_is_octets(embedded: Instance) -> None:
    key = embedded.key()
    statement = make_statement()
    jws = sign(statement)
    expected = [("/attachments/0/contentType", "signature.content-type", "xAPI 1.0.3 Data 2.6")]
    plain = signed(statement, jws, contentType="text/plain")
    assert problems(send(embedded, key, multipart(plain, data_part(jws)))) == expected
    elsewhere = signed(statement, jws, contentType="text/plain", fileUrl="https://files.example.org/jws")
    assert problems(embedded.post(elsewhere, key)) == expected


def test_signature_that_is_elsewhere_is_accepted_unseen(instance: Instance) -> None:
    key = instance.key()
    elsewhere = signed(make_statement(), b"no signature", fileUrl="https://files.example.org/jws")
    assert instance.post(elsewhere, key).status_code == 200


def test_signature_without_data_is_refused(embedded: Instance) -> None:
    answer = send(embedded, embedded.key(), multipart(signed(make_statement(), b"e30.e30.e30")))
    assert [(path, rule) for path, rule, _ in problems(answer)] == [("/attachments/0", "attachment.data")]


def test_every_wrong_signature_of_a_batch_is_named(instance: Instance) -> None:
    key = instance.key()
    good, bad = make_statement(), make_statement(actor=make_agent(2))
    jws = sign_with_certificate(good)
    answer = send(
        instance, key, multipart([signed(good, jws), signed(bad, jws), bad, signed(bad, jws)], part(jws))
    )
    assert [(path, rule) for path, rule, _ in problems(answer)] == [
        ("/1/attachments/0", "signature.same-statement"),
        ("/3/attachments/0", "signature.same-statement"),
    ]
    assert answer.json["badIndexes"] == [1, 3]
    assert instance.get(key).json["statements"] == []


def test_put_compares_the_id_that_the_request_names(embedded: Instance) -> None:
    key = embedded.key()
    statement = make_statement()
    for number, status in ((2, 400), (1, 204)):
        jws = sign_with_certificate({**statement, "id": make_statement_id(1)})
        answer = embedded.client.put(
            "/xapi/statements",
            query_string={"statementId": make_statement_id(number)},
            data=multipart(signed(statement, jws), part(jws)),
            headers=key,
            content_type=MULTIPART,
        )
        assert answer.status_code == status


def test_statement_that_was_signed_as_it_came_from_a_store_is_good(instance: Instance) -> None:
    """What a store sets is in the payload, and another store sets it anew."""
    key = instance.key()
    instance.post(make_statement(id=make_statement_id(1)), key)
    served = instance.get(key, statementId=make_statement_id(1)).json
    jws = sign_with_certificate(served)
    other = instance.key("Museum")
    body = multipart(signed(make_statement(id=make_statement_id(1)), jws), part(jws))
    assert send(instance, other, body).status_code == 200


def test_attachment_of_a_substatement_is_no_signature_of_the_statement(embedded: Instance) -> None:
    inner = {**make_statement(), "objectType": "SubStatement", "attachments": [about(b"text")]}
    body = multipart(make_statement(object=inner), part(b"text"))
    assert send(embedded, embedded.key(), body).status_code == 200
