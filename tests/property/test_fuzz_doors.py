"""Random input at every door that takes it from outside: no 500, no answer that is not ours.

Statements that are valid go in and come back equal; whatever else is sent is refused in words.
``--hypothesis-profile=soak`` tries many more.
"""

import base64
import contextlib
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from lrs.access.model import Tolerance
from lrs.errors import LrsError
from lrs.xapi.import_files import StatementFile
from lrs.xapi.versions import Version
from tests.engines import sqlite_engine
from tests.factories import make_statement, make_statement_id
from tests.http.conftest import Instance, make_instance
from tests.strategies import json_values, statements

FUZZ = settings(
    max_examples=max(40, settings.default.max_examples // 2),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
STATEMENTS, LINES = "/xapi/statements", "/api/v1/statements/lines"
JUNK = st.binary(max_size=400) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))
HEADER = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=120)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    engine = sqlite_engine(tmp_path_factory.mktemp("doors"))
    yield make_instance(engine, LRS_MAX_BODY_BYTES="65536")
    engine.close()


@pytest.fixture(scope="module")
def key(door: Instance) -> dict[str, str]:
    return door.key("School", tolerances=frozenset(Tolerance))


def refused_or_taken(answer: TestResponse) -> None:
    """A door answers in its own words: never 500, and a refusal always as problem details."""
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400 and answer.data:
        assert answer.content_type == "application/problem+json", answer.headers
        assert answer.get_json()["errorId"]


@FUZZ
@given(st.data(), st.sampled_from(Version))
def test_valid_statements_come_back_as_they_were_sent(
    door: Instance, key: dict[str, str], data: st.DataObject, version: Version
) -> None:
    drawn = data.draw(statements(version))
    statement = {name: value for name, value in drawn.items() if name not in SET_BY_STORE}
    statement["id"] = f"fffffff0-0000-4000-8000-{next(_numbers):012}"
    if isinstance(statement["object"], dict):
        statement["object"].pop("attachments", None)
    headers = {**key, "X-Experience-API-Version": version.value}
    sent = door.post(statement, headers)
    assert sent.status_code == 200, sent.text
    got = door.get(headers, statementId=statement["id"]).get_json()
    for name in SET_BY_STORE:
        got.pop(name, None)
    if "timestamp" not in statement:
        del got["timestamp"]
    assert got == with_arrays({**statement, "object": with_arrays(statement["object"])})


SET_BY_STORE = {"attachments", "authority", "stored", "version"}
_numbers = itertools.count(1)


def with_arrays(holder: Any) -> Any:
    """Put single activities of a context into arrays, as the standard has it."""
    by_kind = holder.get("context", {}).get("contextActivities") if isinstance(holder, dict) else None
    if not by_kind:
        return holder
    arrays = {kind: one if isinstance(one, list) else [one] for kind, one in by_kind.items()}
    return {**holder, "context": {**holder["context"], "contextActivities": arrays}}


