"""Statements with attachments: taken, and given back exactly."""

import json
from pathlib import Path

import pytest

from lrs.access.model import Scope
from tests.engines import sqlite_engine
from tests.factories import make_statement, make_statement_id
from tests.http.attaching import BINARY, FILE_URL, TEXT, count, fetch, refused, send, with_attachments
from tests.http.conftest import Instance, make_instance
from tests.multipart import MULTIPART, data_part, metadata, multipart, read_answer

VERSIONS = ["1.0.3", "2.0.0"]


@pytest.mark.parametrize("version", VERSIONS)
def test_bytes_come_back_exact_when_they_are_asked_for(instance: Instance, version: str) -> None:
    key = {**instance.key(), "X-Experience-API-Version": version}
    about = metadata(BINARY, contentType="application/x-work; v=1")
    sent = with_attachments(about, id=make_statement_id(1))
    answer = send(instance, key, multipart(sent, data_part(BINARY, Content_Type="application/x-work; v=1")))
    assert (answer.status_code, answer.json) == (200, [make_statement_id(1)])
    headers = {
        "Content-Type": "application/x-work; v=1",
        "Content-Transfer-Encoding": "binary",
        "X-Experience-API-Hash": about["sha2"],
    }
    single, parts = fetch(instance, key, statementId=make_statement_id(1))
    assert (single["attachments"], parts) == ([about], [(headers, BINARY)])
    page, parts = fetch(instance, key)
    assert ([one["attachments"] for one in page["statements"]], parts) == ([[about]], [(headers, BINARY)])


def test_answer_is_json_when_attachments_are_not_asked_for(instance: Instance) -> None:
    key = instance.key()
    sent = with_attachments(metadata(TEXT), id=make_statement_id(1))
    send(instance, key, multipart(sent, data_part(TEXT)))
    for params in ({}, {"attachments": "false"}, {"statementId": make_statement_id(1)}):
        answer = instance.get(key, **params)
        assert answer.headers["Content-Type"] == "application/json"
        assert TEXT not in answer.data


def test_answer_is_multipart_when_nothing_is_attached(instance: Instance) -> None:
    key = instance.key()
    assert fetch(instance, key) == ({"statements": [], "more": ""}, [])
    instance.post(make_statement(id=make_statement_id(1)), key)
    single, parts = fetch(instance, key, statementId=make_statement_id(1))
    assert (single["id"], parts) == (make_statement_id(1), [])
    answer = instance.get(key, attachments="true", statementId=make_statement_id(1))
    assert answer.headers["Last-Modified"]
    head = instance.client.head("/xapi/statements", query_string={"attachments": "true"}, headers=key)
    assert head.headers["Content-Type"].startswith("multipart/mixed; boundary=")


def test_voided_statement_gives_its_attachments_when_it_is_asked_for_as_such(instance: Instance) -> None:
    key = instance.key()
    send(instance, key, multipart(with_attachments(metadata(TEXT), id=make_statement_id(1)), data_part(TEXT)))
    voiding = make_statement(
        id=make_statement_id(99),
        verb={"id": "http://adlnet.gov/expapi/verbs/voided"},
        object={"objectType": "StatementRef", "id": make_statement_id(1)},
    )
    instance.post(voiding, key)
    _, parts = fetch(instance, key, voidedStatementId=make_statement_id(1))
    assert [content for _, content in parts] == [TEXT]
    assert fetch(instance, key)[1] == []


def test_attachment_is_sent_and_given_once_when_several_statements_name_it(instance: Instance) -> None:
    key = instance.key()
    about, other = metadata(TEXT), metadata(BINARY, "sha512", contentType="image/png")
    batch = [with_attachments(about), with_attachments(other, about), with_attachments(about)]
    part = data_part(BINARY, Content_Type="image/png", X_Experience_API_Hash=other["sha2"].upper())
    assert send(instance, key, multipart(batch, data_part(TEXT), part)).status_code == 200
    page, parts = fetch(instance, key, ascending="true")
    assert len(page["statements"]) == 3
    assert [(headers["X-Experience-API-Hash"], content) for headers, content in parts] == [
        (about["sha2"], TEXT),
        (other["sha2"], BINARY),
    ]


