"""Learners' pages: what they say in each state, the timeline's filters, and why a level is what it is."""

import pytest

from lrs.access.model import Role
from lrs.learners.roster_file import read_roster_file
from lrs.learners.service import RosterOptions
from tests.http.conftest import Instance
from tests.http.portfolio.learners import (
    HTML,
    ITEM,
    OTHER,
    WREN,
    align,
    derive,
    get,
    learner,
    said,
    sign_in,
    sign_in_wren,
)

# States


def test_a_learner_of_whom_nothing_is_known_sees_how_it_begins(instance: Instance) -> None:
    instance.key("School")
    sign_in(instance, "0123456789ab")
    page = get(instance)
    assert "How it begins" in page
    assert "Nothing is recorded here yet." in page
    assert instance.client.get("/portfolio/file").get_json()["records"] == []


def test_the_page_says_that_something_is_still_arriving_once_it_has_waited(city: Instance) -> None:
    sign_in_wren(city)
    city.post([said(WREN, "late", "Late work")], city.key("School"))
    assert "Still arriving" not in get(city), "what came this moment is not spoken of"
    city.clock.move(6)
    page = get(city)
    assert "Still arriving" in page
    assert "Late work" not in page
    assert city.client.get("/portfolio/file").get_json()["complete"] is False
    derive(city)
    page = get(city)
    assert "Still arriving" not in page
    assert "Late work" in page


def test_others_who_wait_make_nobodys_page_unfinished(city: Instance) -> None:
    sign_in_wren(city)
    for place in ("School", "Elsewhere"):
        city.post([said(OTHER, "late", "Late work")], city.key(place))
    city.clock.move(60)
    assert "Still arriving" not in get(city)


# Competencies and why


def test_a_level_leads_to_the_records_and_the_rule_behind_it(merged: Instance) -> None:
    align(merged)
    sign_in_wren(merged)
    page = get(merged)
    assert "Steady in MS.2" in page
    assert f"/portfolio/why?item={ITEM}" in page
    why = get(merged, f"/portfolio/why?item={ITEM}")
    for text in (
        "Tide chart 1",
        "Tide chart 2",
        "rule <code>r1</code> of tides, version 1",
        "2 of the last 3",
    ):
        assert text in why
    assert "Robot fish" not in why


def test_why_shows_nothing_of_another_learner(merged: Instance) -> None:
    align(merged)
    sign_in(merged, learner(merged, "mailto:ash@example.org"))
    why = get(merged, f"/portfolio/why?item={ITEM}")
    assert "Tide chart" not in why
    assert "Nothing that was recorded counts for this yet." in why


@pytest.mark.parametrize("query", ["", "?item=", "?item=nothing-of-the-kind", "?items=1"])
def test_why_needs_an_item_that_is_there(steady: Instance, query: str) -> None:
    sign_in_wren(steady)
    assert steady.client.get(f"/portfolio/why{query}", headers=HTML).status_code in {400, 404}


# The timeline's filters


def test_filters_choose_what_the_timeline_shows(merged: Instance) -> None:
    sign_in_wren(merged)
    museum = merged.access.get_institution_named("Museum").id
    timeline = get(merged, f"/portfolio?place={museum}").partition('id="timeline"')[2]
    assert "Robot fish" in timeline
    assert "Tide chart" not in timeline
    timeline = get(merged, "/portfolio?kind=marked").partition('id="timeline"')[2]
    assert "Tide chart" in timeline
    assert "Robot fish" not in timeline
    assert "Nothing fits what you chose." in get(merged, "/portfolio?kind=words")


@pytest.mark.parametrize(
    "query", ["kind=other", "page=0", "page=x", "page=\u0662", "before=2026", "kind=words&kind=marked"]
)
def test_a_filter_that_is_none_is_refused(steady: Instance, query: str) -> None:
    sign_in_wren(steady)
    assert steady.client.get(f"/portfolio?{query}", headers=HTML).status_code == 400


def test_names_that_people_gave_are_text_and_never_markup(instance: Instance) -> None:
    actor = {"name": "<b>Wren</b>", "mbox": "mailto:wren@example.org"}
    instance.post(
        [said(actor, "tag", "<script>alert(1)</script>", result={"response": "<img src=x>"})],
        instance.key("<u>S"),
    )
    derive(instance)
    session = instance.access.take_sign_in(
        instance.access.create_sign_in("<u>S", Role.LEARNER, learner(instance))
    )
    instance.client.set_cookie("lrs_session", session)
    page = get(instance)
    assert "&lt;b&gt;Wren&lt;/b&gt;" in page
    for text in ("<b>Wren", "<script>", "<img src=x", "<u>S"):
        assert text not in page


def test_whoever_shares_a_mailbox_with_another_is_told_so(instance: Instance) -> None:
    school = instance.key("School")
    handle = instance.access.handle_for_institution_named("School")
    people = [("1", "Wren", "wren@example.org"), ("2", "Ash", "wren@example.org")]
    file = "sourcedId,name,email,username\n" + "".join(
        f"{id_},{name},{mail},{id_}\n" for id_, name, mail in people
    )
    rows = read_roster_file(file.encode())
    instance.services.learners.import_roster(
        handle, "roster", rows, RosterOptions("https://school.example.org")
    )
    instance.post([said(WREN, "tide/1", "Tide chart")], school)
    derive(instance)
    sign_in(instance, learner(instance))
    assert "One of your addresses was given to two people." in get(instance)
    for number in "12":
        sign_in(instance, learner(instance, f"https://school.example.org {number}"))
        page = get(instance)
        assert "Tide chart" not in page
        assert "One of your addresses was given to two people." in page
