"""Posting statements with attachments, and asking for them."""

from typing import Any

from werkzeug.test import TestResponse

from tests.factories import make_statement
from tests.http.conftest import Instance
from tests.multipart import BOUNDARY, MULTIPART, read_answer

BINARY = bytes(range(256)) + b"\r\n--" + BOUNDARY[:-1].encode() + b"\r\n\r\n--\r\n"
TEXT = b"An essay on fractions.\r\n"
FILE_URL = "https://files.example.org/essay.txt"


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
