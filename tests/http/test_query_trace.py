"""What is another's is looked for exactly as what does not exist is: by the same questions to the database.

Only values may differ: neither the number of questions nor their kind tells whether an id,
cursor or document is kept for somebody else.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import apsw
import pytest
from pymongo import monitoring

from lrs.access.model import Scope
from tests.engines import Engine, mongo_server_engine, sqlite_engine
from tests.http import test_two_institutions
from tests.http.conftest import Instance, make_instance
from tests.http.test_arrivals import GOOD, sign_in
from tests.http.test_two_institutions import STATEMENTS, Ask, fill_museum, nobodys_like, send

OF_A_LEARNER = ("/api/v1/learners/<>", "/api/v1/transcripts/<>")
"""Whether an institution may see a learner of others hangs on who that is, so these look further for
a learner than for nobody. A learner's id is sixty keyed bits that nobody can guess; the answers are alike."""

CASES = [one for one in test_two_institutions.CASES if not one[1].startswith(OF_A_LEARNER)]
IDS = [f"{n}-{method}-{rule}" for n, (method, rule, _) in enumerate(CASES)]


class Trace:
    """What was asked while ``asked`` is a list; values are left out."""

    def __init__(self) -> None:
        self.asked: list[Any] | None = None

    def note(self, *question: Any) -> None:
        if self.asked is not None:
            self.asked.append(question)


def shape(value: Any) -> Any:
    """A value with its structure alone: names, types and order."""
    if isinstance(value, Mapping):
        return {name: shape(one) for name, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray):
        return [shape(one) for one in value]
    return type(value).__name__


class Commands(monitoring.CommandListener):
    """Notes what goes to a MongoDB server."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self.untargeted: list[Any] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        told = {name: one for name, one in event.command.items() if name not in ("lsid", "$db", "txnNumber")}
        self._trace.note(event.command_name, told[event.command_name], shape(told))
        if told[event.command_name] == "statements":
            self.untargeted += [one for one in conditions(told) if "t" not in one]

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        pass

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        pass


def conditions(command: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """By what a command chooses documents."""
    found = [one["q"] for part in ("updates", "deletes") for one in command.get(part, ())]
    return found + [command[part] for part in ("filter", "query") if part in command]


_commands = Trace()
_listener = Commands(_commands)
monitoring.register(_listener)


@pytest.fixture
def statements() -> Iterator[Trace]:
    """Notes what every connection to SQLite that is opened from here on is asked."""
    trace = Trace()

    def follow(connection: apsw.Connection) -> None:
        connection.exec_trace = note

    def note(_cursor: object, sql: str, values: Any) -> bool:
        trace.note(sql, shape(values if values is not None else ()))
        return True

    apsw.connection_hooks.append(follow)
    yield trace
    apsw.connection_hooks.remove(follow)


def ask_as_school(engine: Engine, trace: Trace, method: str, ask: Ask, *, theirs: bool) -> Any:
    """On a store of its own, ask for the museum's or for nobody's; gives the status and what was asked."""
    instance: Instance = make_instance(engine)
    stores: Any = instance.services.stores
    if stores.engine == "sqlite":
        stores.maintenance.close()
    school, museum = instance.key("School", Scope.ALL), instance.key("Museum")
    named = fill_museum(instance, museum)
    sign_in(instance, "School")
    named = named if theirs else nobodys_like(named)
    trace.asked = []
    answer = send(instance, method, ask(named), school)
    asked, trace.asked = trace.asked, None
    return answer.status_code, asked


@pytest.mark.parametrize(("method", "rule", "ask"), CASES, ids=IDS)
def test_anothers_is_asked_for_like_nobodys_on_sqlite(
    tmp_path: Path, statements: Trace, method: str, rule: str, ask: Ask
) -> None:
    seen = []
    for name in ("theirs", "nobodys"):
        (tmp_path / name).mkdir()
        engine = sqlite_engine(tmp_path / name)
        seen.append(ask_as_school(engine, statements, method, ask, theirs=name == "theirs"))
        engine.close()
    assert seen[0] == seen[1]
    assert seen[0][1], rule


@pytest.mark.mongo_server
@pytest.mark.parametrize(("method", "rule", "ask"), CASES, ids=IDS)
def test_anothers_is_asked_for_like_nobodys_on_mongodb(
    mongo_server_uri: str, method: str, rule: str, ask: Ask
) -> None:
    seen = []
    _listener.untargeted.clear()
    for theirs in (True, False):
        engines = mongo_server_engine(mongo_server_uri)
        engine = next(engines)
        seen.append(ask_as_school(engine, _commands, method, ask, theirs=theirs))
        engine.close()
        next(engines, None)
    assert seen[0] == seen[1]
    assert seen[0][1], rule
    # The shard key begins with the institution: without it every shard would be asked.
    assert _listener.untargeted == []


def test_trace_tells_what_is_there_from_what_is_not(tmp_path: Path, statements: Trace) -> None:
    """Else the tests above would pass whatever is asked."""
    engine = sqlite_engine(tmp_path)
    instance = make_instance(engine)
    instance.key("School")
    museum = instance.key("Museum")
    theirs = fill_museum(instance, museum)
    seen = []
    for named in (theirs, nobodys_like(theirs)):
        statements.asked = []
        send(instance, "POST", {"path": STATEMENTS, "json": [{**GOOD, "id": named.statement}]}, museum)
        seen.append(statements.asked)
    statements.asked = None
    engine.close()
    assert seen[0] != seen[1]
