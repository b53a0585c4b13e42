"""Transcripts: the registrar's pages."""

from tests.http.transcripts.reading import disclosed, page
from tests.transcripts import COURSE, CROSSWALK, MUSEUM, SCHOOL, WORKS, WORKSHOP, City


def registrar(city: City, place: str = SCHOOL) -> None:
    access = city.instance.access
    session = access.take_sign_in(access.create_sign_in(place, "registrar"))
    city.instance.client.set_cookie("lrs_session", session)


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
