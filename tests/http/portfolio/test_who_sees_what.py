"""Learners' pages: each shows one learner's records from everywhere, and to nobody else."""

import re

import pytest

from lrs.access.model import Role
from tests.http.conftest import Instance
from tests.http.portfolio.learners import (
    CARD_TEXT,
    FORMS,
    HTML,
    PAGES,
    derive,
    get,
    learner,
    make_link,
    sign_in,
    sign_in_wren,
)


def test_a_learner_sees_what_every_place_recorded_when_identifiers_are_linked(merged: Instance) -> None:
    sign_in_wren(merged)
    page = get(merged)
    for text in (
        "Wren Lanternhill",
        "Tide chart 1",
        "Robot fish",
        "School",
        "Museum",
        "3 records at 2 places",
    ):
        assert text in page
    assert "Private lesson" not in page
    assert "Ash" not in page


def test_every_identity_of_a_merged_learner_leads_to_the_same_page(merged: Instance) -> None:
    for identity in merged.services.learners.find(CARD_TEXT).identity_ids:
        sign_in(merged, identity)
        page = get(merged)
        assert "Tide chart 1" in page
        assert "Robot fish" in page


def test_a_learner_sees_nothing_of_an_identifier_that_is_not_linked(city: Instance) -> None:
    sign_in_wren(city)
    assert "Robot fish" not in get(city)
    sign_in(city, learner(city, CARD_TEXT))
    page = get(city)
    assert "Robot fish" in page
    assert "Tide chart" not in page


def test_a_learner_sees_nothing_more_of_an_identifier_that_was_parted(merged: Instance) -> None:
    sign_in_wren(merged)
    merged.services.learners.unlink("mailto:wren@example.org", CARD_TEXT, "test")
    derive(merged)
    sign_in(merged, learner(merged))
    assert "Robot fish" not in get(merged)


def test_the_file_holds_one_learner_alone(merged: Instance) -> None:
    sign_in_wren(merged)
    answer = merged.client.get("/portfolio/file")
    assert answer.mimetype == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "wren" not in answer.headers["Content-Disposition"]
    made = answer.get_json()
    assert (made["format"], made["version"], made["complete"]) == (
        "https://w3id.org/lrs/portfolio",
        "1.0",
        True,
    )
    assert made["learner"]["names"] == ["Wren Lanternhill"]
    assert sorted(one["objectName"]["en"] for one in made["records"]) == [
        "Robot fish",
        "Tide chart 1",
        "Tide chart 2",
    ]
    assert {one["name"]: (one["records"], one["seconds"]) for one in made["institutions"]} == {
        "School": (2, 14_400),
        "Museum": (1, 0),
    }
    assert "Ash" not in answer.text


@pytest.mark.parametrize("role", [Role.ARRIVALS, Role.REGISTRAR])
def test_no_session_of_an_institution_opens_a_learners_pages(city: Instance, role: Role) -> None:
    sign_in(city, None, role)
    for path in PAGES:
        assert "This page is not for you" in get(city, path, 403)
    for path in FORMS:
        assert city.client.post(path, headers=HTML).status_code == 403


def test_nobody_opens_a_learners_pages_without_a_session(city: Instance) -> None:
    for path in PAGES:
        assert "You are not signed in" in get(city, path, 401)
    for path in FORMS:
        assert city.client.post(path, headers=HTML).status_code == 401
    assert city.client.get("/portfolio", headers=city.key("School")).status_code == 401


def test_signing_in_as_a_learner_ends_on_the_portfolio(city: Instance) -> None:
    link = f"/sign-in/{city.access.create_sign_in('School', Role.LEARNER, learner(city))}"
    token = re.search(r'name="form" value="(\w+)"', city.client.get(link, headers=HTML).text)
    assert token
    answer = city.client.post(link, data={"form": token[1]})
    assert (answer.status_code, answer.location) == (303, "/portfolio")


def test_no_title_and_no_address_names_the_learner(merged: Instance) -> None:
    sign_in_wren(merged)
    page = get(merged)
    assert re.findall("<title>(.*?)</title>", page)[0] == "Portfolio"
    links = re.findall(r'(?:href|action)="([^"]*)"', page)
    assert links
    for text in (*links, make_link(merged)):
        assert "wren" not in text.lower()
        assert learner(merged) not in text
