"""Consents as learners give them on their page, and what it says of who has seen what."""

import re

import pytest

from tests.http.conftest import Instance
from tests.http.portfolio.learners import FORMS, HTML, get, learner, send, sign_in, sign_in_wren


@pytest.mark.parametrize("path", FORMS)
def test_a_form_that_the_session_was_not_shown_is_refused(steady: Instance, path: str) -> None:
    sign_in(steady, learner(steady, "mailto:ash@example.org"))
    others = re.search(r'name="form" value="(\w+)"', get(steady))
    sign_in_wren(steady)
    for form in ("", "x", others[1] if others else ""):
        assert steady.client.post(path, data={"form": form}, headers=HTML).status_code == 400
    assert steady.services.portfolios.list_shares(steady.services.learners.own(learner(steady))) == []


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
