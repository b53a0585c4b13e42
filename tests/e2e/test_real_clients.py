"""Clients that others wrote work unchanged: tincan for Python, @xapi/xapi and tincanjs for JavaScript."""

import itertools
from collections.abc import Iterator

import pytest
from tincan import (
    Activity,
    ActivityDefinition,
    Agent,
    Context,
    LanguageMap,
    RemoteLRS,
    Result,
    Score,
    Statement,
    Verb,
)

from tests.e2e.clients import run_client
from tests.factories import make_statement_id
from tests.server import RunningServer, running_server

pytestmark = pytest.mark.xdist_group("real clients")

PASSED = "http://adlnet.gov/expapi/verbs/passed"
ROOM = "https://museum.example.org/rooms/7"

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One for all clients: each comes with a key of an institution of its own."""
    folder = tmp_path_factory.mktemp("clients")
    with running_server(f"sqlite:///{folder}/lrs.db", folder) as started:
        yield started


@pytest.fixture
def key(server: RunningServer) -> str:
    return server.make_key(f"Museum {next(_numbers)}")


@pytest.fixture
def lrs(server: RunningServer, key: str) -> RemoteLRS:
    username, password = key.split(":")
    return RemoteLRS(version="1.0.3", endpoint=f"{server.url}/xapi/", username=username, password=password)


def make(number: int) -> Statement:
    return Statement(
        id=make_statement_id(number),
        actor=Agent(name="Learner", mbox=f"mailto:learner{number % 3}@example.org"),
        verb=Verb(id=PASSED, display=LanguageMap({"en-US": "passed"})),
        object=Activity(
            id=f"{ROOM}/{number}",
            definition=ActivityDefinition(name=LanguageMap({"en-US": f"Room {number}"})),
        ),
        result=Result(success=True, score=Score(raw=number, min=0, max=100)),
        context=Context(platform="A tablet in the hall", registration=make_statement_id(99)),
    )


def test_tincan_reads_back_what_it_saved(lrs: RemoteLRS) -> None:
    saved = lrs.save_statement(make(1))
    assert saved.success, saved.data
    got = lrs.retrieve_statement(make_statement_id(1))
    assert got.success, got.data
    assert got.content.result.score.raw == 1
    assert got.content.actor.mbox == "mailto:learner1@example.org"
    assert got.content.stored is not None
    assert got.content.authority is not None


def test_tincan_walks_all_pages_when_it_queries(lrs: RemoteLRS) -> None:
    assert lrs.save_statements([make(number) for number in range(1, 31)]).success
    answer = lrs.query_statements(
        {"agent": Agent(mbox="mailto:learner1@example.org"), "verb": Verb(id=PASSED), "limit": 4}
    )
    found = []
    while True:
        assert answer.success, answer.data
        found += answer.content.statements
        if not answer.content.more:
            break
        answer = lrs.more_statements(answer.content)
    assert [str(one.id) for one in found] == [make_statement_id(n) for n in range(28, 0, -3)]


def test_tincan_is_told_why_when_a_statement_is_wrong(lrs: RemoteLRS) -> None:
    wrong = make(1)
    wrong.object = Activity(id="no-iri")
    answer = lrs.save_statement(wrong)
    assert not answer.success
    assert answer.response.status == 400
    assert "/object/id" in answer.data


# In pages of 5, newest first: every second of 25 statements.
PAGES = [[24, 22, 20, 18, 16], [14, 12, 10, 8, 6], [4, 2, 0]]


@pytest.mark.clients
@pytest.mark.parametrize("adapter", ["axios", "fetch"])
@pytest.mark.parametrize(
    ("version", "answered"), [("1.0.0", "1.0.3"), ("1.0.3", "1.0.3"), ("2.0.0", "2.0.0")]
)
def test_xapi_js_posts_queries_pages_and_voids(
    server: RunningServer, key: str, version: str, answered: str, adapter: str
) -> None:
    found = run_client("xapi.cjs", server, key, version, adapter=adapter)
    assert {"1.0.3", "2.0.0"} <= set(found["about"])
    assert found["sent"] == 24
    assert found["single"] == 24
    assert found["singleVersion"] == ("2.0.0" if version == "2.0.0" else "1.0.0")
    assert found["pages"] == PAGES
    assert found["state"] == {"floor": 2}
    assert found["voided"]
    assert found["answered"] == answered
    assert found["refusal"]["status"] == 400
    assert found["refusal"]["problems"][0]["path"] == "/object/id"


@pytest.mark.clients
@pytest.mark.parametrize("version", ["1.0.0", "1.0.1", "1.0.2"])
def test_tincanjs_posts_queries_and_pages(server: RunningServer, key: str, version: str) -> None:
    found = run_client("tincan.cjs", server, key, version)
    assert {"1.0.3", "2.0.0"} <= set(found["about"])
    assert found["single"] == 24
    assert found["singleVersion"] == "1.0.0"
    assert found["pages"] == PAGES
    assert found["state"] == {"floor": 2}
    assert found["refusal"]["status"] == 400
    assert found["refusal"]["problems"][0]["path"] == "/object/id"


def test_every_1_0_header_is_answered_as_1_0_3(server: RunningServer, key: str) -> None:
    for number, header in enumerate(["1.0", "1.0.0", "1.0.1", "1.0.2", "1.0.3", "1.0.17"], 1):
        id_ = make_statement_id(number)
        body = {
            "id": id_,
            "actor": {"mbox": "mailto:someone@example.org"},
            "verb": {"id": PASSED},
            "object": {"id": ROOM},
        }
        posted = server.call("POST", "/xapi/statements", [body], key=key, version=header)
        got = server.call("GET", f"/xapi/statements?statementId={id_}", key=key, version=header)
        wrong = server.call("GET", "/xapi/statements?statementId=none", key=key, version=header)
        assert [answer.status for answer in (posted, got, wrong)] == [200, 200, 400], header
        versions = {answer.headers["x-experience-api-version"] for answer in (posted, got, wrong)}
        assert versions == {"1.0.3"}, header
        assert got.json()["version"] == "1.0.0"
