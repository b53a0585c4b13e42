"""Transcripts: crosswalks as they are kept, and the transcript as JSON and as PDF."""

import io
import json

import pypdf
import pytest

from lrs.access.model import Scope
from lrs.errors import InvalidImport, InvalidParameter, NotFound
from tests.transcripts import COURSE, CROSSWALK, MUSEUM, SCHOOL, City

TRANSCRIPTS, CROSSWALKS = "/api/v1/transcripts", "/api/v1/crosswalks"


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
