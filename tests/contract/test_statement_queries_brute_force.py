"""Random stores and random queries, against an evaluator that looks at everything.

The evaluator is plain Python over a list; it knows nothing of postings, lots or segments.
"""

import random
from dataclasses import dataclass, field

import pytest

from lrs.errors import StatementConflict
from lrs.xapi.ports import (
    MOST_INHERITED_FACTS,
    MOST_LINKS,
    Fact,
    FactKind,
    Filter,
    PreparedStatement,
    StatementId,
    StatementQuery,
    StatementStore,
)
from tests.contract.builders import (
    CLIENT,
    MUSEUM,
    SCHOOL,
    VERB,
    VOIDED,
    add,
    ids,
    log,
    make_statement,
    sid,
    walk,
)
from tests.engines import Engine, HandClock

POOL = {
    FactKind.VERB: ["v1", "v2", "v3"],
    FactKind.AGENT: ["a1", "a2", "a3", "a4"],
    FactKind.ACTIVITY: ["c1", "c2", "c3", "c4"],
    FactKind.REGISTRATION: ["r1", "r2", "r3"],
    FactKind.CLIENT: ["k1", "k2"],
}
NAMES = range(70)


@dataclass
class Model:
    """What one institution's store must say."""

    kept: dict[StatementId, PreparedStatement] = field(default_factory=dict)

    def add(self, batch: list[PreparedStatement]) -> bool:
        conflicting = [s for s in batch if s.id in self.kept and self.kept[s.id].fingerprint != s.fingerprint]
        if conflicting:
            return False
        for statement in batch:
            self.kept.setdefault(statement.id, statement)
        return True

    def voided(self, statement: PreparedStatement) -> bool:
        return statement.voids is None and any(s.voids == statement.id for s in self.kept.values())

    def chain(self, statement: PreparedStatement) -> list[PreparedStatement]:
        links, current, facts = [], statement, -len(statement.facts)
        while current is not None and current not in links and len(links) <= MOST_LINKS:
            facts += len(current.facts)
            if facts > MOST_INHERITED_FACTS:
                break
            links.append(current)
            current = None if current.target is None else self.kept.get(current.target)
        return links

    def meets(self, statement: PreparedStatement, condition: Filter) -> bool:
        links = self.chain(statement)
        for link in links[:1] if condition.kind is CLIENT else links:
            for fact in link.facts:
                if (fact.kind, fact.value) == (condition.kind, condition.value) and (
                    fact.primary or condition.related
                ):
                    return True
        return False

    def answer(self, query: StatementQuery, stored: dict[StatementId, int]) -> list[StatementId]:
        found = [
            s.id
            for s in self.kept.values()
            if not self.voided(s)
            and all(self.meets(s, condition) for condition in query.filters)
            and (query.since_us is None or stored[s.id] > query.since_us)
            and (query.until_us is None or stored[s.id] <= query.until_us)
        ]
        return found if query.ascending else found[::-1]


def random_statement(rng: random.Random) -> PreparedStatement:
    name, content = rng.choice(NAMES), rng.choice(["", "", "", "", "other"])
    # What a statement says depends on its name and content alone, as a real one's does.
    own = random.Random(f"{name} {content}")
    facts = [
        Fact(kind, value, primary=kind not in {FactKind.AGENT, FactKind.ACTIVITY} or own.random() < 0.5)
        for kind, values in POOL.items()
        for value in own.sample(values, own.choice([0, 1, 1, 2]) if kind is not CLIENT else 1)
    ]
    kind = own.random()
    if kind < 0.15:
        facts = [fact for fact in facts if fact.kind is not VERB] + [Fact(VERB, VOIDED)]
        return make_statement(name, *facts, voids=own.choice(NAMES), content=content)
    target = own.choice(NAMES) if kind < 0.5 else None
    return make_statement(name, *facts, target=target, content=content)


def random_query(rng: random.Random, instants: list[int]) -> StatementQuery:
    filters = []
    for kind in rng.sample(list(POOL), rng.choice([0, 1, 1, 2, 2, 3])):
        value = rng.choice([*POOL[kind], *POOL[kind], "unknown", VOIDED])
        filters.append(Filter(kind, value, related=rng.random() < 0.5))
    return StatementQuery(
        tuple(filters),
        since_us=rng.choice([None, None, rng.choice(instants) + rng.choice([-1, 0, 1])]),
        until_us=rng.choice([None, None, rng.choice(instants) + rng.choice([-1, 0, 1])]),
        ascending=rng.random() < 0.5,
        limit=rng.choice([1, 2, 5, 100]),
    )


def fill(rng: random.Random, clock: HandClock, stores: list[StatementStore], model: Model) -> None:
    for _ in range(25):
        batch = {s.id: s for s in (random_statement(rng) for _ in range(rng.choice([1, 1, 2, 5])))}
        accepted = model.add(list(batch.values()))
        try:
            add(rng.choice(stores), *batch.values())
        except StatementConflict:
            assert not accepted
        else:
            assert accepted
        clock.move(rng.choice([0, 0.000001, 1, -0.5]))


@pytest.mark.parametrize("seed", range(6))
def test_every_query_says_what_looking_at_everything_says(engine: Engine, seed: int):
    rng = random.Random(seed)
    opened = [engine.open(), engine.open()]
    models = {SCHOOL: Model(), MUSEUM: Model()}
    for handle, model in models.items():
        fill(rng, engine.clock, [stores.records.statements(handle) for stores in opened], model)
    for handle, model in models.items():
        store = rng.choice(opened).records.statements(handle)
        entries = log(store)
        assert ids(entries) == list(model.kept)
        assert [entry.voided for entry in entries] == [model.voided(s) for s in model.kept.values()]
        stored = {entry.id: entry.stored_at_us for entry in entries}
        for _ in range(30):
            query = random_query(rng, list(stored.values()))
            assert ids(walk(store, query)) == model.answer(query, stored), query


def chained_statement(rng: random.Random, number: int) -> PreparedStatement:
    """Long chains, some with crowds in them: most go past both bounds."""
    crowd = rng.choice([1, 1, 1, 1, 150, 400, MOST_INHERITED_FACTS + 1])
    facts = [Fact(FactKind.AGENT, f"{number} {n}") for n in range(crowd)]
    target = number + rng.choice([1, 1, 1, 1, 2, -3])
    return make_statement(number, *facts, Fact(CLIENT, "k"), target=target)


@pytest.mark.lasting
@pytest.mark.parametrize("seed", range(3))
def test_long_chains_end_where_looking_at_everything_ends(engine: Engine, seed: int):
    rng = random.Random(seed)
    store, model = engine.open().records.statements(SCHOOL), Model()
    made = [chained_statement(rng, number) for number in range(60)]
    rng.shuffle(made)
    while made:
        batch = [made.pop() for _ in range(min(len(made), rng.choice([1, 2, 10])))]
        model.add(batch)
        add(store, *batch)
    for number in range(60):
        query = StatementQuery((Filter(FactKind.AGENT, f"{number} 0"),))
        assert ids(walk(store, query)) == model.answer(query, {}), number


def test_evaluator_follows_chains_and_cycles():
    model = Model()
    model.add([make_statement("x", Fact(VERB, "v"), target="y"), make_statement("y", target="x")])
    assert all(model.meets(s, Filter(VERB, "v")) for s in model.kept.values())
    assert not model.meets(model.kept[sid("x")], Filter(VERB, "w"))
