"""The contract of recorded tables: values, versions and terms."""

import json

import pytest

from lrs.errors import TooLarge
from lrs.tables.recorded import COMMONS, LARGEST_VALUE_BYTES, MOST_TERMS, Note, Recorded, Wish
from tests.contract.builders import MUSEUM, SCHOOL
from tests.contract.recorded.writing import KIND, entries, put, subjects, told


def test_nothing_is_found_when_nothing_was_recorded(tables):
    assert tables.find(KIND, "ada") is None
    assert tables.find_many(KIND, ["ada"]) == {}
    assert tables.find_many(KIND, []) == {}
    assert list(tables.list(KIND)) == list(tables.find_by(KIND, "x")) == []
    assert tables.count(KIND) == 0
    assert list(tables.read_entries(0, 10)) == []


def test_value_is_found_with_its_version_and_moment_when_it_was_changed(engine, tables):
    assert put(tables, "ada", {"name": "Ada"}, at_us=5) == Recorded(KIND, "ada", {"name": "Ada"}, 1, 5)
    changed = put(tables, "ada", {"name": "Ada B."}, at_us=7)
    assert changed == Recorded(KIND, "ada", {"name": "Ada B."}, 2, 7)
    assert tables.find(KIND, "ada") == changed
    assert engine.open().recorded(SCHOOL).find(KIND, "ada") == changed
    assert tables.find_many(KIND, ["bo", "ada", "ada"]) == {"ada": changed}
    assert list(tables.list(KIND)) == [changed]


def test_decision_sees_the_value_as_it_stands(tables):
    seen = []

    def decide(before: Recorded | None) -> Wish:
        seen.append(before)
        return Wish({"n": 1 + (before.value["n"] if before else 0)})

    first = tables.change(KIND, "ada", decide, 1)
    tables.change(KIND, "ada", decide, 2)
    assert seen == [None, first]
    assert tables.find(KIND, "ada").value == {"n": 2}


def test_removed_value_is_gone_and_begins_anew_when_it_comes_back(tables):
    put(tables, "ada", {"n": 1}, "t")
    put(tables, "ada", {"n": 2}, "t")
    assert put(tables, "ada", None) is None
    assert tables.find(KIND, "ada") is None
    assert tables.count(KIND) == 0
    assert list(tables.find_by(KIND, "t")) == []
    assert put(tables, "ada", {"n": 2}, at_us=9) == Recorded(KIND, "ada", {"n": 2}, 1, 9)
    assert list(tables.find_by(KIND, "t")) == []


def test_nothing_is_written_when_the_wish_stands_already_or_there_is_none(tables):
    assert put(tables, "nobody", None) is None
    assert tables.change(KIND, "nobody", lambda _: None, 1) is None
    first = put(tables, "ada", {"b": 1, "a": [2]}, "y", "x")
    assert put(tables, "ada", {"a": [2], "b": 1}, "x", "y", "x", at_us=9) == first
    assert tables.change(KIND, "ada", lambda _: None, 9) == first
    assert len(entries(tables)) == 1


def test_same_value_with_other_terms_is_a_change(tables):
    put(tables, "ada", {"n": 1}, "x")
    assert put(tables, "ada", {"n": 1}, "y", at_us=2).version == 2
    assert (subjects(tables.find_by(KIND, "x")), subjects(tables.find_by(KIND, "y"))) == ([], ["ada"])
    assert told(tables)[-1] == ("ada", {"n": 1}, {"n": 1}, 2)


@pytest.mark.parametrize(("one", "other"), [(1, True), (1, 1.0), (0, None), ("1", 1), ([], {})])
def test_values_that_only_python_calls_equal_are_two(one, other, tables):
    put(tables, "ada", {"v": one})
    assert put(tables, "ada", {"v": other}).version == 2
    found = tables.find(KIND, "ada").value["v"]
    assert (found, type(found)) == (other, type(other))


