"""The statements resource: filters, pages, formats, and parameters that are refused."""

import pytest

from tests.http.conftest import Instance
from tests.http.made_statements import ID, OTHER_ID, ids_of, ref, statement


def test_each_filter_finds_its_statements_and_those_that_refer_to_them(instance: Instance) -> None:
    key = instance.key()
    registration = "aaaaaaaa-2222-4333-8444-555555555555"
    context = {
        "registration": registration,
        "instructor": {"mbox": "mailto:i@example.org"},
        "contextActivities": {"parent": [{"id": "http://example.org/course"}]},
    }
    instance.post(
        [statement(id=ID, context=context), ref(ID, id=OTHER_ID, verb={"id": "http://example.org/v2"})], key
    )
    instance.post(
        statement(actor={"mbox": "mailto:z@example.org"}, object={"id": "http://example.org/z"}), key
    )
    both = [OTHER_ID, ID]
    for params in (
        {"verb": "http://example.org/verbs/tried", "activity": "http://example.org/activities/1"},
        {"agent": '{"mbox":"mailto:a@example.org"}', "registration": registration.upper()},
        {"registration": registration},
        {"agent": '{"mbox":"mailto:i@example.org"}', "related_agents": "true"},
        {"activity": "http://example.org/course", "related_activities": "true"},
    ):
        assert ids_of(instance.get(key, **params)) == both, params
    assert ids_of(instance.get(key, registration=registration, ascending="true")) == both[::-1]
    assert ids_of(instance.get(key, agent='{"mbox":"mailto:i@example.org"}')) == []
    assert ids_of(instance.get(key, activity="http://example.org/course")) == []
    assert ids_of(instance.get(key, verb="http://example.org/nothing")) == []


def test_more_walks_every_page_with_format_and_filters_kept(instance: Instance) -> None:
    key = instance.key()
    made = instance.post([statement() for _ in range(7)], key).json
    instance.post(statement(verb={"id": "http://example.org/other"}), key)
    answer = instance.get(key, limit="3", format="ids", verb="http://example.org/verbs/tried")
    seen = []
    while True:
        assert all(
            found["verb"] == {"id": "http://example.org/verbs/tried"} for found in answer.json["statements"]
        )
        seen += ids_of(answer)
        if not answer.json["more"]:
            break
        instance.post(statement(), key)
        answer = instance.client.get(answer.json["more"], headers=key)
    assert seen == made[::-1]


def test_since_and_until_speak_of_stored(instance: Instance) -> None:
    key = instance.key()
    stored = []
    for _ in range(3):
        instance.clock.move(1)
        (id_,) = instance.post(statement(timestamp="2001-01-01T00:00:00Z"), key).json
        stored.append((id_, instance.get(key, statementId=id_).json["stored"]))
    (first, at1), (second, at2), (third, _) = stored
    assert ids_of(instance.get(key, since=at1)) == [third, second]
    assert ids_of(instance.get(key, until=at2)) == [second, first]
    assert ids_of(instance.get(key, since=at1, until=at2)) == [second]


def test_canonical_speaks_the_reader_s_language(instance: Instance) -> None:
    key = instance.key()
    instance.post(statement(id=ID), key)
    german = {**key, "Accept-Language": "fr;q=0, de-AT, en;q=0.5"}
    assert instance.get(german, statementId=ID, format="canonical").json["verb"]["display"] == {
        "de": "versuchte"
    }
    assert len(instance.get(german, statementId=ID).json["verb"]["display"]) == 2


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        ("de;q=0.5, en;q=0.9", "en"),
        ("en;q=0", "de"),
        ("en;q=0, *", "de"),
        ("*;q=0.9, en;q=0.5", "de"),
        ("*, de;q=0", "en"),
        ("*;q=0", "en"),
    ],
)
def test_canonical_weighs_languages_as_they_are_asked_for(
    embedded: Instance, asked: str, chosen: str
) -> None:
    key = {**embedded.key(), "Accept-Language": asked}
    embedded.post(statement(id=ID), key)
    shown = embedded.get(key, statementId=ID, format="canonical").json
    assert list(shown["verb"]["display"]) == [chosen]


