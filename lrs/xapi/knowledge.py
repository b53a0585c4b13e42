"""What the store knows of an activity or an agent: the Activities and Agents resources.

What writers without the scope ``define`` say of either does not count.

Spec: xAPI 1.0.3 Communication 4.2; 2.4 (Agents, Person), 2.5 (Activities); xAPI 2.0 4.1.6.3, 4.1.6.4.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import orjson

from lrs.access.handles import InstitutionHandle
from lrs.access.model import Caller, Scope
from lrs.errors import NotPermitted
from lrs.xapi.facts import agent_key
from lrs.xapi.marks import is_undefining
from lrs.xapi.params import ParamReader
from lrs.xapi.ports import FactKind, Filter, RecordStores, StatementQuery, StoredStatement
from lrs.xapi.texts import served_text
from lrs.xapi.versions import Version

_IDENTIFIERS = ("mbox", "mbox_sha1sum", "openid", "account")
_LOOKED_AT = 50
"""Of so many of an agent's newest statements that count the names are taken."""

_LOOKED_THROUGH = 500
"""Among so many at most: there may be any number of those that do not count."""

Json = Mapping[str, Any]


class KnowledgeService:
    """Answers what is known of an activity or an agent.

    All methods raise InvalidParameter for wrong parameters, NotPermitted without a scope
    that reads, and StoreError when the store fails.
    """

    def __init__(self, records: RecordStores) -> None:
        """Take the stores."""
        self._records = records

    def get_activity(self, caller: Caller, params: Mapping[str, str], version: Version) -> bytes:
        """Return an Activity as JSON text, with all that statements told of it; the bare id if none did."""
        handle = find_reader(caller)
        reader = ParamReader(params, version, "xAPI 1.0.3 Communication 2.5")
        reader.require("activityId")
        activity = reader.iri("activityId")
        reader.raise_if_wrong()
        definition = self._records.activities(handle).find_definition(activity or "")
        text = orjson.dumps({"objectType": "Activity", "id": activity})
        return text if definition is None else text[:-1] + b',"definition":' + definition + b"}"

    def get_person(self, caller: Caller, params: Mapping[str, str], version: Version) -> dict[str, Any]:
        """Return the Person that an Agent stands for, also for an agent never met.

        Identifiers are never joined by guess: the Person has the one that was asked with.
        """
        handle = find_reader(caller)
        reader = ParamReader(params, version, "xAPI 1.0.3 Communication 2.4")
        reader.require("agent")
        agent = reader.agent_object()
        if agent is not None and agent.get("objectType", "Agent") != "Agent":
            reader.refuse("agent", "agent must be an Agent; a Group is no person.")
        reader.raise_if_wrong()
        return _person(agent or {}, self._names(caller, handle, agent or {}))

    def _names(self, caller: Caller, handle: InstitutionHandle, agent: Json) -> Iterator[str]:
        """Yield the names that the agent bore in statements of writers who may say so, newest first."""
        key = agent_key(agent) or ""
        filters = [Filter(FactKind.AGENT, key)]
        if not caller.may(Scope.STATEMENTS_READ) and caller.client is not None:
            filters.append(Filter(FactKind.CLIENT, caller.client.id))
        telling = (one for one in self._newest(handle, filters) if not is_undefining(one.body))
        for found in islice(telling, _LOOKED_AT):
            statement = orjson.loads(served_text(found.body, found.stored_at_us))
            for candidate in _agents(statement):
                if agent_key(candidate) == key and "name" in candidate:
                    yield candidate["name"]

    def _newest(self, handle: InstitutionHandle, filters: Sequence[Filter]) -> Iterator[StoredStatement]:
        """Yield the newest statements that meet the filters, as many as may be looked through."""
        store = self._records.statements(handle)
        after = None
        for _ in range(_LOOKED_THROUGH // _LOOKED_AT):
            page = store.query_statements(StatementQuery(tuple(filters), limit=_LOOKED_AT, after=after))
            yield from page.statements
            after = page.more
            if after is None:
                return


def find_reader(caller: Caller) -> InstitutionHandle:
    """Return where a caller reads; ask before anything of a request is read.

    Raises:
        NotPermitted: The caller may not read statements.
    """
    if caller.handle is None or not caller.may(Scope.STATEMENTS_READ_MINE):
        raise NotPermitted("These credentials may not read: the scope statements/read is missing.")
    return caller.handle


def _agents(statement: Json) -> Iterator[Json]:
    for agent in (statement["actor"], statement["object"]):
        yield agent
        yield from agent.get("member", ())


def _person(agent: Json, names: Iterator[str]) -> dict[str, Any]:
    """Write a Person: arrays of what is known, without what is not."""
    person: dict[str, Any] = {"objectType": "Person"}
    own = [agent["name"]] if "name" in agent else []
    known = list(dict.fromkeys([*own, *names]))
    if known:
        person["name"] = known
    for identifier in _IDENTIFIERS:
        if identifier in agent:
            person[identifier] = [agent[identifier]]
    return person
