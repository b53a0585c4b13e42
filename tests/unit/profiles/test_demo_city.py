"""The invented term: enough of it, the same each time, and valid in both versions."""

import csv
import json
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from random import Random
from typing import Any

import pytest

from lrs.learners.identifiers import sha1_of
from lrs.xapi.statement import validate_statement
from lrs.xapi.versions import Version
from profiles.demo_city import load_city, make_term
from profiles.demo_city.diary import VERBS

CITY = load_city()
EVENING = datetime(2026, 11, 21, 18, tzinfo=UTC)


def term(until: datetime = EVENING) -> dict[str, list[dict[str, Any]]]:
    return make_term(CITY, until, Random(7))


def every(made: dict[str, list[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    for statements in made.values():
        yield from statements


@pytest.mark.parametrize("back", range(7))
@pytest.mark.parametrize("hour", [0, 23])
def test_term_has_at_least_2000_statements_when_it_ends_on_any_weekday_at_any_hour(
    back: int, hour: int
) -> None:
    until = (EVENING - timedelta(days=back)).replace(hour=hour)
    made = list(every(term(until)))
    assert len(made) >= 2000
    assert max(datetime.fromisoformat(one["timestamp"]) for one in made) <= until


def test_every_statement_is_valid_when_checked_by_both_versions() -> None:
    for version in Version:
        for statement in every(term()):
            assert not list(validate_statement(statement, version)), statement


def test_term_is_the_same_when_made_twice() -> None:
    assert json.dumps(term()) == json.dumps(term())


def test_ids_are_unique_and_stay_when_the_term_ends_at_another_hour_of_the_day() -> None:
    evening = {one["id"]: one for one in every(term())}
    morning = {one["id"]: one for one in every(term(EVENING.replace(hour=8)))}
    assert len(evening) == sum(len(statements) for statements in term().values())
    assert {uuid.UUID(id_).version for id_ in evening} == {5}
    assert morning.items() <= evening.items()


def test_ids_differ_when_the_term_ends_on_another_day() -> None:
    today = {one["id"] for one in every(term())}
    assert today.isdisjoint(one["id"] for one in every(term(EVENING - timedelta(days=1))))


def test_term_is_varied() -> None:
    made = list(every(term()))
    objects = Counter(one["object"].get("objectType", "Activity") for one in made)
    interactions = {
        one["object"]["definition"]["interactionType"]
        for one in made
        if "interactionType" in one["object"].get("definition", {})
    }
    assert {one["verb"]["id"] for one in made} == set(VERBS.values())
    assert set(objects) == {"Activity", "Agent", "StatementRef", "SubStatement"}
    assert len(interactions) == 9
    assert {one["actor"]["objectType"] for one in made} == {"Agent", "Group"}
    assert any("team" in one.get("context", {}) for one in made)


def test_one_mistaken_record_is_voided_when_it_was_sent_before() -> None:
    school = term()["school"]
    voiding = [one for one in school if one["verb"]["id"] == VERBS["voided"]]
    order = [one["id"] for one in school]
    assert len(voiding) == 1
    assert order.index(voiding[0]["object"]["id"]) < order.index(voiding[0]["id"])


def test_learner_is_known_under_several_identifiers() -> None:
    kinds = Counter(kind for one in CITY.learners for by in one.identifiers.values() for kind in by)
    assert set(kinds) == {"account", "mbox", "mbox_sha1sum"}
    assert kinds["account"] == len(CITY.learners) == kinds["mbox_sha1sum"]


def test_files_say_that_everything_is_invented() -> None:
    folder = files("profiles.demo_city")
    for name in ("city.json", "offers.json", "people.json"):
        assert "invented" in json.loads(folder.joinpath(name).read_text(encoding="utf-8"))["note"]


def test_every_identifier_of_a_learner_is_of_the_mailbox_that_the_roster_gives() -> None:
    text = files("profiles.demo_city").joinpath("roster.csv").read_text(encoding="utf-8")
    mailboxes = {row["sourcedId"]: f"mailto:{row['email']}" for row in csv.DictReader(text.splitlines())}
    assert len(mailboxes) == len(CITY.learners)
    for person in CITY.learners:
        mailbox = mailboxes[person.identifiers["school"]["account"]]
        hashed = person.identifiers["museum"]["mbox_sha1sum"]
        assert f"mbox_sha1sum {hashed}" == sha1_of(f"mbox {mailbox}"), person.name
        assert person.identifiers.get("employer", {"mbox": mailbox})["mbox"] == mailbox
    assert len(set(mailboxes.values())) == len(mailboxes) - 1, "two persons share one mailbox"