def test_canonical_shows_what_all_statements_say_of_an_activity(instance: Instance) -> None:
    """xAPI 1.0.3 Communication 2.1.3: populated with the canonical definition of the Activity Objects."""
    key = instance.key()
    about = {"id": "http://example.org/activities/known"}
    telling = {**about, "definition": {"name": {"en": "Known", "de": "Bekannt"}, "type": "http://e.org/t"}}
    context = {"contextActivities": {"grouping": [about]}}
    instance.post(statement(object=telling), key)
    instance.post(statement(id=ID, object=about, context=context), key)
    shown = instance.get({**key, "Accept-Language": "de"}, statementId=ID, format="canonical").json
    known = {**about, "definition": {"name": {"de": "Bekannt"}, "type": "http://e.org/t"}}
    assert shown["object"] == known
    assert shown["context"]["contextActivities"]["grouping"] == [known]
    page = instance.get(key, format="canonical", activity=about["id"]).json["statements"]
    assert [one["object"]["definition"]["name"] for one in page] == [{"en": "Known"}] * 2
    assert instance.get(key, statementId=ID).json["object"] == about


def test_canonical_shows_nothing_of_what_another_institution_says_of_an_activity(instance: Instance) -> None:
    key, theirs = instance.key(), instance.key("College")
    about = {"id": "http://example.org/activities/known"}
    instance.post(statement(object={**about, "definition": {"name": {"en": "Theirs"}}}), theirs)
    instance.post(statement(id=ID, object=about), key)
    assert instance.get(key, statementId=ID, format="canonical").json["object"] == about


def test_canonical_stays_quick_when_languages_are_asked_for_without_end(embedded: Instance) -> None:
    key = embedded.key()
    embedded.post(statement(id=ID), key)
    endless = ", ".join([*(f"q{a}{b}" for a in "abcdef" for b in "abcdef"), "de"])
    for languages in ("de" + "-a" * 100_000, endless):
        shown = embedded.get({**key, "Accept-Language": languages}, statementId=ID, format="canonical")
        assert "de" not in shown.json["verb"]["display"]
    shown = embedded.get({**key, "Accept-Language": "de" + "-a" * 31}, statementId=ID, format="canonical")
    assert "de" in shown.json["verb"]["display"]


@pytest.mark.parametrize(
    "params",
    [
        {"statementId": "x"},
        {"statementId": ID, "voidedStatementId": ID},
        {"statementId": ID, "verb": "http://example.org/v"},
        {"voidedStatementId": ID, "limit": "1"},
        {"StatementId": ID},
        {"foo": "bar"},
        {"agent": "{}"},
        {"agent": "not json"},
        {"agent": '{"objectType":"Group","member":[{"mbox":"mailto:a@example.org"}]}'},
        {"agent": '{"mbox":"mailto:a@example.org","mbox":"mailto:b@example.org"}'},
        {"verb": "tried"},
        {"activity": "1"},
        {"registration": "1"},
        {"related_agents": "True"},
        {"related_activities": "1"},
        {"ascending": ""},
        {"since": "yesterday"},
        {"until": "2026-01-01"},
        {"limit": "-1"},
        {"limit": "ten"},
        {"limit": "٣"},
        {"format": "IDS"},
        {"attachments": "yes"},
        {"more": "made-up"},
        {"more": "made-up", "limit": "1"},
    ],
)
def test_wrong_parameters_are_refused_and_named(shared_embedded: Instance, params: dict[str, str]) -> None:
    answer = shared_embedded.get(shared_embedded.key(), **params)
    assert answer.status_code == 400
    assert answer.json["problems"]
    assert answer.headers["X-Experience-API-Consistent-Through"]
    assert answer.headers["X-Experience-API-Version"] == "1.0.3"


def test_a_repeated_parameter_is_refused(embedded: Instance) -> None:
    answer = embedded.client.get("/xapi/statements?limit=3&limit=4", headers=embedded.key())
    assert answer.status_code == 400
    assert answer.json["problems"][0]["rule"] == "parameter.repeated"
