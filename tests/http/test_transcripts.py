"""Transcripts over HTTP: what a school sees, on what ground, and what nobody else does."""

import io
import json
from typing import Any

import pypdf
import pytest

from lrs.access.model import Scope
from lrs.errors import InvalidImport, InvalidParameter, NotFound
from lrs.portfolios.shares import ShareWish
from tests.http.conftest import Instance
from tests.transcripts import ADA, COURSE, CROSSWALK, MUSEUM, SCHOOL, SHIFT, WORKS, WORKSHOP, City, found_city

TRANSCRIPTS, CROSSWALKS = "/api/v1/transcripts", "/api/v1/crosswalks"


@pytest.fixture
def city(instance: Instance) -> City:
    return found_city(instance)


@pytest.fixture
def embedded_city(embedded: Instance) -> City:
    return found_city(embedded)


def ids(document: dict[str, Any]) -> list[str]:
    return [line["id"] for line in document["lines"]]


def kinds(document: dict[str, Any]) -> set[str]:
    return {one["kind"] for one in document["untranslated"]}


def disclosed(city: City) -> list[tuple[str, list[str], str]]:
    services = city.instance.services
    names = {one.id: one.name for one in city.instance.access.list_institutions()}
    found = services.consents.disclosures(services.learners.own(ADA))
    return [(one.about, sorted(names[place] for place in one.sources), one.ground.value) for one in found]


# What enters


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


# Crosswalks


def test_a_changed_crosswalk_is_its_next_version_and_the_same_is_none(city: City) -> None:
    assert city.take(CROSSWALK).changed is False
    done = city.take({**CROSSWALK, "title": "Another"})
    assert (done.changed, done.crosswalk.version) == (True, 2)
    assert city.transcript()["crosswalk"]["version"] == 2


def test_a_crosswalk_with_problems_leaves_what_was_there(city: City) -> None:
    rules = [{**CROSSWALK["rules"][1], "from": {"items": ["A1", "nowhere"], "level": 9}}]
    with pytest.raises(InvalidImport) as caught:
        city.take({**CROSSWALK, "rules": rules, "partners": ["Nobody"]})
    assert {(one.path, one.rule) for one in caught.value.problems} == {
        ("/rules/0/from/items/1", "item.unknown"),
        ("/rules/0/from/level", "level.unknown"),
        ("/partners/0", "institution.unknown"),
    }
    assert city.transcript()["crosswalk"]["version"] == 1


def test_a_name_that_two_schools_have_needs_the_schools(city: City) -> None:
    transcripts = city.instance.services.transcripts
    assert transcripts.find_crosswalk("diploma").owner == SCHOOL
    city.take(CROSSWALK, MUSEUM)
    with pytest.raises(InvalidParameter, match="Museum/diploma, School/diploma"):
        transcripts.find_crosswalk("diploma")
    assert transcripts.find_crosswalk("Museum/diploma").owner == MUSEUM
    with pytest.raises(NotFound):
        transcripts.find_crosswalk("Works/diploma")


# The API


def test_the_api_gives_the_transcript_as_json_and_as_pdf(city: City) -> None:
    city.grant()
    key = city.instance.key(SCHOOL, Scope.STATEMENTS_READ)
    listed = city.instance.client.get(CROSSWALKS, headers=key)
    assert [one["name"] for one in listed.json["crosswalks"]] == ["diploma"]
    place = f"{TRANSCRIPTS}/{city.learner}"
    as_json = city.instance.client.get(place, query_string={"crosswalk": "diploma"}, headers=key)
    assert as_json.json == city.transcript()
    assert as_json.headers["Cache-Control"] == "no-store"
    query = {"crosswalk": "diploma", "format": "pdf"}
    as_pdf = city.instance.client.get(place, query_string=query, headers=key)
    assert as_pdf.mimetype == "application/pdf"
    attached = pypdf.PdfReader(io.BytesIO(as_pdf.data)).attachments["transcript.json"][0]
    assert attached == as_json.data


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 400),
        ({"crosswalk": "diploma", "format": "xml"}, 400),
        ({"crosswalk": "diploma", "day": "2026-01-01"}, 400),
        ({"crosswalk": "nothing"}, 404),
    ],
)
def test_a_wrong_question_is_refused(embedded_city: City, query: dict[str, str], status: int) -> None:
    city = embedded_city
    answer = city.instance.client.get(
        f"{TRANSCRIPTS}/{city.learner}", query_string=query, headers=city.instance.key(SCHOOL)
    )
    assert answer.status_code == status, answer.text


