"""Persons out of acts, rosters and links, worked out step by step and all at once."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrs.errors import InvalidParameter, NotFound
from lrs.learners.identifiers import sha1_of
from lrs.learners.service import RosterOptions
from tests.unit.learners.people import MUSEUM, SCHOOL, Town, make_town, rows

ANA = "mbox mailto:ana@example.org"
ANA_HASHED = str(sha1_of(ANA))
FAMILY = "mbox mailto:family@example.org"
HOME = "https://school.example"
ACCOUNT_17 = f"account {HOME} 17"
ACCOUNT_18 = f"account {HOME} 18"
OPTIONS = RosterOptions(HOME)


def test_mailbox_and_its_sha1_are_one_learner_whichever_acts_first(town_on_each: Town) -> None:
    town_on_each.act(ANA_HASHED, MUSEUM)
    town_on_each.act(ANA, SCHOOL, 2, "Ana")
    learner = town_on_each.service.find("mailto:ana@example.org")
    assert {one.identifier for one in learner.identities} == {ANA, ANA_HASHED}
    assert learner == town_on_each.service.find(ANA_HASHED.split()[1])
    assert (learner.name, learner.institutions) == ("Ana", ("mus0010001", "sch0010001"))
    assert len(town_on_each.service.list().learners) == 1
    assert town_on_each.all_rows() == town_on_each.rebuilt()


def test_roster_joins_account_and_mailbox_and_names_the_learner(town_on_each: Town) -> None:
    town_on_each.act(ANA_HASHED, MUSEUM, 1, "A.")
    town_on_each.act(ACCOUNT_17, SCHOOL, 2)
    assert len(town_on_each.persons()) == 2
    person = {"sourcedId": "17", "givenName": "Ana", "familyName": "Bell", "email": "ana@example.org"}
    town_on_each.service.import_roster(SCHOOL, "pupils", rows({**person, "birthDate": "2012-04-19"}), OPTIONS)
    town_on_each.catch_up()
    (learner,) = town_on_each.service.list().learners
    assert (learner.name, learner.names, learner.birth_dates) == (
        "Ana Bell",
        ("A.", "Ana Bell"),
        ("2012-04-19",),
    )
    assert town_on_each.all_rows() == town_on_each.rebuilt()


def test_learner_exists_when_only_a_roster_knows_them(town: Town) -> None:
    town.service.import_roster(SCHOOL, "pupils", rows({"sourcedId": "17", "givenName": "Ana"}), OPTIONS)
    town.catch_up()
    learner = town.service.find(f"{HOME} 17")
    assert (learner.name, learner.institutions, learner.shared) == ("Ana", ("sch0010001",), False)
    town.service.import_roster(SCHOOL, "pupils", rows(), RosterOptions(HOME, full=True))
    town.catch_up()
    assert town.all_rows() == []


def test_mailbox_of_two_persons_resolves_to_nobody_until_a_person_links_it(town_on_each: Town) -> None:
    town = town_on_each
    people = rows(
        {"sourcedId": "17", "name": "Clove", "email": "family@example.org"},
        {"sourcedId": "18", "name": "Onyx", "email": "family@example.org"},
    )
    done = town.service.import_roster(SCHOOL, "pupils", people, OPTIONS)
    assert done.shared == {name: ["pupils/17", "pupils/18"] for name in (FAMILY, sha1_of(FAMILY))}
    town.act(FAMILY, MUSEUM)
    town.catch_up()
    assert town.persons() == {frozenset([FAMILY]), frozenset([ACCOUNT_17]), frozenset([ACCOUNT_18])}
    unresolved = town.service.find("mailto:family@example.org")
    assert unresolved.shared
    assert unresolved.institutions == ("mus0010001",)

    town.service.link(ACCOUNT_17, "mailto:family@example.org", "operator", "asked the family")
    town.catch_up()
    assert town.persons() == {frozenset([FAMILY, ACCOUNT_17]), frozenset([ACCOUNT_18])}
    assert not town.service.find("mailto:family@example.org").shared
    assert town.service.find(unresolved.id).id == town.service.find(ACCOUNT_17).id
    assert town.all_rows() == town.rebuilt()


def test_mailbox_and_its_sha1_given_to_two_persons_join_nobody(town: Town) -> None:
    people = rows(
        {"sourcedId": "17", "email": "family@example.org"},
        {"sourcedId": "18", "identifiers": str(sha1_of(FAMILY))},
    )
    assert set(town.service.import_roster(SCHOOL, "pupils", people, OPTIONS).shared) == {
        FAMILY,
        sha1_of(FAMILY),
    }
    town.catch_up()
    assert town.service.find(ACCOUNT_17) != town.service.find(ACCOUNT_18)


def test_mailbox_is_shared_when_a_later_roster_gives_it_to_somebody_else(town: Town) -> None:
    first = {"sourcedId": "17", "name": "Clove", "email": "family@example.org", "birthDate": "2012-06-20"}
    town.service.import_roster(SCHOOL, "pupils", rows(first), OPTIONS)
    town.catch_up()
    assert town.persons() == {frozenset([FAMILY, ACCOUNT_17])}
    same = {**first, "sourcedId": "L1", "name": "Clove Q."}
    assert not town.service.import_roster(SCHOOL, "library", rows(same), OPTIONS).shared
    other = {**first, "sourcedId": "L2", "birthDate": "2010-09-13"}
    assert town.service.import_roster(SCHOOL, "club", rows(other), OPTIONS).shared
    town.catch_up()
    assert frozenset([ACCOUNT_17]) in town.persons()
    assert town.all_rows() == town.rebuilt()


def test_link_then_unlink_gives_the_same_rows_but_for_what_was_said(town_on_each: Town) -> None:
    town = town_on_each
    town.act(ANA, MUSEUM, 1, "Ana")
    town.act(ACCOUNT_17, SCHOOL, 2)
    before = town.all_rows()
    apart = town.service.find(ACCOUNT_17), town.service.find(ANA)
    town.service.link(ANA, "https://school.example 17", "operator")
    town.catch_up()
    joined = town.service.find(ANA)
    assert [town.service.find(one.id).id for one in apart] == [joined.id] * 2
    assert {one.identifier for one in joined.identities} == {ANA, ANA_HASHED, ACCOUNT_17}
    town.service.unlink(apart[0].id, apart[1].id, "operator")
    town.catch_up()
    assert town.all_rows() == before == town.rebuilt()


def test_unlink_parts_what_a_roster_joins(town: Town) -> None:
    town.service.import_roster(
        SCHOOL, "pupils", rows({"sourcedId": "17", "email": "ana@example.org"}), OPTIONS
    )
    town.service.unlink(ANA, ACCOUNT_17, "operator", "the address is the mother's")
    town.catch_up()
    assert town.persons() == {frozenset([ANA]), frozenset([ACCOUNT_17])}
    assert town.all_rows() == town.rebuilt()


def test_mailbox_parted_from_its_sha1_stays_apart(town: Town) -> None:
    town.act(ANA, SCHOOL)
    town.act(ANA_HASHED, MUSEUM, 2)
    town.service.unlink(ANA, ANA_HASHED, "operator")
    town.catch_up()
    assert town.service.find(ANA) != town.service.find(ANA_HASHED)
    town.act(ANA_HASHED, MUSEUM, 3)
    assert town.all_rows() == town.rebuilt()


def test_link_is_refused_when_an_end_is_nothing(town: Town) -> None:
    with pytest.raises(InvalidParameter, match="same identifier"):
        town.service.link(ANA, "mailto:ana@example.org", "operator")
    with pytest.raises(InvalidParameter, match="no identifier"):
        town.service.link(ANA, "Ana", "operator")
    with pytest.raises(NotFound):
        town.service.link(ANA, "0123456789ab", "operator")
    with pytest.raises(NotFound):
        town.service.find("mailto:nobody@example.org")


def test_learners_of_an_institution_are_listed_each_once_by_any_page_size(town: Town) -> None:
    for number in range(25):
        town.act(f"mbox mailto:p{number}@example.org", MUSEUM if number % 3 else SCHOOL, number)
    for number in range(0, 20, 2):
        town.service.link(f"mailto:p{number}@example.org", f"mailto:p{number + 1}@example.org", "operator")
    town.catch_up()
    whole = town.service.list(MUSEUM.institution_id, limit=1000).learners
    assert all("mus0010001" in one.institutions for one in whole)
    assert (
        len({one.id for one in whole})
        == len(whole)
        == len([one for one in town.service.list(limit=1000).learners if "mus0010001" in one.institutions])
    )
    for limit in (1, 2, 7):
        for place, expected in ((MUSEUM.institution_id, whole), (None, town.service.list(limit=99).learners)):
            listed, after = [], ""
            while after is not None:
                page = town.service.list(place, after, limit)
                assert len(page.learners) <= limit
                listed += page.learners
                after = page.after
            assert listed == list(expected)


def test_acts_are_read_in_order_of_time_and_only_from_given_institutions(town: Town) -> None:
    town.act(ANA, MUSEUM, 3)
    town.act(ANA_HASHED, SCHOOL, 2)
    town.act(ANA, SCHOOL, 1)
    handle = town.service.own(ANA)
    reader = town.service.reader
    assert [act.at % 10 for act in reader.acts(handle.identities)] == [1, 2, 3]
    only = reader.acts(handle.identities, frozenset([SCHOOL.institution_id]))
    assert [act.at % 10 for act in only] == [1, 2]


NAMES = [ANA, ANA_HASHED, FAMILY, ACCOUNT_17, ACCOUNT_18, "openid https://id.example/x"]
NAME = st.sampled_from(NAMES)
PERSON = st.tuples(st.sampled_from(["17", "18", "19"]), st.lists(NAME, min_size=1, max_size=3, unique=True))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("act"), NAME, st.sampled_from([SCHOOL, MUSEUM])),
        st.tuples(st.sampled_from(["link", "unlink"]), NAME, NAME),
        st.tuples(st.just("roster"), st.sampled_from([SCHOOL, MUSEUM]), st.lists(PERSON, max_size=3)),
        st.just(("catch up",)),
    ),
    max_size=14,
)


@settings(max_examples=25)
@given(STEPS)
def test_step_by_step_gives_the_rows_of_all_at_once(steps: list[tuple[object, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        town = make_town(Path(folder))
        given_ids = {name: town.service.identity(name) for name in NAMES}
        try:
            for number, step in enumerate(steps):
                _take(town, step, number)
            town.catch_up()
            assert town.all_rows() == town.rebuilt()
            known = {one.id for learner in town.service.list(limit=99).learners for one in learner.identities}
            for name in NAMES:
                if given_ids[name] in known:
                    assert name in {one.identifier for one in town.service.find(given_ids[name]).identities}
        finally:
            town.engine.close()


def _take(town: Town, step: tuple, number: int) -> None:  # type: ignore[type-arg]
    kind = step[0]
    if kind == "act":
        town.act(step[1], step[2], number)
    elif kind in {"link", "unlink"} and step[1] != step[2]:
        getattr(town.service, kind)(step[1], step[2], "operator")
    elif kind == "roster":
        people = rows(*({"sourcedId": one, "identifiers": "|".join(names)} for one, names in step[2]))
        town.service.import_roster(step[1], "pupils", people, RosterOptions(full=True))
    elif kind == "catch up":
        town.catch_up()
