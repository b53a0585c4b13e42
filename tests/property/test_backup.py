"""Backup, restore, backup: the second archive holds what the first one held, whatever the statements."""

import base64
import json
import tempfile
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.settings import read_settings
from lrs.access.handles import InstitutionHandle
from lrs.access.model import Scope
from lrs.services import Outside, build_services
from lrs.stores import Stores
from lrs.tables.recorded import COMMONS, Note, Wish
from lrs.xapi.attachments import SentBody
from lrs.xapi.versions import Version
from tests.contract.backup.making import back_up, content_of, restore
from tests.contract.test_check import faults
from tests.engines import Engine, mongomock_engine, sqlite_engine
from tests.strategies import statements

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)


def targets(some: list[dict[str, Any]]) -> st.SearchStrategy[list[int | None]]:
    """For each statement another that it refers to, perhaps voids, or None."""
    return st.lists(st.none() | st.integers(0, 11), min_size=len(some), max_size=len(some))


batches = st.lists(statements(Version.V1_0_3), min_size=1, max_size=6).flatmap(
    lambda some: st.tuples(st.just(some), targets(some), st.booleans())
)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
changes = st.lists(
    st.tuples(
        st.sampled_from(["roster.person", "link", "note"]),
        st.sampled_from(["a", "b", "\u00e9$.x"]),
        st.none() | st.dictionaries(texts, json_values, max_size=3),
        st.lists(texts, max_size=3),
        st.booleans(),
    ),
    max_size=12,
)
"""Kind, subject, value or None, terms, and whether it is the commons'."""


def record(stores: Stores, school: InstitutionHandle, some: list[Any]) -> None:
    for number, (kind, subject, value, terms, is_common) in enumerate(some):
        tables = stores.recorded(COMMONS if is_common else school)
        if kind != "note":
            tables.change_all(kind, [(subject, Wish(value, terms))], number)
        elif value is None:
            tables.forget(kind, [subject])
        else:
            tables.note(kind, [Note(subject, value, terms)], number)


def statement_id(number: int) -> str:
    return str(uuid.UUID(int=number + 1, version=4))


def without_attachments(one: dict[str, Any]) -> dict[str, Any]:
    """Those need bytes or a place where they lie."""
    return {name: part for name, part in one.items() if name != "attachments"}


def linked(some: list[dict[str, Any]], refers: list[int | None], voids: bool) -> list[dict[str, Any]]:
    """Name statements by number, and let some of them refer to others."""
    named = []
    for number, (one, target) in enumerate(zip(some, refers, strict=True)):
        changes: dict[str, Any] = {"id": statement_id(number)}
        if target is not None and target != number:
            changes["object"] = {"objectType": "StatementRef", "id": statement_id(target)}
            if "context" in one:
                lost = ("revision", "platform")
                changes["context"] = {name: part for name, part in one["context"].items() if name not in lost}
            if voids:
                changes["verb"] = {"id": "http://adlnet.gov/expapi/verbs/voided"}
        whole = {**one, **changes}
        whole["object"] = without_attachments(whole["object"])
        named.append(without_attachments(whole))
    return named


@pytest.mark.lasting
@settings(max_examples=15)
@given(batches, changes, st.booleans())
def test_content_stays_the_same_when_an_archive_goes_round(
    batch: tuple[list[dict[str, Any]], list[int | None], bool], some: list[Any], begin_embedded: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        engines = [sqlite_engine(Path(folder)), mongomock_engine()]
        first, second = engines if begin_embedded else reversed(engines)
        try:
            _go_round(first, second, linked(*batch), some)
        finally:
            for engine in engines:
                engine.close()


def _go_round(first: Engine, second: Engine, some: list[dict[str, Any]], changed: list[Any]) -> None:
    settings_ = read_settings({})
    services = build_services(settings_, Outside(clock=first.clock, durable=False), first.open)
    made = services.access.create_key("School", None, [Scope.ALL])
    token = base64.b64encode(f"{made.key.id}:{made.secret}".encode()).decode()
    caller = services.access.authenticate(f"Basic {token}")
    for one in some:
        services.statements.post(caller, SentBody(json.dumps(one).encode()), Version.V1_0_3)
    record(services.stores, services.access.handle_for_institution_named("School"), changed)
    archive = back_up(services.stores)
    restore(second, archive)
    restored = second.open()
    assert content_of(back_up(restored)) == content_of(archive)
    assert faults(services.stores) == faults(restored) == []
