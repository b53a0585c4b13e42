"""Attachments in and out (xAPI 1.0.3 Data 2.4.11, Communication 1.5) through the real app."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from lrs.access.model import Scope
from tests.engines import sqlite_engine
from tests.factories import make_statement, make_statement_id
from tests.http.conftest import Instance, make_instance
from tests.multipart import BOUNDARY, MULTIPART, data_part, metadata, multipart, read_answer

BINARY = bytes(range(256)) + b"\r\n--" + BOUNDARY[:-1].encode() + b"\r\n\r\n--\r\n"
TEXT = b"An essay on fractions.\r\n"
FILE_URL = "https://files.example.org/essay.txt"
VERSIONS = ["1.0.3", "2.0.0"]


def send(instance: Instance, key: dict[str, str], body: bytes, content_type: str = MULTIPART) -> TestResponse:
    return instance.client.post("/xapi/statements", data=body, headers=key, content_type=content_type)


def with_attachments(*found: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return make_statement(attachments=list(found), **changes)


def refused(answer: TestResponse) -> list[tuple[str, str]]:
    """The code is checked; where and which rule comes back."""
    assert (answer.status_code, answer.json["code"]) == (400, "invalid-attachment"), answer.text
    assert all(problem["spec"] and problem["message"] for problem in answer.json["problems"])
    return [(problem["path"], problem["rule"]) for problem in answer.json["problems"]]


def fetch(
    instance: Instance, key: dict[str, str], **params: str
) -> tuple[Any, list[tuple[dict[str, str], bytes]]]:
    answer = instance.get(key, attachments="true", **params)
    assert answer.status_code == 200, answer.text
    assert "X-Experience-API-Consistent-Through" in answer.headers
    return read_answer(answer.headers["Content-Type"], answer.data)


def count(instance: Instance, key: dict[str, str]) -> int:
    return len(instance.get(key).json["statements"])


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


def test_data_must_be_here_when_there_is_no_file_url(instance: Instance) -> None:
    key = instance.key()
    batch = [
        with_attachments(metadata(BINARY, fileUrl=FILE_URL), metadata(TEXT)),
        make_statement(),
        with_attachments(metadata(BINARY)),
    ]
    for answer in (instance.post(batch, key), send(instance, key, multipart(batch))):
        assert refused(answer) == [
            ("/0/attachments/1", "attachment.data"),
            ("/2/attachments/0", "attachment.data"),
        ]
        assert answer.json["badIndexes"] == [0, 2]
    answer = instance.post(with_attachments(metadata(TEXT)), key)
    assert refused(answer) == [("/attachments/0", "attachment.data")]
    assert "badIndexes" not in answer.json
    assert count(instance, key) == 0


def test_data_that_another_statement_brought_does_not_count_when_it_is_missing(instance: Instance) -> None:
    key = instance.key()
    send(instance, key, multipart(with_attachments(metadata(TEXT)), data_part(TEXT)))
    assert refused(instance.post(with_attachments(metadata(TEXT)), key)) == [
        ("/attachments/0", "attachment.data")
    ]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (data_part(TEXT, Content_Transfer_Encoding=None), [("part 2", "part.encoding")]),
        (data_part(TEXT, Content_Transfer_Encoding="base64"), [("part 2", "part.encoding")]),
        (
            data_part(TEXT[:-1], X_Experience_API_Hash=hashlib.sha256(TEXT).hexdigest()),
            [("part 2", "part.hash")],
        ),
        (data_part(TEXT, Content_Type="text/html"), [("part 2", "part.content-type")]),
        (data_part(TEXT, Content_Length="5"), [("part 2", "part.length")]),
        (data_part(TEXT, Content_Length="many"), [("part 2", "part.length")]),
        (
            data_part(TEXT, X_Experience_API_Hash=None),
            [("part 2", "part.hash"), ("/attachments/0", "attachment.data")],
        ),
        (
            data_part(TEXT, X_Experience_API_Hash=hashlib.sha512(TEXT).hexdigest()),
            [("part 2", "part.excess"), ("/attachments/0", "attachment.data")],
        ),
        (
            b"Content-Type: application/json\r\n\r\n{}",
            [("part 2", "part.encoding"), ("part 2", "part.hash"), ("/attachments/0", "attachment.data")],
        ),
    ],
)
def test_faults_of_a_part_are_named_by_its_number(
    embedded: Instance, part: bytes, expected: list[tuple[str, str]]
) -> None:
    key = embedded.key()
    assert refused(send(embedded, key, multipart(with_attachments(metadata(TEXT)), part))) == expected
    assert count(embedded, key) == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"Content_Type": None},
        {"Content_Type": "TEXT/Plain; charset=utf-8"},
        {"Content_Transfer_Encoding": "Binary"},
        {"Content_Length": str(len(TEXT))},
        {"Content_Disposition": "attachment"},
    ],
)
def test_part_is_taken_when_its_headers_are_only_written_in_another_way(
    embedded: Instance, changes: dict[str, str | None]
) -> None:
    key = embedded.key()
    body = multipart(with_attachments(metadata(TEXT)), data_part(TEXT, **changes))
    assert send(embedded, key, body).status_code == 200


def test_length_that_only_the_bytes_contradict_is_kept_as_sent(embedded: Instance) -> None:
    key = embedded.key()
    about = metadata(TEXT, length=1)
    assert send(embedded, key, multipart(with_attachments(about), data_part(TEXT))).status_code == 200
    page, parts = fetch(embedded, key)
    assert page["statements"][0]["attachments"] == [about]
    assert [content for _, content in parts] == [TEXT]


def test_part_that_no_statement_names_is_in_excess(instance: Instance) -> None:
    key = instance.key()
    body = multipart(with_attachments(metadata(TEXT)), data_part(TEXT), data_part(BINARY))
    assert refused(send(instance, key, body)) == [("part 3", "part.excess")]
    assert refused(send(instance, key, multipart(make_statement(), data_part(TEXT)))) == [
        ("part 2", "part.excess")
    ]
    assert count(instance, key) == 0


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (multipart(make_statement()), "multipart/mixed"),
        (multipart(make_statement()), "multipart/mixed;"),
        (multipart(make_statement()), "multipart/mixed; boundary=other"),
        (multipart(make_statement())[:-6], MULTIPART),
        (multipart(make_statement(), head=b"Content-Type: text/plain"), MULTIPART),
        (multipart(make_statement(), head=b"X-Other: none"), MULTIPART),
        (f"--{BOUNDARY}--\r\n".encode(), MULTIPART),
        (b"", MULTIPART),
    ],
)
def test_malformed_multipart_is_refused(embedded: Instance, body: bytes, content_type: str) -> None:
    key = embedded.key()
    answer = send(embedded, key, body, content_type)
    assert (answer.status_code, answer.json["code"]) == (400, "invalid-attachment")


@pytest.mark.parametrize("first", [b"", b"{", b"[1]", b'{"actor": 1}'])
def test_first_part_is_read_as_strictly_as_any_json(embedded: Instance, first: bytes) -> None:
    answer = send(embedded, embedded.key(), multipart(first))
    assert (answer.status_code, answer.json["code"]) in {(400, "invalid-body"), (400, "invalid-statement")}


def test_form_data_is_refused(embedded: Instance) -> None:
    body = multipart(with_attachments(metadata(TEXT)), data_part(TEXT))
    answer = send(embedded, embedded.key(), body, MULTIPART.replace("mixed", "form-data"))
    assert (answer.status_code, answer.json["code"]) == (400, "unsupported-media-type")


def test_too_many_parts_are_refused(tmp_path: Path) -> None:
    engine = sqlite_engine(tmp_path)
    instance = make_instance(engine, LRS_MAX_PARTS="2")
    key = instance.key()
    about, other = metadata(TEXT), metadata(BINARY)
    assert send(instance, key, multipart(with_attachments(about), data_part(TEXT))).status_code == 200
    body = multipart(with_attachments(about, other), data_part(TEXT), data_part(BINARY))
    assert send(instance, key, body).status_code == 413
    engine.close()


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


def test_statement_that_takes_hours_to_refuse_by_a_careless_pattern_is_refused_at_once(
    embedded: Instance,
) -> None:
    about = metadata(TEXT, contentType="a/b" + ";     " * 5000 + "\u0001", fileUrl=FILE_URL)
    answer = embedded.post(with_attachments(about), embedded.key())
    assert answer.json["problems"][0]["rule"] == "attachment.content-type"


@pytest.mark.parametrize("content_type", ['a/b; c="\r\nX: y"', 'a/b; c="\\\r"', 'a/b; c="é"', "a/b\r\nX: y"])
def test_content_type_that_would_break_a_header_is_refused(embedded: Instance, content_type: str) -> None:
    about = metadata(TEXT, contentType=content_type, fileUrl=FILE_URL)
    answer = embedded.post(with_attachments(about), embedded.key())
    assert answer.json["problems"][0]["rule"] == "attachment.content-type"
