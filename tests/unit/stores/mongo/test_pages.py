"""Pages: collisions are harmless, pairs and their stand-in find the same, references flow."""

import random
from typing import Any

import pytest

from lrs.access.handles import InstitutionId
from lrs.stores.mongo import terms as terms_module
from lrs.stores.mongo.instants import first_segment_at_or_after
from lrs.stores.mongo.log import SegmentLog
from lrs.stores.mongo.stores import MongoStores
from lrs.stores.mongo.terms import MANY_PAIRS, Terms, heritable, holds_check, kind_of
from lrs.xapi.ports import Fact, FactKind, Filter, Position, StatementStore
from tests.engines import Engine
from tests.unit.stores.mongo.conftest import (
    SCHOOL,
    add_all,
    batch,
    collections_of,
    id_of,
    number_of,
    page,
    statement,
    whole_log,
)

T = InstitutionId("school0001")


def agent(name: str, primary: bool = True) -> Fact:
    return Fact(FactKind.AGENT, f"mbox mailto:{name}@example.org", primary)


def verb(name: str) -> Fact:
    return Fact(FactKind.VERB, f"http://verbs.example/{name}")


def activity(name: str, primary: bool = True) -> Fact:
    return Fact(FactKind.ACTIVITY, f"http://activities.example/{name}", primary)


def by(fact: Fact, related: bool = False) -> Filter:
    return Filter(fact.kind, fact.value, related)


def test_terms_fit_the_database_and_tell_primary_from_related_when_hashed() -> None:
    terms = Terms(b"k" * 32, T)
    primary, related = terms.of_facts([agent("ann"), agent("ann", primary=False)])
    assert (primary + 1, kind_of(primary), kind_of(related)) == (related, FactKind.AGENT, FactKind.AGENT)
    assert terms.of_filter(by(agent("ann"))) == (primary,)
    assert terms.of_filter(by(agent("ann"), related=True)) == (primary, related)
    assert all(0 < term < 2**63 for term in (primary, related, *terms.pairs([primary, primary])))


def test_client_and_pairs_are_not_handed_on_when_facts_are_inherited() -> None:
    terms = Terms(b"k" * 32, T)
    own = terms.of_facts([verb("did"), agent("ann"), Fact(FactKind.CLIENT, "client-1")])
    assert heritable([*own, *terms.pairs(own)]) == list(own[:2])


def test_checks_are_compared_whole_when_they_stand_side_by_side() -> None:
    assert holds_check(b"aaaabbbb", [b"bbbb"])
    assert not holds_check(b"aaaabbbb", [b"aabb"])


