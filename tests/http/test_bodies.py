"""Bodies at and over the limit, of declared and undeclared length."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.engines import sqlite_engine
from tests.http.conftest import Instance, make_instance

LIMIT = 2048
STATE = "/xapi/activities/state?" + urlencode(
    {"activityId": "http://e.org/1", "stateId": "s", "agent": '{"mbox":"mailto:a@e.org"}'}
)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Instance]:
    engine = sqlite_engine(tmp_path)
    yield make_instance(engine, LRS_MAX_BODY_BYTES=str(LIMIT))
    engine.close()


def chunked(instance: Instance, method: str, path: str, body: bytes, key: dict[str, str]) -> Any:
    """Send a body without saying how long it is, as a chunked one arrives."""
    return instance.client.open(
        path,
        method=method,
        input_stream=io.BytesIO(body),
        headers={**key, "Transfer-Encoding": "chunked"},
        content_type="application/json",
        environ_overrides={"wsgi.input_terminated": True},
    )


@pytest.mark.parametrize("path", ["/xapi/statements", STATE])
def test_a_body_over_the_limit_is_refused_whole_when_its_length_is_undeclared(
    small: Instance, path: str
) -> None:
    key = small.key()
    answer = chunked(small, "POST", path, b'{"a":"' + b"x" * LIMIT + b'"}', key)
    assert (answer.status_code, answer.json["code"]) == (413, "too-large")
    declared = small.client.post(path, data=b" " * (LIMIT + 1), headers=key, content_type="application/json")
    assert declared.status_code == 413
    assert small.client.get(STATE, headers=key).status_code == 404


def test_a_body_at_the_limit_is_taken_when_its_length_is_undeclared(small: Instance) -> None:
    key = small.key()
    content = b'{"a":"' + b"x" * (LIMIT - 8) + b'"}'
    assert chunked(small, "PUT", STATE, content, key).status_code == 204
    assert small.client.get(STATE, headers=key).data == content


def test_a_compressed_body_is_refused(small: Instance) -> None:
    answer = small.post(b"\x1f\x8b", {**small.key(), "Content-Encoding": "gzip"})
    assert answer.status_code == 400
    assert "Content-Encoding" in answer.json["detail"]
