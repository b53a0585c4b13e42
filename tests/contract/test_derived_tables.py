"""Derived rows: in order, fenced by an epoch, cursors never ahead of rows, and made again at any time."""

import random
import threading
from itertools import pairwise

import pytest

from lrs.tables.derived import Derivation, DerivedTables, Row, RowName
from tests.engines import Engine

NAMES = ["B", "a", "a\u0000b", "aa", "a b", "\u00e9", "z", "\uffee", "\U0001f600"]


@pytest.fixture
def tables(engine: Engine) -> DerivedTables:
    made = engine.open().derived
    assert made.begin(1)
    return made


def row(owner: str, key: str = "", content: str = "{}", table: str = "levels") -> Row:
    return Row(table, owner, key, content.encode())


def save(tables: DerivedTables, *puts: Row, epoch: int = 1, **rest: object) -> bool:
    return tables.save(epoch, Derivation(puts, **rest))  # type: ignore[arg-type]


def test_nothing_is_found_when_nothing_was_derived(engine):
    tables = engine.open().derived
    assert tables.cursors() == {}
    assert tables.find("levels", "ada") is None
    assert list(tables.rows("levels", "ada")) == list(tables.rows_of("levels", ["ada"])) == []
    assert list(tables.rows_of("levels", [])) == list(tables.owners("levels")) == []
    assert list(tables.iter_rows("levels")) == []
    assert tables.count("levels") == 0


def test_rows_are_found_as_they_were_put(engine, tables):
    ada = row("ada", "k", '{"\u00e9": 1}')
    assert save(tables, ada, row("ada"), cursors={"log a": 7})
    for opened in (tables, engine.open().derived):
        assert opened.find("levels", "ada", "k") == ada
        assert opened.find("levels", "ada") == row("ada")
        assert opened.find("levels", "ada", "other") is None
        assert opened.find("others", "ada", "k") is None
        assert isinstance(opened.find("levels", "ada", "k").content, bytes)
        assert opened.cursors() == {"log a": 7}


def test_step_replaces_and_removes_rows_and_leaves_the_others(tables):
    save(tables, row("a", "1"), row("a", "2"), row("b", "1"), cursors={"x": 1, "y": 1})
    removals = [RowName("levels", "a", "1"), RowName("levels", "never", "1")]
    assert save(tables, row("b", "1", "[1]"), removals=removals, cursors={"x": 5})
    assert list(tables.iter_rows("levels")) == [row("a", "2"), row("b", "1", "[1]")]
    assert tables.cursors() == {"x": 5, "y": 1}
    assert save(tables)
    assert tables.cursors() == {"x": 5, "y": 1}


@pytest.mark.parametrize("limit", [1, 2, 5, None])
def test_rows_of_an_owner_are_in_order_of_code_points_behind_a_key(limit, engine, tables):
    names = engine.in_order(NAMES)
    save(tables, *[row("ada", key) for key in reversed(names)], row("ad", "x"), row("adaa", "x"))
    found = list(tables.rows("levels", "ada", limit=limit))
    while page := tables.rows("levels", "ada", found[-1].key, limit):
        assert limit is None or len(page) <= limit
        found += page
    assert [one.key for one in found] == names


def test_row_without_a_key_is_the_first_of_an_owner(tables):
    save(tables, row("ada", "b"), row("ada"), row("ada", "a"))
    assert [one.key for one in tables.rows("levels", "ada")] == ["", "a", "b"]
    assert [one.key for one in tables.rows("levels", "ada", "a")] == ["b"]


@pytest.mark.parametrize("limit", [1, 2, 5, 1000])
def test_owners_are_in_order_of_code_points_behind_one(limit, engine, tables):
    names = engine.in_order(NAMES)
    puts = [row(owner, str(n)) for owner in reversed(names) for n in range(3)]
    save(tables, *puts, row("elsewhere", table="others"))
    found = list(tables.owners("levels", limit=limit))
    while page := tables.owners("levels", found[-1], limit):
        assert len(page) <= limit
        found += page
    assert found == names


def test_rows_of_several_owners_are_in_order_of_owner_then_key(engine, tables):
    save(tables, *[row(owner, key) for owner in NAMES for key in ("2", "", "1")])
    found = tables.rows_of("levels", ["z", "a", "\U0001f600", "never", "a"])
    assert [(one.owner, one.key) for one in found] == [
        (owner, key) for owner in ("a", "z", "\U0001f600") for key in ("", "1", "2")
    ]
    # mongomock holds every row against every owner.
    many = [f"o{n}" for n in range(200 if engine.name == "mongomock" else 3000)]
    save(tables, *map(row, many))
    assert [one.owner for one in tables.rows_of("levels", many)] == sorted(many)


def test_all_rows_of_a_table_are_yielded_in_order_once(tables):
    puts = [row(f"o{n % 40}", f"k{n}") for n in range(2500)]
    random.Random(1).shuffle(puts)
    save(tables, *puts, row("x", table="others"))
    found = list(tables.iter_rows("levels"))
    assert found == sorted(puts)
    assert (tables.count("levels"), tables.count("others"), tables.count("none")) == (2500, 1, 0)


def test_rows_can_be_written_while_all_are_being_read(tables):
    save(tables, *[row(f"o{n:04}") for n in range(1500)])
    seen = []
    for number, one in enumerate(tables.iter_rows("levels")):
        seen.append(one.owner)
        if number == 3:
            assert save(tables, row("o9999"))
    assert seen[:1500] == [f"o{n:04}" for n in range(1500)]