def test_same_bytes_are_taken_once_when_they_are_sent_for_each_statement(instance: Instance) -> None:
    """A client that is widely used sends a part for each attachment of each statement."""
    key = instance.key()
    batch = [with_attachments(metadata(TEXT)), with_attachments(metadata(TEXT))]
    assert send(instance, key, multipart(batch, data_part(TEXT), data_part(TEXT))).status_code == 200
    assert [content for _, content in fetch(instance, key)[1]] == [TEXT]


@pytest.mark.parametrize("algorithm", ["sha224", "sha256", "sha384", "sha512"])
@pytest.mark.parametrize("upper", [False, True])
def test_every_length_of_hash_is_checked_by_its_algorithm(
    embedded: Instance, algorithm: str, upper: bool
) -> None:
    key = embedded.key()
    about = metadata(TEXT, algorithm)
    shown = about["sha2"].upper() if upper else about["sha2"]
    part = data_part(TEXT, X_Experience_API_Hash=shown)
    assert send(embedded, key, multipart(with_attachments(about), part)).status_code == 200
    assert [content for _, content in fetch(embedded, key)[1]] == [TEXT]
    wrong = data_part(TEXT + b"x", X_Experience_API_Hash=shown)
    assert refused(send(embedded, key, multipart(with_attachments(about), wrong))) == [
        ("part 2", "part.hash")
    ]


def test_attachments_of_a_substatement_are_taken_and_given(instance: Instance) -> None:
    key = instance.key()
    inner = with_attachments(metadata(TEXT), objectType="SubStatement")
    body = multipart(make_statement(object=inner), data_part(TEXT))
    assert send(instance, key, body).status_code == 200
    assert [content for _, content in fetch(instance, key)[1]] == [TEXT]
    assert refused(instance.post(make_statement(object=inner), key)) == [
        ("/object/attachments/0", "attachment.data")
    ]


def test_file_url_is_enough_and_data_may_come_along(instance: Instance) -> None:
    key = instance.key()
    about = metadata(TEXT, fileUrl=FILE_URL)
    assert instance.post(with_attachments(about), key).status_code == 200
    assert send(instance, key, multipart(with_attachments(about))).status_code == 200
    assert fetch(instance, key)[1] == []
    assert send(instance, key, multipart(with_attachments(about), data_part(TEXT))).status_code == 200
    assert [content for _, content in fetch(instance, key)[1]] == [TEXT]


def test_multipart_is_fine_when_nothing_is_attached(instance: Instance) -> None:
    key = instance.key()
    assert send(instance, key, multipart(make_statement())).status_code == 200
    assert send(instance, key, b"\r\n" + multipart([make_statement(), make_statement()])).status_code == 200
    head = b"content-type:application/json; charset=utf-8"
    assert send(instance, key, multipart(make_statement(), head=head)).status_code == 200
    assert count(instance, key) == 4


def test_put_takes_and_refuses_attachments_too(instance: Instance) -> None:
    key = instance.key()
    url = f"/xapi/statements?statementId={make_statement_id(7)}"
    about = with_attachments(metadata(TEXT))
    for body, status in ((multipart(about), 400), (multipart(about, data_part(TEXT)), 204)):
        answer = instance.client.put(url, data=body, headers=key, content_type=MULTIPART)
        assert answer.status_code == status
    assert [content for _, content in fetch(instance, key, statementId=make_statement_id(7))[1]] == [TEXT]


