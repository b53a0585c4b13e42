"""One table of statuses, one body, one id."""

import json
import logging
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, request
from werkzeug.datastructures import MultiDict

from lrs import errors
from lrs.errors import (
    InvalidParameter,
    InvalidStatement,
    LrsError,
    Problem,
    RateLimited,
    StatementConflict,
    StoreUnavailable,
    Unauthenticated,
    UnsupportedMediaType,
)
from lrs.web.callers import current_caller, install_callers
from lrs.web.errors import install_error_handlers, status_of
from lrs.web.kinds import KINDS
from lrs.web.pages import install_pages
from lrs.web.params import read_params


def every_error(cls: type[LrsError] = LrsError) -> Iterator[type[LrsError]]:
    yield cls
    for below in cls.__subclasses__():
        yield from every_error(below)


@pytest.fixture
def app() -> Flask:
    app = Flask("errors", static_folder=None)
    install_error_handlers(app, iter([f"e{n}" for n in range(1, 50)]).__next__)
    install_pages(app)
    return app


def failing(app: Flask, path: str, error: Exception) -> Any:
    def view() -> str:
        raise error

    app.add_url_rule(path, path, view)
    return app.test_client()


@pytest.mark.parametrize("cls", [cls for cls in every_error() if cls.__module__ == errors.__name__])
def test_every_class_of_the_tree_has_its_line_in_the_table(cls: type[LrsError]) -> None:
    assert cls in KINDS


def test_codes_are_unique_when_the_whole_tree_is_walked() -> None:
    codes = [cls.code for cls in every_error() if cls.__module__ == errors.__name__]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("cls", list(KINDS))
def test_each_error_answers_with_its_status_and_the_one_body(app: Flask, cls: type[LrsError]) -> None:
    answer = failing(app, "/api/v1/x", cls("Because.")).get("/api/v1/x")
    assert answer.status_code == KINDS[cls].status
    assert answer.mimetype == "application/problem+json"
    body = answer.get_json()
    assert {"type", "title", "status", "detail", "code", "errorId", "problems"} <= set(body)
    assert (body["code"], body["status"], body["errorId"]) == (cls.code, answer.status_code, "e1")


def test_problems_are_cut_at_100_when_there_are_more_but_every_bad_index_is_given(app: Flask) -> None:
    problems = [Problem(f"/{n}", "r", "m", "s") for n in range(150)]
    client = failing(app, "/xapi/x", InvalidStatement("Bad.", problems, range(150)))
    body = client.get("/xapi/x").get_json()
    assert len(body["problems"]) == 100
    assert body["problems"][0] == {"path": "/0", "rule": "r", "message": "m", "spec": "s"}
    assert body["badIndexes"] == list(range(150))


def test_conflicting_indexes_are_given_when_statements_conflict(app: Flask) -> None:
    client = failing(app, "/xapi/x", StatementConflict("Taken.", [1], ["u"]))
    assert client.get("/xapi/x").get_json()["badIndexes"] == [1]


def test_media_type_is_400_on_xapi_and_415_elsewhere(app: Flask) -> None:
    failing(app, "/xapi/x", UnsupportedMediaType("No."))
    client = failing(app, "/api/v1/x", UnsupportedMediaType("No."))
    assert client.get("/xapi/x").status_code == 400
    assert client.get("/api/v1/x").status_code == 415
    assert status_of(UnsupportedMediaType("No.")) == 415


def test_basic_is_asked_for_when_a_system_has_no_credentials(app: Flask) -> None:
    client = failing(app, "/xapi/x", Unauthenticated("Who?"))
    assert client.get("/xapi/x").headers["WWW-Authenticate"].startswith("Basic ")


def test_no_dialogue_is_opened_when_a_page_needs_a_sign_in(app: Flask) -> None:
    client = failing(app, "/page", Unauthenticated("Who?"))
    answer = client.get("/page", headers={"Accept": "text/html"})
    assert answer.status_code == 401
    assert "Basic" not in answer.headers["WWW-Authenticate"]