def mutated(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A statement with something in it exchanged for anything."""

    def mutate(value: Any, path: list[int], other: Any) -> Any:
        if not path or not isinstance(value, (dict, list)) or not value:
            return other
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        chosen = keys[path[0] % len(keys)]
        copy = dict(value) if isinstance(value, dict) else list(value)
        copy[chosen] = mutate(value[chosen], path[1:], other)
        return copy

    return st.builds(mutate, values, st.lists(st.integers(0, 9), min_size=1, max_size=5), json_values())


@FUZZ
@given(st.data(), st.sampled_from(Version))
def test_mutated_statements_are_taken_or_refused(
    door: Instance, key: dict[str, str], data: st.DataObject, version: Version
) -> None:
    statement = data.draw(mutated(statements(version)))
    body = json.dumps(statement).encode("utf-8", "surrogatepass")
    headers = {**key, "X-Experience-API-Version": version.value}
    refused_or_taken(door.post(body, headers))
    refused_or_taken(door.client.post(LINES, data=body, headers=key, content_type="application/x-ndjson"))


TYPES = st.sampled_from(["application/json", "multipart/mixed", "multipart/mixed; boundary=b", "text/plain"])


@FUZZ
@given(JUNK, TYPES)
def test_any_bytes_are_taken_or_refused_as_a_body(
    door: Instance, key: dict[str, str], body: bytes, content_type: str
) -> None:
    for method in ("POST", "PUT"):
        query = {"statementId": make_statement_id(5)} if method == "PUT" else {}
        answer = door.client.open(
            STATEMENTS, method=method, data=body, query_string=query, headers=key, content_type=content_type
        )
        refused_or_taken(answer)
    refused_or_taken(door.client.post(LINES, data=body, headers=key, content_type="application/x-ndjson"))


PIECES = st.lists(
    st.sampled_from(
        [
            b"--b",
            b"--b--",
            b"\r\n",
            b"\r\n\r\n",
            b"\n",
            b"Content-Type: application/json",
            b"Content-Type: application/json\r\n\r\n" + json.dumps(make_statement()).encode(),
            b"X-Experience-API-Hash: " + b"a" * 64,
            b"Content-Transfer-Encoding: binary",
            b"Content-Length: 99999999999999999999",
            b": ",
            b"\x00\xff",
        ]
    )
    | st.binary(max_size=20),
    max_size=20,
).map(b"".join)


@FUZZ
@given(PIECES)
def test_any_multipart_body_is_taken_or_refused(door: Instance, key: dict[str, str], body: bytes) -> None:
    refused_or_taken(
        door.client.post(STATEMENTS, data=body, headers=key, content_type='multipart/mixed; boundary="b"')
    )


FORM = st.dictionaries(
    st.sampled_from(
        ["content", "Authorization", "X-Experience-API-Version", "Content-Type", "statementId", "agent", "x"]
    ),
    st.text(max_size=40),
)
METHODS = st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD", "x"])


@FUZZ
@given(METHODS, FORM, JUNK)
def test_any_form_of_the_alternate_syntax_is_taken_or_refused(
    door: Instance, key: dict[str, str], method: str, form: dict[str, str], junk: bytes
) -> None:
    for path in (STATEMENTS, "/xapi/activities/state"):
        for body in ({**key, **{name: text.encode("utf-8", "replace") for name, text in form.items()}}, junk):
            answer = door.client.post(
                path,
                query_string={"method": method},
                data=body,
                headers=key,
                content_type="application/x-www-form-urlencoded",
            )
            refused_or_taken(answer)


@FUZZ
@given(HEADER | st.binary(max_size=60).map(lambda raw: "Basic " + base64.b64encode(raw).decode()))
def test_any_authorization_is_answered(door: Instance, text: str) -> None:
    for path in ("/xapi/statements", "/api/v1/institutions"):
        answer = door.client.get(path, headers={"Authorization": text, "X-Experience-API-Version": "1.0.3"})
        assert answer.status_code == 401, answer.text


QUERY = st.dictionaries(
    st.sampled_from(
        [
            *("more", "since", "until", "agent", "verb", "activity", "registration", "limit", "format", "x"),
            *("related_agents", "ascending", "attachments", "statementId", "voidedStatementId"),
        ]
    ),
    st.text(max_size=60) | st.sampled_from(["2026-11-21T09:30:00Z", "9999-12-31T23:59:60Z", "{}", "true"]),
    max_size=3,
)


@FUZZ
@given(QUERY, HEADER)
def test_any_parameters_and_languages_are_answered(
    door: Instance, key: dict[str, str], query: dict[str, str], languages: str
) -> None:
    query = {name: text.encode("utf-8", "replace").decode() for name, text in query.items()}
    answer = door.client.get(STATEMENTS, query_string=query, headers={**key, "Accept-Language": languages})
    refused_or_taken(answer)


@FUZZ
@given(HEADER, HEADER)
def test_any_preconditions_and_versions_are_answered(
    door: Instance, key: dict[str, str], text: str, version: str
) -> None:
    query = {"activityId": "https://e.org/a", "profileId": "p"}
    for headers in (
        {**key, "If-Match": text},
        {**key, "If-None-Match": text},
        {**key, "X-Experience-API-Version": version},
        {**key, "Content-Type": text},
    ):
        answer = door.client.put("/xapi/activities/profile", query_string=query, data=b"{}", headers=headers)
        refused_or_taken(answer)


FILES = JUNK | st.builds(
    bytes.__add__, st.sampled_from([b"\x1f\x8b", b"[", b"\xef\xbb\xbf[", b'["']), st.binary(max_size=100)
)


@FUZZ
@given(FILES)
def test_any_file_is_read_or_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path: Path = tmp_path_factory.getbasetemp() / "fuzzed-import"
    path.write_bytes(content)
    with contextlib.suppress(LrsError):
        for record in StatementFile(path, 64):
            assert len(record.text) <= len(content)
