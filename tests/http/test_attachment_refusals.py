"""Statements with attachments that are refused: missing, in excess, malformed."""

import hashlib
from pathlib import Path

import pytest

from tests.engines import sqlite_engine
from tests.factories import make_statement
from tests.http.attaching import BINARY, FILE_URL, TEXT, count, fetch, refused, send, with_attachments
from tests.http.conftest import Instance, make_instance
from tests.multipart import BOUNDARY, MULTIPART, data_part, metadata, multipart


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