def test_lower_epoch_writes_nothing_once_a_higher_one_has_begun(engine, tables):
    other = engine.open().derived
    assert save(tables, row("a", content="[1]"), cursors={"x": 1})
    assert other.begin(2)
    assert other.begin(2)
    assert not tables.begin(1)
    assert not save(tables, row("a", content="[2]"), row("b"), cursors={"x": 2})
    assert not save(tables, removals=[RowName("levels", "a", "")])
    assert not tables.clear(1)
    assert list(other.iter_rows("levels")) == [row("a", content="[1]")]
    assert other.cursors() == {"x": 1}
    assert save(other, row("b"), epoch=2, cursors={"x": 3})
    assert tables.cursors() == {"x": 3}
    assert [one.owner for one in tables.iter_rows("levels")] == ["a", "b"]


def test_epoch_writes_nothing_when_it_has_not_begun(engine):
    tables = engine.open().derived
    assert not save(tables, row("a"), epoch=3, cursors={"x": 1})
    assert not tables.clear(3)
    assert tables.cursors() == {}
    assert tables.count("levels") == 0
    assert tables.begin(3)
    assert not save(tables, row("a"), epoch=4)
    assert save(tables, row("a"), epoch=3)


def test_everything_is_forgotten_but_the_epoch_when_it_is_cleared(tables):
    save(tables, row("a"), row("b", table="others"), cursors={"x": 1})
    assert tables.clear(1)
    assert (tables.cursors(), tables.count("levels"), tables.count("others")) == ({}, 0, 0)
    assert list(tables.owners("levels")) == []
    assert not tables.begin(0)
    assert save(tables, row("a"))
    assert tables.count("levels") == 1


def test_long_rows_and_many_rows_go_in_one_step(engine, tables):
    count = 500 if engine.name == "mongomock" else 5000  # it looks at every row for each that it writes
    long = row("a", "long", '"' + "\u00e9" * 600_000 + '"')
    puts = [row(f"o{n % 100}", f"{n}", '{"n": 1}') for n in range(count)]
    assert save(tables, long, *puts, cursors={"x": 2**62})
    assert tables.find("levels", "a", "long") == long
    assert tables.count("levels") == count + 1
    assert tables.cursors() == {"x": 2**62}


def test_step_that_is_made_again_gives_the_same_rows(tables):
    step = Derivation((row("a", content="[1]"), row("b")), (RowName("levels", "c", ""),), {"x": 4})
    save(tables, row("c"))
    for _ in range(2):
        assert tables.save(1, step)
        assert list(tables.iter_rows("levels")) == [row("a", content="[1]"), row("b")]
        assert tables.cursors() == {"x": 4}


def test_scratch_is_empty_seen_by_nobody_and_gone_at_the_end(engine, tables):
    stores = engine.open()
    save(tables, row("a"), cursors={"x": 1})
    with stores.derived_scratch() as scratch, stores.derived_scratch() as second:
        assert (scratch.cursors(), scratch.count("levels")) == ({}, 0)
        assert scratch.begin(1)
        assert save(scratch, row("s", content="[2]"), row("a"), cursors={"x": 9})
        assert second.count("levels") == 0
        assert tables.cursors() == {"x": 1}
        assert [one.owner for one in tables.iter_rows("levels")] == ["a"]
        assert [one.owner for one in scratch.iter_rows("levels")] == ["a", "s"]
        assert scratch.clear(1)
        assert scratch.count("levels") == 0
    with stores.derived_scratch() as scratch:
        assert (scratch.cursors(), scratch.count("levels")) == ({}, 0)
    assert tables.count("levels") == 1


def test_scratch_is_gone_when_its_block_fails(engine):
    stores = engine.open()

    def fail() -> None:
        with stores.derived_scratch() as scratch:
            assert scratch.begin(1)
            assert save(scratch, row("s"))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with stores.derived_scratch() as scratch:
        assert scratch.count("levels") == 0


def test_cursors_never_run_ahead_of_rows_while_steps_are_saved(engine, tables):
    """Each step has the rows 0 … n-1 of every owner, and the cursor n."""
    reader = engine.open().derived
    done = threading.Event()
    wrong: list[str] = []

    def read() -> None:
        while not done.is_set():
            n = reader.cursors().get("x", 0)
            if n and any(reader.find("levels", owner, str(n - 1)) is None for owner in "ab"):
                wrong.append(f"no rows of step {n}")

    thread = threading.Thread(target=read)
    thread.start()
    for n in range(60):
        assert save(tables, row("a", str(n)), row("b", str(n)), cursors={"x": n + 1})
    done.set()
    thread.join()
    assert wrong == []


def test_only_one_of_two_workers_goes_on_when_both_save(engine):
    """The later epoch wins; what it wrote is never overwritten by the earlier one."""
    opened = [engine.open().derived for _ in range(2)]
    assert opened[0].begin(1)
    taken = threading.Event()
    outcomes: list[bool] = []

    def early() -> None:
        for n in range(200):
            outcomes.append(save(opened[0], row("a", content="[1]"), cursors={"x": n}))
            if n == 20:
                taken.set()

    thread = threading.Thread(target=early)
    thread.start()
    taken.wait(30)
    assert opened[1].begin(2)
    assert save(opened[1], row("a", content="[2]"), epoch=2, cursors={"x": 1000})
    thread.join()
    assert outcomes[0]
    assert not any(later and not earlier for earlier, later in pairwise(outcomes))
    assert not save(opened[0], row("a", content="[1]"))
    assert opened[1].find("levels", "a") == row("a", content="[2]")
    assert opened[1].cursors() == {"x": 1000}
