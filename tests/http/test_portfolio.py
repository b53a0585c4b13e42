"""A learner's own page, what share links open, and who may see neither."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

import profiles.demo_city
from lrs.access.model import Role
from lrs.jobs.model import Outcome
from lrs.learners.roster_file import read_roster_file
from lrs.learners.service import RosterOptions
from lrs.portfolios.shares import MOST_OPEN, ShareWish
from tests.http.conftest import Instance

SPINE = Path(profiles.demo_city.__file__).with_name("spine.json").read_bytes()
FRAMEWORK = json.loads(SPINE)["CFDocument"]["identifier"]
ITEM = next(one["identifier"] for one in json.loads(SPINE)["CFItems"] if one["humanCodingScheme"] == "MS.2")
ALIGNMENT = {
    "name": "tides",
    "framework": FRAMEWORK,
    "model": {
        "name": "k-of-n",
        "k": 2,
        "n": 3,
        "levels": [{"level": 1, "name": "Steady", "threshold": "0.6"}],
    },
    "rules": [
        {"id": "r1", "item": "MS.2", "when": {"activity": ["https://example.org/tide/*"]}, "score": "scaled"}
    ],
}
HTML = {"Accept": "text/html"}
WREN = {"name": "Wren Lanternhill", "mbox": "mailto:wren@example.org"}
CARD = {"account": {"homePage": "https://cards.example.org", "name": "card-7"}}
CARD_TEXT = "https://cards.example.org card-7"
OTHER = {"name": "Ash Otherwise", "mbox": "mailto:ash@example.org"}
PAGES = ["/portfolio", f"/portfolio/why?item={ITEM}", "/portfolio/file"]
FORMS = [
    "/portfolio/shares",
    "/portfolio/shares/closing",
    "/portfolio/consents",
    "/portfolio/consents/withdrawal",
]


def said(actor: dict[str, Any], activity: str, name: str, **changes: Any) -> dict[str, Any]:
    return {
        "actor": actor,
        "verb": {"id": "http://adlnet.gov/expapi/verbs/completed", "display": {"en": "completed"}},
        "object": {"id": f"https://example.org/{activity}", "definition": {"name": {"en": name}}},
        "timestamp": "2023-11-02T10:00:00Z",
        **changes,
    }


def fill(instance: Instance) -> None:
    """A school and a museum; Wren is known to each by another identifier, which nobody has linked yet."""
    school, museum = instance.key("School"), instance.key("Museum")
    scored = {"score": {"scaled": 0.7}, "duration": "PT2H"}
    instance.post([said(WREN, f"tide/{n}", f"Tide chart {n}", result=scored) for n in (1, 2)], school)
    instance.post([said(CARD, "fish", "Robot fish")], museum)
    instance.post([said(OTHER, "secret", "Private lesson of another")], school)
    derive(instance)


def merge(instance: Instance) -> None:
    """Link Wren's two identifiers."""
    instance.services.learners.link("mailto:wren@example.org", CARD_TEXT, "test")
    derive(instance)


@pytest.fixture
def city(instance: Instance) -> Instance:
    """Wren, not linked yet."""
    fill(instance)
    return instance


@pytest.fixture
def merged(city: Instance) -> Instance:
    """The same, once Wren's two identifiers are linked."""
    merge(city)
    return city


@pytest.fixture(scope="module")
def steady(shared_instance: Instance) -> Instance:
    """The same for tests that change nothing, because all that they send is refused."""
    fill(shared_instance)
    merge(shared_instance)
    return shared_instance


def derive(instance: Instance) -> None:
    assert instance.services.jobs.run("derive").outcome is Outcome.DONE


def align(instance: Instance) -> None:
    handle = instance.access.handle_for_institution_named("School")
    instance.services.frameworks.import_framework(handle, SPINE)
    instance.services.frameworks.import_alignment(handle, json.dumps(ALIGNMENT).encode())
    derive(instance)


def learner(instance: Instance, identifier: str = "mailto:wren@example.org") -> str:
    return str(instance.services.learners.find(identifier).id)


def sign_in(instance: Instance, subject: str | None, role: str = Role.LEARNER) -> None:
    link = instance.access.create_sign_in("School", role, subject)
    instance.client.set_cookie("lrs_session", instance.access.take_sign_in(link))


def sign_in_wren(instance: Instance) -> None:
    sign_in(instance, learner(instance))


def get(instance: Instance, path: str = "/portfolio", status: int = 200) -> str:
    answer = instance.client.get(path, headers=HTML)
    assert answer.status_code == status, answer.text
    return answer.text


def send(instance: Instance, path: str, **fields: str) -> TestResponse:
    """Send a form as the page holds it."""
    token = re.search(r'name="form" value="(\w+)"', get(instance))
    assert token
    return instance.client.post(path, data={"form": token[1], **fields}, headers=HTML)