def test_another_institution_gets_nothing_of_a_schools(embedded_city: City) -> None:
    city = embedded_city
    city.grant()
    key = city.instance.key(MUSEUM)
    assert city.instance.client.get(CROSSWALKS, headers=key).json == {"crosswalks": []}
    query = {"crosswalk": "diploma"}
    for learner in (city.learner, "0" * 12):
        answer = city.instance.client.get(f"{TRANSCRIPTS}/{learner}", query_string=query, headers=key)
        assert (answer.status_code, answer.json["detail"]) == (404, "This school has no crosswalk diploma.")
    city.take(CROSSWALK, MUSEUM)
    document = city.instance.client.get(f"{TRANSCRIPTS}/{city.learner}", query_string=query, headers=key).json
    assert [one["institution"] for one in document["sources"]] == [MUSEUM]
    assert (document["learner"]["name"], document["learner"]["onRoster"]) == ("", False)
    assert COURSE not in json.dumps(document)


# Pages


def registrar(city: City, place: str = SCHOOL) -> None:
    access = city.instance.access
    session = access.take_sign_in(access.create_sign_in(place, "registrar"))
    city.instance.client.set_cookie("lrs_session", session)


def page(city: City, path: str, status: int = 200) -> str:
    answer = city.instance.client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == status, answer.text
    return answer.text


def test_the_list_opens_nothing_and_leads_to_each_learner(city: City) -> None:
    city.grant()
    registrar(city)
    text = page(city, "/transcripts")
    assert "Ada Sample" in text
    assert "Shares records of other places with you." in text
    assert f"/transcripts/{city.learner}?crosswalk=diploma" in text
    assert disclosed(city) == []


def test_the_list_is_in_order_of_name_and_can_be_searched(embedded_city: City) -> None:
    city = embedded_city
    people = [
        {"sourcedId": f"{number}", "name": name, "email": f"p{number}@example.org", "groups": group}
        for number, (name, group) in enumerate(
            [("Zoe Bay", "8A"), ("ben Ark", "8B"), ("Cleo Dune", "8A")], 20
        )
    ]
    teacher = {"sourcedId": "90", "name": "Ms Teach", "email": "t@example.org", "role": "teacher"}
    city.roster(*people, teacher)
    city.derive()
    registrar(city)
    names = ["Ada Sample", "ben Ark", "Cleo Dune", "Zoe Bay"]
    text = page(city, "/transcripts")
    assert [text.index(f">{name}<") for name in names] == sorted(text.index(f">{name}<") for name in names)
    assert "Ms Teach" not in text
    found = page(city, "/transcripts?name=8a")
    assert [name in found for name in names] == [False, False, True, True]
    assert "Nobody stands here." in page(city, "/transcripts?name=nobody")
    page(city, "/transcripts?page=0", 400)
    page(city, "/transcripts?page=x", 400)


def test_the_list_has_pages(embedded_city: City) -> None:
    city = embedded_city
    city.roster(
        *({"sourcedId": f"{n}", "name": f"P {n:03}", "email": f"p{n}@example.org"} for n in range(100, 170))
    )
    city.derive()
    registrar(city)
    first, second = page(city, "/transcripts"), page(city, "/transcripts?page=2")
    assert (first.count('<li class="card'), second.count('<li class="card')) == (50, 21)
    assert "Page 1 of 2" in first
    assert "P 169" in second


def test_a_mailbox_that_two_share_leads_the_list_to_nobody(embedded_city: City) -> None:
    city = embedded_city
    two = [{"sourcedId": n, "name": f"Twin {n}", "email": "family@example.org"} for n in ("31", "32")]
    city.roster(*two)
    city.say(SCHOOL, COURSE, who="mailto:family@example.org")
    city.derive()
    registrar(city)
    text = page(city, "/transcripts?name=twin")
    assert text.count("No identifier that is theirs alone is known yet.") == 2
    assert "/transcripts/" not in text.partition("<h2>")[2]


def test_the_first_words_say_whether_a_transcript_is_ready(embedded_city: City) -> None:
    city = embedded_city
    registrar(city)
    path = f"/transcripts/{city.learner}?crosswalk=diploma"
    assert "Yes; some things are not on it." in page(city, path)
    assert "Whether there are records at all, only the learner knows." in page(city, path)
    city.grant()
    text = page(city, path)
    assert "Yes, it is ready." in text
    assert "1.50 credits" not in text
    assert "2.00 credits" in text
    city.roster({"sourcedId": "7", "name": "Ada Sample", "email": "ada@example.org"})
    assert "The school&#39;s roster has no birth date for this learner." in page(city, path)


def test_records_that_wait_to_be_worked_in_are_spoken_of_when_they_are_the_schools(
    embedded_city: City,
) -> None:
    city = embedded_city
    registrar(city)
    path = f"/transcripts/{city.learner}?crosswalk=diploma"
    city.say(MUSEUM, WORKSHOP)
    city.instance.clock.move(60)
    assert "Still arriving." not in page(city, path)
    city.say(SCHOOL, COURSE, result={"score": {"scaled": 0.1}})
    city.instance.clock.move(60)
    assert "Still arriving." in page(city, path)
    city.derive()
    assert "Still arriving." not in page(city, path)


