"""Confirmations by private link: asked over the API, answered on a page, once; then they are statements."""

import html
import re
from typing import Any

import pytest
from werkzeug.test import TestResponse

from lrs.access.model import Scope
from lrs.sources.attestation import Answer, make_statement
from lrs.xapi.statement import validate_statement
from lrs.xapi.versions import Version
from tests.http.conftest import Instance

ASKED: dict[str, Any] = {
    "learner": "mailto:mia@example.org",
    "learnerName": "Mia Sol",
    "mentorName": "Ivo Brandt",
    "mentorEmail": "ivo@example.org",
    "activity": "https://boats.example.org/projects/7",
    "activityName": "Repaired the blue boat",
    "hours": "12",
    "day": "2023-11-03",
    "asker": "Harbour School",
    "levels": ["Began", "With help", "Alone"],
}
GOOD = {"hours": "12", "level": "2", "narrative": "She planed every plank.", "act": "confirm"}
NOBODYS = "0" * 74


def ask(instance: Instance, **changes: Any) -> str:
    """Ask; return the link's path."""
    body = {name: one for name, one in {**ASKED, **changes}.items() if one is not None}
    answer = instance.client.post("/api/v1/attestations", json=body, headers=instance.key("School"))
    assert answer.status_code == 201, answer.text
    link: str = answer.get_json()["link"]
    assert link.startswith("http://lrs.example.org/attest/")
    return link.removeprefix("http://lrs.example.org")


def say(instance: Instance, path: str, **changes: str) -> TestResponse:
    form = {name: one for name, one in {**GOOD, **changes}.items() if one}
    return instance.client.post(path, data=form)


def statements(instance: Instance) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = instance.get(instance.key("School")).get_json()["statements"]
    return found


def words(answer: TestResponse) -> str:
    return html.unescape(re.sub(r"<[^>]+>|\s+", " ", answer.text))


def test_the_page_says_who_asks_whom_to_confirm_what(instance: Instance) -> None:
    shown = instance.client.get(ask(instance), headers={"Accept": "text/html"})
    assert shown.status_code == 200
    for text in ("Did Mia Sol do this?", "Repaired the blue boat", "Harbour School", "Ivo Brandt", "Alone"):
        assert text in words(shown)
    assert 'value="12"' in shown.text
    title = re.search("<title>(.*)</title>", shown.text)
    assert title is not None
    assert title[1] == "Confirm"


def test_the_page_is_private(instance: Instance) -> None:
    shown = instance.client.get(ask(instance))
    assert "noindex" in shown.headers["X-Robots-Tag"]
    assert shown.headers["Referrer-Policy"] == "no-referrer"
    assert shown.headers["Cache-Control"] == "no-store"
    assert "<script" not in shown.text


def test_a_confirmation_becomes_a_statement_with_its_voucher(instance: Instance) -> None:
    path = ask(instance)
    done = say(instance, path, hours="2,5")
    assert (done.status_code, done.headers["Location"]) == (303, "/attest/done")
    (made,) = statements(instance)
    assert made["actor"]["mbox"] == "mailto:mia@example.org"
    assert made["object"]["id"] == "https://boats.example.org/projects/7"
    assert made["result"] == {
        "completion": True,
        "score": {"raw": 2, "min": 1, "max": 3, "scaled": 0.5},
        "extensions": {"https://w3id.org/lrs/level": "With help"},
        "response": "She planed every plank.",
        "duration": "PT2H30M",
    }
    assert made["context"]["instructor"] == {
        "objectType": "Agent",
        "name": "Ivo Brandt",
        "mbox": "mailto:ivo@example.org",
    }
    assert made["context"]["extensions"] == {"https://w3id.org/lrs/voucher": "mentor"}
    assert made["timestamp"] == "2023-11-03T12:00:00Z"
    assert made["authority"]["name"] == "attestation"
    for version in Version:
        assert not validate_statement(made, version)


def test_a_mentor_without_an_address_is_known_by_the_link(instance: Instance) -> None:
    say(instance, ask(instance, mentorEmail=None))
    account = statements(instance)[0]["context"]["instructor"]["account"]
    assert account["homePage"] == "https://w3id.org/lrs/attestation"


def test_nothing_of_time_or_level_is_asked_where_nothing_is_said_of_them(instance: Instance) -> None:
    path = ask(instance, hours=None, levels=[])
    assert "Hours" not in instance.client.get(path).text
    say(instance, path, hours="", level="", narrative="")
    assert statements(instance)[0]["result"] == {"completion": True}


def test_declining_writes_no_statement_and_uses_the_link_up(instance: Instance) -> None:
    path = ask(instance)
    assert say(instance, path, act="decline", level="").status_code == 303
    assert statements(instance) == []
    assert instance.client.get(path).status_code == 404


def no_longer_good(answer: TestResponse) -> str:
    assert answer.status_code == 404
    assert "This link is no longer good" in words(answer)
    for told in ("Mia", "Ivo", "School", "boat"):
        assert told not in words(answer)
    return re.sub(r"error\d+", "", words(answer))


def test_forged_used_and_expired_links_look_the_same_and_say_nothing_of_anybody(instance: Instance) -> None:
    page = {"Accept": "text/html"}
    used, expired = ask(instance), ask(instance, days=1)
    say(instance, used)
    instance.clock.move(86_400)
    forged = used[:-1] + ("0" if used[-1] != "0" else "1")
    paths = [used, expired, forged, f"/attest/{NOBODYS}", "/attest/x", "/attest/" + "0" * 10 + used[-64:]]
    assert len({no_longer_good(instance.client.get(path, headers=page)) for path in paths}) == 1
    assert len({no_longer_good(instance.client.post(path, data=GOOD, headers=page)) for path in paths}) == 1
    assert len(statements(instance)) == 1


