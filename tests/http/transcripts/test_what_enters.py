"""Transcripts: what enters one, by consent, by a legal basis, or because it is the school's own."""

import json
from typing import Any

import pytest

from lrs.errors import NotFound
from tests.http.transcripts.reading import disclosed
from tests.transcripts import ADA, CROSSWALK, MUSEUM, SCHOOL, SHIFT, WORKS, WORKSHOP, City


def ids(document: dict[str, Any]) -> list[str]:
    return [line["id"] for line in document["lines"]]


def kinds(document: dict[str, Any]) -> set[str]:
    return {one["kind"] for one in document["untranslated"]}


def test_only_the_schools_own_records_enter_when_nothing_is_shared(city: City) -> None:
    document = city.transcript()
    assert [(one["course"]["title"], one["grade"]) for one in document["courses"]] == [("Maths", "A")]
    assert ids(document) == []
    assert [one["institution"] for one in document["sources"]] == [SCHOOL]
    text = json.dumps(document)
    assert SHIFT not in text
    assert WORKSHOP not in text
    assert "Mara Ek" not in text
    assert disclosed(city) == []
    assert document["learner"]["name"] == "Ada Sample"
    assert document["learner"]["birthDate"] == "2009-05-04"


def test_a_school_cannot_tell_what_is_not_shared_from_what_is_not_there(city: City) -> None:
    before = city.transcript()
    city.say(MUSEUM, "https://museum.example/rooms/9", result={"duration": "PT9H"})
    city.derive()
    assert city.transcript() == before


def test_what_is_granted_enters_and_stands_in_the_learners_log_once(city: City) -> None:
    city.grant()
    document = city.transcript()
    assert city.transcript() == document
    work, robots = document["lines"]
    assert (work["id"], work["credits"], work["minutes"]) == ("work", "0.5", 300)
    assert work["vouchers"] == [{"kind": "mentor", "name": "Mara Ek", "institution": WORKS, "records": 3}]
    assert (robots["id"], robots["grade"], len(robots["evidence"])) == ("robots", "B", 2)
    assert kinds(document) == {"no-rule"}
    assert {one["institution"]: one["grounds"] for one in document["sources"]} == {
        SCHOOL: ["the school's own records"],
        WORKS: ["the learner's consent"],
        MUSEUM: ["the learner's consent"],
    }
    assert disclosed(city) == [("diploma@1", [MUSEUM, WORKS], "consent")]


def test_a_consent_for_one_place_opens_that_one(city: City) -> None:
    city.grant(WORKS)
    document = city.transcript()
    assert ids(document) == ["work"]
    assert [one["institution"] for one in document["untranslated"] if one["kind"] == "not-shared"] == [MUSEUM]
    assert WORKSHOP not in json.dumps(document)


def test_competencies_alone_show_levels_and_not_what_was_done(city: City) -> None:
    city.grant(MUSEUM, kinds=("competencies",))
    document = city.transcript()
    assert ids(document) == ["robots"]
    cited = [one for one in document["statements"] if one["institution"] == MUSEUM]
    assert [(one["title"], one["activity"]) for one in cited] == [("", ""), ("", "")]
    assert WORKSHOP not in json.dumps(document)


def test_a_withdrawn_consent_opens_nothing_more(city: City) -> None:
    city.grant()
    services = city.instance.services
    viewer = city.handle(SCHOOL).institution_id
    services.consents.withdraw(services.learners.own(ADA), viewer, "transcript")
    assert ids(city.transcript()) == []


def test_a_legal_basis_opens_what_it_names_and_says_which_it_is(city: City) -> None:
    from lrs.consent.model import check_terms

    terms = check_terms("transcript", ["records"], [city.handle(WORKS).institution_id], None)
    city.instance.services.consents.bases.declare(
        city.handle(SCHOOL), "act", terms, None, "Education Act, section 5"
    )
    other = check_terms("transcript", ["records"], [city.handle(MUSEUM).institution_id], 1)
    city.instance.services.consents.bases.declare(city.handle(SCHOOL), "old", other, None, "An old act")
    document = city.transcript()
    assert ids(document) == ["work"]
    assert document["sources"][1]["grounds"] == ["legal basis: Education Act, section 5"]
    assert disclosed(city) == [("diploma@1", [WORKS], "basis")]


def test_a_pathway_counts_when_what_may_be_seen_finishes_it(city: City) -> None:
    pathway = {
        "name": "maker",
        "title": "Maker of tides",
        "steps": [
            {
                "id": "s",
                "title": "Robot workshop",
                "required": True,
                "needs": {"activity": [WORKSHOP], "times": 2},
            }
        ],
        "award": {"title": "Maker", "description": "Made it", "criteria": "Two workshops", "policy": "keep"},
    }
    services = city.instance.services
    services.pathways.import_pathway(city.handle(MUSEUM), json.dumps(pathway).encode())
    rule = {"id": "maker", "course": {"title": "Making"}, "credits": "0.25", "from": {"pathway": "maker"}}
    award = {**rule, "id": "award", "from": {"award": "maker", "institution": MUSEUM}, "shares": True}
    city.take({**CROSSWALK, "name": "paths", "rules": [rule, award], "courses": []})
    city.derive()
    services.jobs.run("award")
    unshared = city.transcript(name="paths")
    assert (ids(unshared), unshared["notBegun"]) == (
        [],
        [{"id": one, "course": {"title": "Making", "code": "", "subject": ""}} for one in ("maker", "award")],
    )
    city.grant(MUSEUM)
    shared = city.transcript(name="paths")
    assert ids(shared) == ["maker", "award"]
    assert len(shared["lines"][0]["evidence"]) == 2
    assert shared["lines"][1]["what"] == "Holds the award of the pathway Maker of tides."


def test_a_learner_of_whom_the_school_knows_nothing_is_nobody(city: City) -> None:
    city.say(MUSEUM, WORKSHOP, who="mailto:eve@example.org")
    city.derive()
    stranger = city.instance.services.learners.find("mailto:eve@example.org").id
    for learner in (stranger, "0" * 12):
        with pytest.raises(NotFound, match="no learner of this id"):
            city.instance.services.transcripts.make(city.handle(SCHOOL), learner, "diploma")


def test_another_places_id_does_not_tell_that_two_are_one(city: City) -> None:
    city.say(MUSEUM, WORKSHOP, who="mailto:zoe@example.org")
    services = city.instance.services
    services.learners.link(ADA, "mailto:zoe@example.org", "operator")
    city.derive()
    learner = services.learners.find(ADA)
    own = {one.id for one in learner.identities if city.handle(SCHOOL).institution_id in one.names}
    for one in learner.identities:
        known = one.id in own or one.id == learner.id
        if known:
            services.transcripts.make(city.handle(SCHOOL), one.id, "diploma")
        else:
            with pytest.raises(NotFound):
                services.transcripts.make(city.handle(SCHOOL), one.id, "diploma")