def test_every_line_opens_its_evidence(embedded_city: City) -> None:
    city = embedded_city
    city.grant()
    registrar(city)
    document = city.transcript()
    for line in (*document["lines"], *document["courses"]):
        text = page(city, f"/transcripts/{city.learner}/why?crosswalk=diploma&line={line['id']}")
        assert all(id_ in text for id_ in line["evidence"])
        assert "version 1" in text
    page(city, f"/transcripts/{city.learner}/why?crosswalk=diploma&line=nothing", 404)


def test_files_are_given_to_the_registrar(embedded_city: City) -> None:
    city = embedded_city
    registrar(city)
    place = f"/transcripts/{city.learner}/transcript"
    made = city.instance.client.get(f"{place}.json?crosswalk=diploma")
    assert made.json == city.transcript()
    printed = city.instance.client.get(f"{place}.pdf?crosswalk=diploma")
    assert printed.data.startswith(b"%PDF")
    assert "Ada" not in printed.headers["Content-Disposition"]
    page(city, f"{place}.xml?crosswalk=diploma", 404)


def test_pages_are_the_registrars_alone(embedded_city: City) -> None:
    city = embedded_city
    paths = ["/transcripts", f"/transcripts/{city.learner}?crosswalk=diploma"]
    for path in paths:
        page(city, path, 401)
    access = city.instance.access
    for role, subject in (("arrivals", None), ("learner", city.learner)):
        session = access.take_sign_in(access.create_sign_in(SCHOOL, role, subject))
        city.instance.client.set_cookie("lrs_session", session)
        for path in paths:
            page(city, path, 403)
    registrar(city, MUSEUM)
    assert "Ada" not in page(city, "/transcripts")
    page(city, paths[1], 404)


def test_empty_lists_say_what_to_do(embedded_city: City) -> None:
    city = embedded_city
    registrar(city, WORKS)
    assert "This school has no crosswalk yet" in page(city, "/transcripts")
    city.take({name: one for name, one in CROSSWALK.items() if name != "partners"}, WORKS)
    assert "There are no learners on this school\u2019s roster yet." in page(city, "/transcripts")


def test_a_chosen_crosswalk_is_used(embedded_city: City) -> None:
    city = embedded_city
    city.take({**CROSSWALK, "name": "other", "title": "For the other college"})
    registrar(city)
    text = page(city, "/transcripts?crosswalk=other")
    assert f"/transcripts/{city.learner}?crosswalk=other" in text
    assert "Translated by <bdi>For the other college</bdi>" in text


# Shared links


def share(city: City) -> str:
    services = city.instance.services
    wish = ShareWish("transcript", institution=city.handle(SCHOOL).institution_id, crosswalk="diploma")
    return services.portfolios.create_share(services.learners.own(ADA), wish)


def test_a_learners_link_opens_the_transcript_without_signing_in(city: City) -> None:
    city.grant()
    token = share(city)
    text = page(city, f"/transcript/shared/{token}")
    assert "Ada Sample" in text
    assert "Work-based learning" in text
    assert "Sign out" not in text
    assert city.instance.client.get(f"/transcript/shared/{token}.json").json == city.transcript()
    assert city.instance.client.get(f"/transcript/shared/{token}.pdf").data.startswith(b"%PDF")
    assert "Mara Ek" in page(city, f"/transcript/shared/{token}/why?line=work")
    assert disclosed(city) == [("diploma@1", [MUSEUM, WORKS], "consent")]


def test_a_link_that_is_no_longer_open_says_nothing_of_whose_it_was(embedded_city: City) -> None:
    city = embedded_city
    token = share(city)
    city.instance.clock.move(31 * 86_400)
    for path in (
        f"/transcript/shared/{token}",
        f"/transcript/shared/{token}.pdf",
        "/transcript/shared/nothing",
    ):
        text = page(city, path, 404)
        assert "This link is no longer open" in text
        assert "Ada" not in text


def test_a_link_shows_nothing_of_whom_was_joined_to_the_learner_since(embedded_city: City) -> None:
    city = embedded_city
    token = share(city)
    city.say(SCHOOL, COURSE, who="mailto:zoe@example.org", result={"score": {"scaled": 0.1}})
    city.instance.services.learners.link(ADA, "mailto:zoe@example.org", "operator")
    city.derive()
    assert [one["grade"] for one in city.transcript()["courses"]] == ["F"]
    shared = city.instance.client.get(f"/transcript/shared/{token}.json").json
    assert [one["grade"] for one in shared["courses"]] == ["A"]
