"""ids and canonical (xAPI 1.0.3 Communication 2.1.3)."""

import json
from typing import Any

from lrs.xapi.formats import Canon, Format, show
from lrs.xapi.languages import Languages

DEFINITION = {
    "name": {"en": "Thing", "de": "Ding", "es-MX": "Cosa"},
    "description": {"de": "Ein Ding"},
    "choices": [{"id": "a", "description": {"en": "A", "de": "Ah"}}],
    "interactionType": "choice",
}
SERVED: dict[str, Any] = {
    "id": "11111111-2222-4333-8444-555555555555",
    "actor": {"objectType": "Agent", "name": "A", "mbox": "mailto:a@example.org"},
    "verb": {"id": "http://example.org/v", "display": {"en-US": "tried", "de": "versucht"}},
    "object": {
        "objectType": "SubStatement",
        "actor": {
            "objectType": "Group",
            "name": "Class",
            "member": [{"name": "B", "account": {"homePage": "http://h.org", "name": "b"}}],
        },
        "verb": {"id": "http://example.org/v", "display": {"en": "tried", "de": "versucht"}},
        "object": {"objectType": "Activity", "id": "http://example.org/o", "definition": DEFINITION},
    },
    "context": {
        "instructor": {
            "objectType": "Group",
            "name": "I",
            "mbox": "mailto:i@e.org",
            "member": [{"mbox": "mailto:j@e.org"}],
        },
        "contextActivities": {"parent": [{"id": "http://example.org/p", "definition": DEFINITION}]},
        "extensions": {"http://e.org/x": {"name": {"en": "kept", "de": "bleibt"}}},
    },
    "attachments": [{"display": {"en": "File", "de": "Datei"}, "length": 1}],
    "authority": {"objectType": "Agent", "name": "LRS", "mbox": "mailto:lrs@example.org"},
    "stored": "2026-01-01T00:00:00Z",
}
TEXT = json.dumps(SERVED).encode()


def canon(*languages: str, **known: Any) -> Canon:
    """Make what knows a definition of some activities, by the last letter of their ids."""
    return Canon(Languages(languages), lambda activity: known.get(activity[-1]))


def shown(form: Format, *languages: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(show(TEXT, form, canon(*languages)))
    return value


def test_exact_is_the_text_itself() -> None:
    assert show(TEXT, Format.EXACT, canon("de")) is TEXT


def test_ids_leaves_only_what_identifies() -> None:
    value = shown(Format.IDS)
    assert value["actor"] == {"objectType": "Agent", "mbox": "mailto:a@example.org"}
    assert value["verb"] == {"id": "http://example.org/v"}
    assert value["object"] == {
        "objectType": "SubStatement",
        "actor": {"objectType": "Group", "member": [{"account": {"homePage": "http://h.org", "name": "b"}}]},
        "verb": {"id": "http://example.org/v"},
        "object": {"id": "http://example.org/o"},
    }
    assert value["context"]["instructor"] == {"objectType": "Group", "mbox": "mailto:i@e.org"}
    assert value["context"]["contextActivities"] == {"parent": [{"id": "http://example.org/p"}]}
    assert value["context"]["extensions"] == SERVED["context"]["extensions"]
    assert value["authority"] == {"objectType": "Agent", "mbox": "mailto:lrs@example.org"}
    assert value["stored"] == SERVED["stored"]


def test_canonical_leaves_one_language_in_each_map_and_nothing_else_changes() -> None:
    value = shown(Format.CANONICAL, "de-AT", "en")
    assert value["verb"]["display"] == {"de": "versucht"}
    assert value["object"]["verb"]["display"] == {"de": "versucht"}
    for definition in (
        value["object"]["object"]["definition"],
        value["context"]["contextActivities"]["parent"][0]["definition"],
    ):
        assert definition["name"] == {"de": "Ding"}
        assert definition["description"] == {"de": "Ein Ding"}
        assert definition["choices"] == [{"id": "a", "description": {"de": "Ah"}}]
    assert value["attachments"] == [{"display": {"de": "Datei"}, "length": 1}]
    assert value["context"]["extensions"] == SERVED["context"]["extensions"]
    assert value["actor"] == SERVED["actor"]


def test_numbers_outside_the_rewritten_parts_stay_as_written() -> None:
    text = (
        TEXT[:-1]
        + b',"result":{"score":{"raw":1.10},"extensions":{"http://e.org/n":12345678901234567890123}}}'
    )
    for form in (Format.IDS, Format.CANONICAL):
        assert (
            b'"result":{"score":{"raw":1.10},"extensions":{"http://e.org/n":12345678901234567890123}}'
            in show(text, form, canon())
        )


def test_canonical_shows_what_is_known_of_an_activity_in_place_of_what_the_statement_says() -> None:
    known = b'{"name":{"en":"Known","de":"Bekannt"},"extensions":{"http://e.org/n":1.10}}'
    text = show(TEXT, Format.CANONICAL, canon("de", o=known))
    assert b'"definition":{"name":{"de":"Bekannt"},"extensions":{"http://e.org/n":1.10}}' in text
    value = json.loads(text)
    assert value["context"]["contextActivities"]["parent"][0]["definition"]["name"] == {"de": "Ding"}


def test_canonical_fills_an_answer_with_no_more_than_it_has_room_for() -> None:
    known = b'{"type":"http://e.org/' + b"t" * 60_000 + b'"}'
    bare = json.dumps({**SERVED, "object": {"id": "http://example.org/o"}}).encode()
    answer = canon(o=known)
    shown = [len(show(bare, Format.CANONICAL, answer)) for _ in range(1000)]
    assert (shown[0] > 60_000, shown[-1] < 3000) == (True, True)
    assert 1 << 23 < sum(shown) < 1 << 25


def test_canonical_asks_once_an_answer_for_each_activity_and_for_so_many_at_most() -> None:
    asked: list[str] = []
    answer = Canon(Languages(), asked.append)  # type: ignore[arg-type]
    for number in [*range(3000), *range(3000)]:
        statement = json.dumps({**SERVED, "object": {"id": f"http://example.org/{number}"}}).encode()
        show(statement, Format.CANONICAL, answer)
    assert len(asked) == len(set(asked)) == 2000