@pytest.fixture
def colliding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Terms of which nearly all collide: two values a kind."""
    real = terms_module.term_hash

    def poor(key: bytes, institution_id: InstitutionId, kind: FactKind, value: str) -> int:
        return kind << 59 | (real(key, institution_id, kind, value) & 2)

    monkeypatch.setattr(terms_module, "term_hash", poor)


@pytest.mark.usefixtures("colliding")
def test_page_holds_only_what_was_asked_when_terms_collide(store: StatementStore) -> None:
    names = [f"n{number % 7}" for number in range(60)]
    for number, name in enumerate(names, 1):
        store.add_statements(batch(statement(number, verb("did"), agent(name))))
    expected = [number for number in range(60, 0, -1) if names[number - 1] == "n3"]
    assert page(store, by(agent("n3"))) == expected
    assert page(store, by(agent("n3")), by(verb("did"))) == expected
    assert page(store, by(agent("n3")), by(verb("saw"))) == []
    assert page(store, by(agent("n3")), limit=3) == expected[:3]
    assert page(store, by(agent("n3")), ascending=True) == expected[::-1]


@pytest.mark.usefixtures("colliding")
def test_inherited_facts_are_believed_when_the_chain_holds_them_and_terms_collide(
    store: StatementStore,
) -> None:
    store.add_statements(batch(statement(1, verb("did"), agent("ann"))))
    store.add_statements(batch(statement(2, verb("saw"), target=1)))
    store.add_statements(batch(statement(3, verb("told"), target=2)))
    store.add_statements(batch(statement(4, verb("told"), target=99)))
    assert page(store, by(agent("ann"))) == [3, 2, 1]
    assert page(store, by(agent("ann")), by(verb("told"))) == [3]
    assert page(store, by(agent("bob"))) == []


def test_pair_is_found_when_a_statement_has_too_many_pairs_to_keep(
    store: StatementStore, stores: MongoStores
) -> None:
    crowd = [agent(f"n{number}") for number in range(600)]
    store.add_statements(batch(statement(1, verb("did"), activity("a"), *crowd)))
    store.add_statements(batch(statement(2, verb("did"), activity("a"), agent("n7"))))
    row = collections_of(stores).statements.find_one({"ref": None, "k": MANY_PAIRS})
    assert row is not None
    assert number_of(row["_id"]) == 1
    assert page(store, by(agent("n7")), by(verb("did"))) == [2, 1]
    assert page(store, by(agent("n599")), by(activity("a"))) == [1]
    assert page(store, by(agent("n7")), by(verb("saw"))) == []
    assert page(store, by(agent("n600")), by(verb("did"))) == []


def test_what_a_statement_inherits_stays_small_beside_its_document(
    store: StatementStore, stores: MongoStores
) -> None:
    for number in (1, 2, 3):
        crowd = [agent(f"n{number} {n}") for n in range(400)]
        store.add_statements(batch(statement(number, verb("did"), *crowd, target=number - 1)))
    store.add_statements(batch(statement(4, verb("did"), target=3)))
    row = collections_of(stores).statements.find_one({"ref": id_of(3)})
    assert row is not None
    assert len(row["k"]) == 1 + 800 + 800  # A verb, two crowds of the three, and each one with the verb.


def test_cycles_end_when_statements_refer_to_each_other(store: StatementStore) -> None:
    store.add_statements(batch(statement(1, verb("did"), agent("ann"), target=2)))
    store.add_statements(batch(statement(2, verb("saw"), agent("bob"), target=3)))
    store.add_statements(batch(statement(3, verb("told"), target=1), statement(4, verb("self"), target=4)))
    for fact in (agent("ann"), agent("bob"), verb("did"), verb("saw"), verb("told")):
        assert page(store, by(fact)) == [3, 2, 1]
    assert page(store, by(agent("ann")), by(agent("bob")), by(verb("told"))) == [3, 2, 1]


@pytest.mark.parametrize("order", [(1, 2, 3, 4), (4, 3, 2, 1), (3, 1, 4, 2), (2, 4, 1, 3)])
def test_voidings_and_facts_arrive_when_targets_come_first_or_last(
    store: StatementStore, order: tuple[int, ...]
) -> None:
    made = {
        1: statement(1, verb("did"), agent("ann")),
        2: statement(2, verb("voided"), target=1, voids=True),
        3: statement(3, verb("voided"), target=2, voids=True),
        4: statement(4, verb("saw"), target=1),
    }
    for number in order:
        store.add_statements(batch(made[number]))
    voided = {number: store.find_statement(id_of(number)).voided for number in made}  # type: ignore[union-attr]
    assert voided == {1: True, 2: False, 3: False, 4: False}
    assert page(store, by(agent("ann"))) == [number for number in order[::-1] if number != 1]
    subjects = [entry.subject for entry in store.read_history(Position(0), 9).entries]
    assert subjects == [id_of(number - 1) for number in order if number in (2, 3)]


def test_first_segment_is_found_when_the_log_is_searched_by_instant(
    mock: Engine, stores: MongoStores
) -> None:
    seeded = random.Random(7)
    store = stores.records.statements(SCHOOL)
    for number in range(1, 130):
        store.add_statements(batch(number))
        mock.clock.move(seeded.choice([0, 0.000001, 1, 60]))
    log = SegmentLog(collections_of(stores), SCHOOL.institution_id)
    instants = log.instants(range(1, 130))
    edges = {at + step for at in instants.values() for step in (-1, 0, 1)}
    for edge in edges:
        expected = min((n for n, at in instants.items() if at >= edge), default=130)
        assert first_segment_at_or_after(log, 129, edge) == expected


def test_since_and_until_cut_exactly_when_they_fall_inside_a_batch(
    mock: Engine, store: StatementStore
) -> None:
    store.add_statements(batch(1, 2, 3))
    mock.clock.move(5)
    store.add_statements(batch(4, 5, 6))
    stored = {n: store.find_statement(id_of(n)).stored_at_us for n in range(1, 7)}  # type: ignore[union-attr]
    assert page(store, since_us=stored[2]) == [6, 5, 4, 3]
    assert page(store, until_us=stored[5]) == [5, 4, 3, 2, 1]
    assert page(store, since_us=stored[1], until_us=stored[5], ascending=True) == [2, 3, 4, 5]
    assert page(store, since_us=stored[6]) == []
    assert page(store, until_us=stored[1] - 1) == []


def _positions(found: Any) -> list[int]:
    return [one.position for one in found.statements]


def test_pages_and_log_agree_when_groups_differ_in_size(store: StatementStore) -> None:
    add_all(store, range(1, 6))
    store.add_statements(batch(*range(6, 40)))
    add_all(store, range(40, 44))
    assert whole_log(store) == list(range(1, 44))
    assert page(store, limit=100) == list(range(43, 0, -1))
    assert _positions(store.read_log(Position(0), 100)) == sorted(
        _positions(store.read_log(Position(0), 100))
    )
