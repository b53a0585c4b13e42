"""Clients that others wrote work unchanged: tincan, the Python client of the xAPI community."""

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

from tests.factories import make_statement_id
from tests.server import RunningServer

PASSED = "http://adlnet.gov/expapi/verbs/passed"
ROOM = "https://museum.example.org/rooms/7"


@pytest.fixture
def lrs(server: RunningServer) -> RemoteLRS:
    username, password = server.make_key("Museum").split(":")
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
