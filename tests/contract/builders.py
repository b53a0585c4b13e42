"""Prepared statements made by hand: what the contract of a statement store stands on."""

import hashlib
from collections.abc import Iterable

from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.xapi.ports import (
    Batch,
    BatchOutcome,
    Fact,
    FactKind,
    Filter,
    Position,
    PreparedStatement,
    StatementId,
    StatementQuery,
    StatementStore,
    StoredStatement,
)

SCHOOL = InstitutionHandle(InstitutionId("sch00l0001"))
MUSEUM = InstitutionHandle(InstitutionId("museum0001"))

VERB, AGENT, ACTIVITY, REGISTRATION, CLIENT = FactKind

PASSED = "http://adlnet.gov/expapi/verbs/passed"
FAILED = "http://adlnet.gov/expapi/verbs/failed"
VOIDED = "http://adlnet.gov/expapi/verbs/voided"


def sid(name: object) -> StatementId:
    """The same name gives the same statement id."""
    h = hashlib.sha256(str(name).encode()).hexdigest()
    return StatementId(f"{h[:8]}-{h[8:12]}-4{h[13:16]}-8{h[17:20]}-{h[20:32]}")


def make_statement(
    name: object,
    *facts: Fact,
    target: object = None,
    voids: object = None,
    body: bytes | None = None,
    content: str = "",
) -> PreparedStatement:
    """``content`` stands for what makes two statements of one id differ."""
    referred = voids if target is None else target
    default = f'{{"id":"{sid(name)}","of":"{name}","content":"{content}"}}'.encode()
    return PreparedStatement(
        id=sid(name),
        fingerprint=hashlib.md5(content.encode(), usedforsecurity=False).digest(),
        facts=tuple(facts),
        body=default if body is None else body,
        target=None if referred is None else sid(referred),
        voids=None if voids is None else sid(voids),
    )


def voiding(name: object, of: object) -> PreparedStatement:
    return make_statement(name, Fact(VERB, VOIDED), voids=of)


def add(store: StatementStore, *statements: PreparedStatement, source: str = "key") -> BatchOutcome:
    return store.add_statements(Batch(statements, source))


def verb(value: str = PASSED) -> Fact:
    return Fact(VERB, value)


def agent(value: str, *, primary: bool = True) -> Fact:
    return Fact(AGENT, value, primary)


def activity(value: str, *, primary: bool = True) -> Fact:
    return Fact(ACTIVITY, value, primary)


def by(kind: FactKind, value: str, *, related: bool = False) -> Filter:
    return Filter(kind, value, related)


def walk(store: StatementStore, query: StatementQuery) -> list[StoredStatement]:
    """Follow ``more`` to the end; no page but the last is short of the limit."""
    found: list[StoredStatement] = []
    after: Position | None = query.after
    while True:
        page = store.query_statements(
            StatementQuery(query.filters, query.since_us, query.until_us, query.ascending, query.limit, after)
        )
        found += page.statements
        if page.more is None:
            assert len(page.statements) <= query.limit
            return found
        assert len(page.statements) == query.limit
        assert page.more == page.statements[-1].position
        after = page.more


def ids(statements: Iterable[StoredStatement]) -> list[StatementId]:
    return [statement.id for statement in statements]


def find(store: StatementStore, *filters: Filter, **rest: object) -> list[StatementId]:
    return ids(walk(store, StatementQuery(filters, **rest)))  # type: ignore[arg-type]


def log(store: StatementStore) -> list[StoredStatement]:
    """The whole log, read in small pages."""
    found: list[StoredStatement] = []
    after = Position(0)
    while True:
        page = store.read_log(after, 7)
        if not page.statements:
            assert page.last >= after
            return found
        assert page.last >= page.statements[-1].position
        found += page.statements
        after = page.last