def stranger(instance: Instance) -> FlaskClient:
    """Somebody who is not signed in."""
    return instance.app.test_client()


def make_link(instance: Instance, **fields: str) -> str:
    """Make a share link on the page; returns its path."""
    answer = send(instance, "/portfolio/shares", **{"label": "", "days": "30", **fields})
    assert answer.status_code == 200, answer.text
    found = re.search(r'value="http://lrs\.example\.org(/portfolio/shared/\w+)"', answer.text)
    assert found
    return found[1]


# Who sees what


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


# Links


def test_a_link_shows_the_portfolio_without_what_is_the_learners_alone(merged: Instance) -> None:
    sign_in_wren(merged)
    link = make_link(merged, label="For my aunt")
    answer = stranger(merged).get(link, headers=HTML)
    assert answer.status_code == 200
    for text in ("Wren Lanternhill", "Robot fish", "Tide chart 1"):
        assert text in answer.text
    for text in (
        "Who has seen this",
        "Who may see it",
        "For my aunt",
        "wren@example.org",
        "card-7",
        '<form method="post"',
    ):
        assert text not in answer.text
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in answer.headers["X-Robots-Tag"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_link_explains_a_level_too(merged: Instance) -> None:
    align(merged)
    sign_in_wren(merged)
    link = make_link(merged)
    page = stranger(merged).get(link, headers=HTML).text
    assert f"{link}/why?item={ITEM}" in page
    assert "Tide chart 1" in stranger(merged).get(f"{link}/why?item={ITEM}", headers=HTML).text


def test_a_link_that_is_no_longer_open_says_so_and_not_whose_it_was(merged: Instance) -> None:
    sign_in_wren(merged)
    ended, closed = make_link(merged, days="7"), make_link(merged, days="30", label="close me")
    [share] = [
        one
        for one in merged.services.portfolios.list_shares(merged.services.learners.own(learner(merged)))
        if one.label
    ]
    assert send(merged, "/portfolio/shares/closing", share=share.id).status_code == 303
    merged.clock.move(7 * 86_400)
    answers = [
        stranger(merged).get(path, headers=HTML) for path in (ended, closed, "/portfolio/shared/nothing")
    ]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    texts = {re.sub(r"error\d+", "", answer.text) for answer in answers}
    assert len(texts) == 1
    assert "This link is no longer open" in texts.pop()
    assert stranger(merged).get(f"{closed}/why?item={ITEM}", headers=HTML).status_code == 404


def test_a_link_is_noted_once_for_each_day_on_which_it_was_opened(merged: Instance) -> None:
    sign_in_wren(merged)
    link = make_link(merged)
    assert "nobody has opened it yet" in get(merged)
    for _ in range(2):
        for _ in range(3):
            stranger(merged).get(link)
        merged.clock.move(86_400)
    assert "opened on 2 days, the last time on 15 November 2023" in get(merged)


def test_a_merge_never_widens_a_link(city: Instance) -> None:
    align(city)
    sign_in_wren(city)
    link = make_link(city)
    city.services.learners.link("mailto:wren@example.org", CARD_TEXT, "test")
    derive(city)
    page = stranger(city).get(link, headers=HTML).text
    assert "Tide chart 1" in page
    assert "Steady in MS.2" in page
    assert "Robot fish" not in page
    assert "Museum" not in page
    sign_in_wren(city)
    assert "Robot fish" in stranger(city).get(make_link(city), headers=HTML).text


def test_a_link_to_a_transcript_opens_no_portfolio(city: Instance) -> None:
    handle = city.services.learners.own(learner(city))
    token = city.services.portfolios.create_share(
        handle, ShareWish("transcript", 30, "", "school", "to-college")
    )
    assert stranger(city).get(f"/portfolio/shared/{token}", headers=HTML).status_code == 404
    share = city.services.portfolios.open_share(token, "transcript")
    assert (share.handle, share.institution, share.crosswalk) == (handle, "school", "to-college")


def test_nobody_closes_the_link_of_another(merged: Instance) -> None:
    sign_in_wren(merged)
    link = make_link(merged)
    [share] = merged.services.portfolios.list_shares(merged.services.learners.own(learner(merged)))
    sign_in(merged, learner(merged, "mailto:ash@example.org"))
    assert send(merged, "/portfolio/shares/closing", share=share.id).status_code == 404
    assert send(merged, "/portfolio/shares/closing", share="").status_code == 404
    assert stranger(merged).get(link).status_code == 200


@pytest.mark.parametrize("fields", [{"days": "0"}, {"days": "367"}, {"days": ""}, {"label": "x" * 61}])
def test_a_wrong_wish_is_said_beside_the_form(steady: Instance, fields: dict[str, str]) -> None:
    sign_in_wren(steady)
    answer = send(steady, "/portfolio/shares", **{"label": "", "days": "30", **fields})
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert "Wren Lanternhill" in answer.text


@pytest.mark.parametrize("path", FORMS)
def test_a_form_that_the_session_was_not_shown_is_refused(steady: Instance, path: str) -> None:
    sign_in(steady, learner(steady, "mailto:ash@example.org"))
    others = re.search(r'name="form" value="(\w+)"', get(steady))
    sign_in_wren(steady)
    for form in ("", "x", others[1] if others else ""):
        assert steady.client.post(path, data={"form": form}, headers=HTML).status_code == 400
    assert steady.services.portfolios.list_shares(steady.services.learners.own(learner(steady))) == []


# Consents


def consent_fields(instance: Instance, **changes: str) -> dict[str, str]:
    museum = instance.access.get_institution_named("Museum").id
    usual = {
        "institution": "School",
        "purpose": "transcript",
        "days": "30",
        "records": "yes",
        f"from-{museum}": "yes",
    }
    return {**usual, **changes}


def test_a_learner_agrees_on_the_page_and_takes_it_back(merged: Instance) -> None:
    sign_in_wren(merged)
    assert send(merged, "/portfolio/consents", **consent_fields(merged)).status_code == 303
    handle = merged.services.learners.own(learner(merged))
    [given] = merged.services.consents.list_for(handle)
    school, museum = (merged.access.get_institution_named(name).id for name in ("School", "Museum"))
    assert (given.consent.institution, given.state) == (school, "granted")
    assert (given.consent.terms.kinds, given.consent.terms.sources) == ({"records"}, {museum})
    page = get(merged)
    assert "records, for a transcript; from <bdi>Museum</bdi>; until <time" in page
    assert "14 December 2023" in page
    answer = send(merged, "/portfolio/consents/withdrawal", institution=school, purpose="transcript")
    assert answer.status_code == 303
    assert "You withdrew this." in get(merged)


def test_the_page_says_who_has_seen_what_on_what_ground(merged: Instance) -> None:
    sign_in_wren(merged)
    assert "Nobody, but each place what it recorded itself." in get(merged)
    send(merged, "/portfolio/consents", **consent_fields(merged))
    school = merged.access.handle_for_institution_named("School")
    merged.services.consents.open(school, learner(merged), "transcript", "to-college")
    seen = get(merged).partition('id="seen"')[2].partition('id="may"')[0]
    assert "records from <bdi>Museum</bdi>, for a transcript; you agreed to it" in seen
    assert "14 November 2023" in seen


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"institution": "Schule"}, "no institution of that name"),
        ({"institution": ""}, "name"),
        ({"purpose": "Any Thing"}, "cannot be agreed to"),
        ({"days": "999"}, "1 to 366 days"),
    ],
)
def test_a_wrong_consent_is_said_beside_the_form_and_nothing_is_agreed_to(
    steady: Instance, changes: dict[str, str], words: str
) -> None:
    sign_in_wren(steady)
    answer = send(steady, "/portfolio/consents", **consent_fields(steady, **changes))
    assert answer.status_code == 400
    alert = re.search(r'role="alert">(.*?)</p>', answer.text)
    assert alert
    assert words in alert[1]
    assert steady.services.consents.list_for(steady.services.learners.own(learner(steady))) == []


def test_nobody_takes_back_what_another_agreed_to(merged: Instance) -> None:
    sign_in_wren(merged)
    send(merged, "/portfolio/consents", **consent_fields(merged))
    school = merged.access.get_institution_named("School").id
    sign_in(merged, learner(merged, "mailto:ash@example.org"))
    answer = send(merged, "/portfolio/consents/withdrawal", institution=school, purpose="transcript")
    assert answer.status_code == 404
    [given] = merged.services.consents.list_for(merged.services.learners.own(learner(merged)))
    assert given.state == "granted"


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


def test_there_is_an_end_to_how_many_links_are_open_and_the_page_stays_light(merged: Instance) -> None:
    sign_in_wren(merged)
    handle = merged.services.learners.own(learner(merged))
    for _ in range(MOST_OPEN):
        merged.services.portfolios.create_share(handle, ShareWish())
    answer = send(merged, "/portfolio/shares", label="", days="30")
    assert answer.status_code == 400
    assert "There are 50 links open" in answer.text
    for share in merged.services.portfolios.list_shares(handle):
        merged.services.portfolios.revoke_share(handle, share.id)
    page = get(merged)
    assert page.count("It is closed.") == 3
    make_link(merged)