def test_value_stays_what_it_is_whatever_its_names_and_numbers_are(tables):
    value = {
        "": {"$set": 1, "a.b": 2, "\u0000x": 3},
        "big": 123456789012345678901234567890,
        "small": [0.1, -0.0, 1e300, None, True],
        "text": "é \U0001f600 \u2028 \x00",
    }
    put(tables, "a/$b.c\u00e9", value, "t.$\u00e9")
    found = tables.find(KIND, "a/$b.c\u00e9")
    assert json.dumps(found.value, sort_keys=True) == json.dumps(value, sort_keys=True)
    assert subjects(tables.find_by(KIND, "t.$\u00e9")) == ["a/$b.c\u00e9"]
    assert entries(tables)[0].after == value


def test_nothing_is_written_when_a_decision_raises(tables):
    class Refused(Exception):
        pass

    def refuse(_: Recorded | None) -> Wish:
        raise Refused

    put(tables, "ada", {"n": 1})
    with pytest.raises(Refused):
        tables.change(KIND, "ada", refuse, 2)
    assert tables.find(KIND, "ada").value == {"n": 1}
    assert len(entries(tables)) == 1


TOO_LONG = {"text": "x" * LARGEST_VALUE_BYTES}
LONGEST = {"text": "é" * ((LARGEST_VALUE_BYTES - len('{"text":""}')) // 2)}


def test_value_is_refused_when_it_is_too_long_or_has_too_many_terms(tables):
    with pytest.raises(TooLarge):
        put(tables, "ada", TOO_LONG)
    with pytest.raises(TooLarge):
        put(tables, "ada", {}, *map(str, range(MOST_TERMS + 1)))
    with pytest.raises(TooLarge):
        tables.change_all(KIND, [("bo", Wish({})), ("ada", Wish(TOO_LONG))], 1)
    with pytest.raises(TooLarge):
        tables.note(KIND, [Note("bo", {}), Note("ada", TOO_LONG)], 1)
    assert (tables.count(KIND), entries(tables)) == (0, [])
    put(tables, "ada", {}, *map(str, range(MOST_TERMS)))
    assert subjects(tables.find_by(KIND, str(MOST_TERMS - 1))) == ["ada"]


def test_longest_value_is_kept_with_its_history(tables):
    put(tables, "ada", LONGEST)
    put(tables, "ada", {**LONGEST, "text": LONGEST["text"][:-1] + "e"})
    assert tables.find(KIND, "ada").value["text"][-2:] == "ée"
    assert [len(one.after["text"]) for one in entries(tables)] == [len(LONGEST["text"])] * 2
    assert entries(tables)[1].before == LONGEST


@pytest.mark.parametrize("limit", [1, 2, 5, 100])
def test_values_are_listed_in_order_of_code_points_behind_a_subject(limit, engine, tables):
    names = engine.in_order(["B", "a", "aa", "a b", "\u00e9", "z", "\uffee", "\U0001f600"])
    for number, name in enumerate(reversed(names)):
        put(tables, name, {"n": number}, "all", f"n{number}")
    for read in (
        lambda after: tables.list(KIND, after, limit),
        lambda after: tables.find_by(KIND, "all", after, limit),
    ):
        found = list(read(""))
        while page := read(found[-1].subject):
            assert len(page) <= limit
            found += page
        assert subjects(found) == names
    assert subjects(tables.find_by(KIND, "n0")) == names[-1:]
    assert tables.count(KIND) == len(names)


def test_terms_are_compared_whole(tables):
    put(tables, "ada", {}, "mailto:ada@school.example", "a")
    for term in ("mailto:", "mailto:ada@school.example ", "MAILTO:ada@school.example", "", "A"):
        assert list(tables.find_by(KIND, term)) == []


def test_terms_follow_the_value(tables):
    put(tables, "ada", {"n": 1}, "x", "y")
    put(tables, "ada", {"n": 2}, "y", "z")
    found = {term: subjects(tables.find_by(KIND, term)) for term in "xyz"}
    assert found == {"x": [], "y": ["ada"], "z": ["ada"]}
    tables.change_all(KIND, [("ada", Wish({"n": 2}, ("x",)))], 3)
    found = {term: subjects(tables.find_by(KIND, term)) for term in "xyz"}
    assert found == {"x": ["ada"], "y": [], "z": []}


def test_subject_and_term_may_hold_any_character(tables):
    """A statement may name an account whose name has a zero character, and an identifier is a subject."""
    names = ["a", "a\u0000", "a\u0000b", "ab"]
    assert tables.change_all(KIND, [(name, Wish({"is": name}, (name,))) for name in names], 1) == 4
    assert put(tables, "a\u0000b", {"is": "a\u0000b"}, "a\u0000b").version == 1
    found = tables.find_many(KIND, [*names, "a\u0000c"])
    assert {name: one.value["is"] for name, one in found.items()} == {name: name for name in names}
    assert [subjects(tables.find_by(KIND, name)) for name in names] == [[name] for name in names]
    assert tables.change_all(KIND, [(name, Wish(None)) for name in names], 2) == 4
    assert tables.count(KIND) == 0


def test_kinds_and_institutions_are_apart(engine):
    stores = engine.open()
    opened = [stores.recorded(one) for one in (SCHOOL, MUSEUM, COMMONS)]
    for number, one in enumerate(opened):
        put(one, "ada", {"of": number}, "t")
        put(one, "ada", {"of": -number}, "t", kind=f"{KIND}.other")
    put(opened[1], "ada", None)
    assert [one.count(KIND) for one in opened] == [1, 0, 1]
    assert [found.value["of"] for found in opened[2].find_by(KIND, "t")] == [2]
    assert opened[1].find(f"{KIND}.other", "ada").value == {"of": -1}
    assert [[entry.after for entry in entries(one)] for one in opened] == [
        [{"of": 0}, {"of": 0}],
        [{"of": 1}, {"of": -1}, None],
        [{"of": 2}, {"of": -2}],
    ]


def test_many_values_are_written_whatever_stands_there(tables):
    put(tables, "same", {"n": 1}, "t")
    put(tables, "other", {"n": 1})
    put(tables, "gone", {"n": 1}, "t")
    wishes = [
        ("new", Wish({"n": 4}, ("t",))),
        ("same", Wish({"n": 1}, ("t",))),
        ("other", Wish({"n": 2}, ("t",))),
        ("gone", Wish(None)),
        ("never", Wish(None)),
    ]
    assert tables.change_all(KIND, wishes, 9) == 3
    assert told(tables)[3:] == [
        ("new", None, {"n": 4}, 9),
        ("other", {"n": 1}, {"n": 2}, 9),
        ("gone", {"n": 1}, None, 9),
    ]
    assert [(one.subject, one.version, one.at_us) for one in tables.find_by(KIND, "t")] == [
        ("new", 1, 9),
        ("other", 2, 9),
        ("same", 1, 1),
    ]
    assert tables.change_all(KIND, wishes, 10) == 0
    assert tables.change_all(KIND, [], 10) == 0
    assert len(entries(tables)) == 6


@pytest.mark.lasting
def test_ten_thousand_values_are_written_in_one_call(engine, tables):
    count = {"sqlite": 10_000, "mongomock": 300}.get(engine.name, 1_500)
    wishes = [(f"{n:05}", Wish({"n": n}, (f"t{n % 10}", f"u{n}"))) for n in range(count)]
    assert tables.change_all(KIND, wishes, 1) == count
    assert tables.count(KIND) == count
    assert [one.after["n"] for one in entries(tables)] == list(range(count))
    assert subjects(tables.find_by(KIND, "t3", limit=3)) == ["00003", "00013", "00023"]
    assert tables.change_all(KIND, [*wishes[:-1], (wishes[-1][0], Wish({"n": -1}))], 2) == 1
