"""The engine on mongomock, opened, with its collections in reach so that tests can make them fail."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.stores.mongo.database import Collections
from lrs.stores.mongo.stores import MongoStores
from lrs.xapi.ports import (
    Batch,
    Fact,
    FactKind,
    PreparedStatement,
    StatementId,
    StatementQuery,
    StatementStore,
)
from tests.engines import Engine, mongomock_engine

SCHOOL = InstitutionHandle(InstitutionId("school0001"))
VERB = Fact(FactKind.VERB, "http://verbs.example/did")


def id_of(number: int) -> StatementId:
    return StatementId(f"00000000-0000-4000-8000-{number:012d}")


def number_of(statement_id: str) -> int:
    return int(statement_id[-12:])


def statement(
    number: int,
    *facts: Fact,
    content: int = 1,
    target: int | None = None,
    voids: bool = False,
    body: bytes | None = None,
) -> PreparedStatement:
    """A statement that is known by its number."""
    target_id = None if target is None else id_of(target)
    return PreparedStatement(
        id_of(number),
        bytes([content]) * 16,
        facts or (VERB,),
        body if body is not None else b'{"number":%d}' % number,
        target_id,
        target_id if voids else None,
    )


def batch(*statements: PreparedStatement | int, source: str = "key-1") -> Batch:
    """A batch of statements, or of plain ones by number."""
    return Batch([statement(one) if isinstance(one, int) else one for one in statements], source)


def collections_of(stores: Any) -> Collections:
    """The collections that an opened store holds."""
    found: Collections = stores.records._collections
    return found


def page(store: StatementStore, *filters: Any, **rest: Any) -> list[int]:
    """The numbers on one page."""
    found = store.query_statements(StatementQuery(tuple(filters), **rest))
    return [number_of(one.id) for one in found.statements]


def whole_log(store: StatementStore, step: int = 7) -> list[int]:
    """The numbers in the log, read in steps."""
    numbers: list[int] = []
    last = 0
    while True:
        part = store.read_log(last, step)  # type: ignore[arg-type]
        if not part.statements:
            return numbers
        numbers += [number_of(one.id) for one in part.statements]
        last = part.last


def add_all(store: StatementStore, numbers: Iterable[int]) -> None:
    for number in numbers:
        store.add_statements(batch(number))


@pytest.fixture
def mock() -> Iterator[Engine]:
    """An empty mongomock store."""
    engine = mongomock_engine()
    yield engine
    engine.close()


@pytest.fixture
def stores(mock: Engine) -> Any:
    return mock.open(busy_seconds=0.5)


@pytest.fixture
def store(stores: MongoStores) -> StatementStore:
    """The school's statements."""
    return stores.records.statements(SCHOOL)
