"""What is another's is looked for exactly as what does not exist is: by the same questions to the database.

Only values may differ: neither the number of questions nor their kind tells whether an id,
cursor or document is kept for somebody else.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import apsw
import pytest
from pymongo import monitoring

from tests.engines import Engine, mongo_server_engine, sqlite_engine
from tests.http import owned
from tests.http.conftest import Instance, make_instance
from tests.http.owned import STATEMENTS, Ask, Named, fill_museum, new_school, nobodys_like, send
from tests.http.posting import GOOD

OF_A_LEARNER = ("/api/v1/learners/<>", "/api/v1/transcripts/<>")
"""Whether an institution may see a learner of others hangs on who that is, so these look further for
a learner than for nobody. A learner's id is sixty keyed bits that nobody can guess; the answers are alike."""

CASES = [one for one in owned.CASES if not one[1].startswith(OF_A_LEARNER)]
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


@pytest.fixture(scope="module")
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


class Side:
    """An instance that is asked again and again for the museum's, or as often for nobody's."""

    def __init__(self, engine: Engine, trace: Trace, *, theirs: bool) -> None:
        """Fill the museum."""
        self.instance: Instance = make_instance(engine)
        self._trace = trace
        self._numbers = itertools.count()
        stores: Any = self.instance.services.stores
        if stores.engine == "sqlite":
            stores.maintenance.close()
        named = fill_museum(self.instance, self.instance.key("Museum"))
        self._named: Named = named if theirs else nobodys_like(named)

    def ask(self, method: str, ask: Ask) -> Any:
        """Ask as a school that has sent nothing yet; gives the status and what the database was asked."""
        school = new_school(self.instance, f"School {next(self._numbers)}")
        self._trace.asked = []
        answer = send(self.instance, method, ask(self._named), school)
        asked, self._trace.asked = self._trace.asked, None
        return answer.status_code, asked


@pytest.fixture(scope="module")
def on_sqlite(statements: Trace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Side]]:
    """Two instances, each on a store of its own: one to ask for the museum's, one for nobody's."""
    engines = [sqlite_engine(tmp_path_factory.mktemp("side")) for _ in range(2)]
    yield [Side(engine, statements, theirs=not n) for n, engine in enumerate(engines)]
    for engine in engines:
        engine.close()


@pytest.fixture(scope="module")
def on_mongodb(mongo_server_uri: str) -> Iterator[list[Side]]:
    """The same on a server that speaks MongoDB's protocol."""
    opened = [mongo_server_engine(mongo_server_uri) for _ in range(2)]
    engines = [next(one) for one in opened]
    yield [Side(engine, _commands, theirs=not n) for n, engine in enumerate(engines)]
    for engine, rest in zip(engines, opened, strict=True):
        engine.close()
        next(rest, None)


@pytest.mark.parametrize(("method", "rule", "ask"), CASES, ids=IDS)
def test_anothers_is_asked_for_like_nobodys_on_sqlite(
    on_sqlite: list[Side], method: str, rule: str, ask: Ask
) -> None:
    theirs, nobodys = (side.ask(method, ask) for side in on_sqlite)
    assert theirs == nobodys
    assert theirs[1], rule


@pytest.mark.mongo_server
@pytest.mark.xdist_group("query trace")
@pytest.mark.parametrize(("method", "rule", "ask"), CASES, ids=IDS)
def test_anothers_is_asked_for_like_nobodys_on_mongodb(
    on_mongodb: list[Side], method: str, rule: str, ask: Ask
) -> None:
    _listener.untargeted.clear()
    theirs, nobodys = (side.ask(method, ask) for side in on_mongodb)
    assert theirs == nobodys
    assert theirs[1], rule
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