def test_what_was_sent_twice_is_kept_once_and_no_conflict(instance: Instance) -> None:
    key = instance.key()
    body = multipart(with_attachments(metadata(TEXT), id=make_statement_id(1)), data_part(TEXT))
    assert [send(instance, key, body).status_code for _ in range(2)] == [200, 200]
    assert [content for _, content in fetch(instance, key)[1]] == [TEXT]


def test_pages_with_attachments_go_on_behind_their_more_link(instance: Instance) -> None:
    key = instance.key()
    contents = [b"%d" % n for n in range(5)]
    for content in contents:
        send(instance, key, multipart(with_attachments(metadata(content)), data_part(content)))
    page, parts = fetch(instance, key, limit="2", ascending="true")
    seen = [content for _, content in parts]
    while page["more"]:
        answer = instance.client.get(page["more"], headers=key)
        page, parts = read_answer(answer.headers["Content-Type"], answer.data)
        seen += [content for _, content in parts]
    assert seen == contents


@pytest.mark.parametrize("ascending", ["true", "false"])
def test_page_ends_earlier_when_its_attachments_are_too_many_bytes(tmp_path: Path, ascending: str) -> None:
    engine = sqlite_engine(tmp_path)
    instance = make_instance(engine, LRS_MAX_ATTACHMENT_BYTES="1024")
    key = instance.key()
    contents = [bytes([65 + n]) * size for n, size in enumerate([500, 500, 30, 3000, 10, 1014, 1])]
    for content in contents:
        send(instance, key, multipart(with_attachments(metadata(content)), data_part(content)))
    sizes, seen, url = [], [], f"/xapi/statements?attachments=true&ascending={ascending}"
    while url:
        answer = instance.client.get(url, headers=key)
        page, parts = read_answer(answer.headers["Content-Type"], answer.data)
        assert len(page["statements"]) == len(parts)
        sizes.append(sum(len(content) for _, content in parts))
        seen += [content for _, content in parts]
        url = page["more"]
    expected = contents if ascending == "true" else contents[::-1]
    assert seen == expected
    assert sizes == ([1000, 30, 3000, 1024, 1] if ascending == "true" else [1015, 10, 3000, 530, 500])
    engine.close()


def test_another_institution_s_attachments_are_as_unknown_as_any(instance: Instance) -> None:
    ours, theirs = instance.key("School"), instance.key("Museum")
    send(instance, ours, multipart(with_attachments(metadata(TEXT)), data_part(TEXT)))
    assert instance.post(with_attachments(metadata(TEXT, fileUrl=FILE_URL)), theirs).status_code == 200
    assert fetch(instance, theirs)[1] == []
    assert [content for _, content in fetch(instance, ours)[1]] == [TEXT]


def test_scopes_hold_for_attachments_too(embedded: Instance) -> None:
    reader = embedded.key("School", Scope.STATEMENTS_READ)
    body = multipart(with_attachments(metadata(TEXT)), data_part(TEXT))
    assert send(embedded, reader, body).status_code == 403
    assert send(embedded, reader, b"no multipart at all").status_code == 403


@pytest.mark.timeout(20)
def test_many_attachments_of_one_content_are_matched_quickly(embedded: Instance) -> None:
    """What compared each part with each attachment would take minutes."""
    about = metadata(TEXT, display={})
    batch = [with_attachments(*[about] * 9000), with_attachments(*[about] * 9000)]
    body = multipart(batch, *[data_part(TEXT)] * 999)
    assert send(embedded, embedded.key(), body).status_code == 200


def test_formats_go_with_attachments(embedded: Instance) -> None:
    key = embedded.key()
    about = metadata(TEXT, display={"en": "Essay", "de": "Aufsatz"})
    send(embedded, key, multipart(with_attachments(about), data_part(TEXT)))
    for form in ("ids", "canonical", "exact"):
        page, parts = fetch(embedded, key, format=form)
        assert page["statements"][0]["attachments"][0]["sha2"] == about["sha2"]
        assert [content for _, content in parts] == [TEXT]
    assert json.dumps(page).count("Aufsatz") == 1