def test_opening_the_page_does_not_use_the_link_up(instance: Instance) -> None:
    path = ask(instance)
    for _ in range(3):
        assert instance.client.get(path).status_code == 200
        assert instance.client.head(path).status_code == 200
    assert say(instance, path).status_code == 303


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"hours": "many"}, "Write the hours as a number"),
        ({"hours": ""}, "Say how many hours it were"),
        ({"level": ""}, "Choose how it went"),
        ({"level": "9"}, "Choose how it went"),
        ({"narrative": "x" * 2_001}, "at most 2,000 characters"),
    ],
)
def test_what_is_missing_is_told_beside_its_field_and_nothing_is_lost(
    embedded: Instance, changes: dict[str, str], told: str
) -> None:
    path = ask(embedded)
    answer = say(embedded, path, **changes)
    assert answer.status_code == 400
    assert told in words(answer)
    (name,) = changes
    assert f'id="{name}-wrong"' in answer.text
    if "narrative" not in changes:
        assert "She planed every plank." in answer.text
    assert statements(embedded) == []
    assert say(embedded, path).status_code == 303


@pytest.mark.parametrize("form", [{**GOOD, "act": "buy"}, {**GOOD, "more": "x"}, {"level": "1"}])
def test_a_form_that_is_not_ours_is_refused(embedded: Instance, form: dict[str, str]) -> None:
    path = ask(embedded)
    assert embedded.client.post(path, data=form).status_code == 400
    assert embedded.client.get(path).status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_form_of_another_site_is_refused(embedded: Instance, site: str) -> None:
    path = ask(embedded)
    refused = embedded.client.post(path, data=GOOD, headers={"Sec-Fetch-Site": site})
    assert refused.status_code == 400
    assert embedded.client.post(path, data=GOOD, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 303


def test_what_a_mentor_writes_is_text_and_never_markup(embedded: Instance) -> None:
    path = ask(embedded, learnerName='<b onclick="x">Mia</b>')
    answer = say(embedded, path, level="", narrative="</textarea><script>x</script>")
    assert "<script>x" not in answer.text
    assert "<b onclick" not in answer.text


def test_the_token_is_kept_nowhere(embedded: Instance) -> None:
    path = ask(embedded)
    handle = embedded.access.handle_for_institution_named("School")
    kept = repr(embedded.services.stores.recorded(handle).list("attestation"))
    assert path.rpartition("/")[2][10:] not in kept


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"learner": "Mia"}, "learner"),
        ({"mentorEmail": "nobody"}, "mentorEmail"),
        ({"activity": "boat"}, "activity"),
        ({"hours": "many"}, "hours"),
        ({"day": "3 May"}, "day"),
        ({"day": "2123-01-01"}, "day"),
        ({"levels": ["A", "A"]}, "levels"),
        ({"learnerName": "\u202e"}, "learnerName"),
    ],
)
def test_what_cannot_be_asked_is_told(embedded: Instance, changes: dict[str, Any], field: str) -> None:
    answer = embedded.client.post(
        "/api/v1/attestations", json={**ASKED, **changes}, headers=embedded.key("School")
    )
    assert answer.status_code == 400
    assert field in [one["path"] for one in answer.get_json()["problems"]]


def test_what_was_asked_is_listed_with_how_it_stands(instance: Instance) -> None:
    confirmed, declined = ask(instance), ask(instance)
    ask(instance)
    say(instance, confirmed)
    say(instance, declined, act="decline")
    answer = instance.client.get("/api/v1/attestations", headers=instance.key("School"))
    listed = answer.get_json()["attestations"]
    assert sorted(one["state"] for one in listed) == ["asked", "confirmed", "declined"]
    assert "attest/" not in answer.text
    assert instance.client.get("/api/v1/attestations", headers=instance.key("Museum")).get_json() == {
        "attestations": []
    }


def test_a_confirmation_that_could_not_be_stored_is_stored_by_the_job(instance: Instance) -> None:
    path = ask(instance)
    school = instance.access.get_institution_named("School")
    instance.post({**STATEMENT}, instance.key("School"))
    instance.access.set_statement_quota(school.id, 1)
    assert say(instance, path).status_code == 303
    assert len(statements(instance)) == 1
    instance.access.set_statement_quota(school.id, 0)
    jobs = instance.services.jobs
    assert jobs.run("pull").report.wrote == 1
    assert len(statements(instance)) == 2
    assert jobs.run("pull").report.wrote == 0


def test_two_answers_at_once_make_one_statement(instance: Instance) -> None:
    path = ask(instance)
    token = path.rpartition("/")[2]
    service = instance.services.attestations
    asked = service.find(token)
    first = service.answer(token, Answer("12", 1))
    with pytest.raises(Exception, match="works once"):
        service.answer(token, Answer("12", 3))
    handle = instance.access.handle_for_institution_named("School")
    (kept,) = instance.services.stores.recorded(handle).list("attestation")
    assert make_statement(handle, asked.subject, kept.value)[0] == first == kept.value["statement"]
    assert [one["result"]["score"]["raw"] for one in statements(instance)] == [1]


def test_a_reading_key_asks_for_nothing(embedded: Instance) -> None:
    for headers in (embedded.key("School", Scope.ALL_READ), {}):
        answer = embedded.client.post("/api/v1/attestations", json=ASKED, headers=headers)
        assert answer.status_code in {401, 403}


STATEMENT = {
    "actor": {"mbox": "mailto:bo@example.org"},
    "verb": {"id": "http://adlnet.gov/expapi/verbs/attended"},
    "object": {"id": "https://boats.example.org/projects/1"},
}