def test_an_unforeseen_failure_is_logged_with_its_trace_and_without_its_message(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    client = failing(app, "/api/v1/<who>", ValueError("mailto:someone@example.org"))
    app.view_functions["/api/v1/<who>"] = lambda who: 1 / len("") if who else ""
    with caplog.at_level(logging.INFO):
        answer = client.get("/api/v1/someone@example.org")
    assert answer.status_code == 500
    assert "division" not in answer.text
    assert "ZeroDivisionError" in caplog.text
    assert "e1" in caplog.text
    assert "test_web_errors.py" in caplog.text
    assert "someone@example.org" not in caplog.text


def test_causes_are_traced_without_their_messages(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    def view() -> str:
        try:
            {}[request.args["who"]]
        except KeyError as error:
            raise StoreUnavailable("/secret/path is away") from error

    app.add_url_rule("/api/v1/x", "x", view)
    answer = app.test_client().get("/api/v1/x?who=someone")
    assert answer.headers["Retry-After"] == "5"
    assert "secret" not in answer.text
    assert "KeyError" in caplog.text
    assert "someone" not in caplog.text


def test_unknown_addresses_and_methods_have_the_one_body(app: Flask) -> None:
    app.add_url_rule("/api/v1/here", "here", lambda: "ok")
    client = app.test_client()
    missing = client.get("/api/v1/nothing")
    assert (missing.status_code, missing.get_json()["code"]) == (404, "not-found")
    wrong = client.delete("/api/v1/here")
    assert (wrong.status_code, wrong.get_json()["code"]) == (405, "method-not-allowed")
    assert "GET" in wrong.headers["Allow"]


def test_a_redirect_passes(app: Flask) -> None:
    app.add_url_rule("/folder/", "folder", lambda: "ok")
    assert app.test_client().get("/folder").status_code == 308


def test_a_browser_gets_words_when_a_page_fails(app: Flask) -> None:
    answer = app.test_client().get("/nothing", headers={"Accept": "text/html,*/*;q=0.8"})
    assert answer.mimetype == "text/html"
    assert "e1" in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_a_browser_gets_json_when_a_door_for_systems_fails(app: Flask) -> None:
    answer = app.test_client().get("/xapi/nothing", headers={"Accept": "text/html,*/*;q=0.8"})
    assert answer.mimetype == "application/problem+json"


def test_retry_is_named_when_the_limit_says_when(app: Flask) -> None:
    client = failing(app, "/api/v1/x", RateLimited("Slowly.", retry_after_seconds=17))
    assert client.get("/api/v1/x").headers["Retry-After"] == "17"


def test_lone_surrogates_are_answered_when_a_problem_quotes_them(app: Flask) -> None:
    client = failing(app, "/xapi/x", InvalidParameter("Odd \ud800.", [Problem("\ud800", "r", "m")]))
    assert json.loads(client.get("/xapi/x").data)["problems"][0]["path"] == "\ud800"


def test_the_caller_is_authenticated_once_when_asked_for_twice(app: Flask) -> None:
    asked: list[str | None] = []
    install_callers(app, lambda header: asked.append(header) or "somebody")
    app.add_url_rule("/api/v1/x", "x", lambda: f"{current_caller()}{current_caller()}")
    app.add_url_rule("/api/v1/y", "y", lambda: "open")
    client = app.test_client()
    assert client.get("/api/v1/x", headers={"Authorization": "Basic abc"}).text == "somebodysomebody"
    client.get("/api/v1/y", headers={"Authorization": "Basic abc"})
    assert asked == ["Basic abc"]


def test_parameters_are_read_when_each_is_known_and_given_once() -> None:
    assert read_params(MultiDict([("verb", "v"), ("agent", "")]), {"verb", "agent"}) == {
        "verb": "v",
        "agent": "",
    }


def test_every_wrong_parameter_is_named() -> None:
    sent = MultiDict([("Verb", "v"), ("limit", "1"), ("limit", "2"), ("foo", "x"), ("agnt", "y")])
    with pytest.raises(InvalidParameter) as raised:
        read_params(sent, {"verb", "agent", "limit"})
    assert {(p.path, p.rule) for p in raised.value.problems} == {
        ("Verb", "parameter.case"),
        ("limit", "parameter.repeated"),
        ("foo", "parameter.unknown"),
        ("agnt", "parameter.unknown"),
    }
    assert "Did you mean agent?" in " ".join(p.message for p in raised.value.problems)


def test_a_long_unknown_parameter_costs_no_more_than_its_own_length() -> None:
    sent = MultiDict([("x" * 1_000_000, "")])
    tracemalloc.start()
    try:
        with pytest.raises(InvalidParameter) as raised:
            read_params(sent, {"verb", "agent"})
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000
    assert len(raised.value.detail) < 300
