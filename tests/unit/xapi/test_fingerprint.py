"""When two statements are the same (xAPI 1.0.3 Data 2.3.1)."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from lrs.xapi.fingerprint import fingerprint

BASE: dict[str, Any] = {
    "id": "11111111-2222-4333-8444-555555555555",
    "actor": {
        "objectType": "Group",
        "mbox": "mailto:g@example.org",
        "member": [{"mbox": "mailto:a@example.org", "name": "A"}, {"mbox": "mailto:b@example.org"}],
    },
    "verb": {"id": "http://example.org/v", "display": {"en": "tried"}},
    "object": {"id": "http://example.org/o", "definition": {"name": {"en": "Thing"}}},
    "result": {
        "score": {"raw": 1.5, "max": 3},
        "duration": "PT1.234S",
        "extensions": {"http://e.org/x": None},
    },
    "context": {
        "registration": "aaaaaaaa-2222-4333-8444-555555555555",
        "contextActivities": {"parent": [{"id": "http://example.org/p"}]},
    },
    "timestamp": "2026-01-01T10:00:00Z",
}


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    value = copy.deepcopy(BASE)
    change(value)
    return value


SAME = {
    "what the store sets": lambda s: s.update(
        stored="2026-01-01T10:00:00Z", authority={"mbox": "mailto:x@y.z"}, version="1.0.0"
    ),
    "another language of the verb": lambda s: s["verb"].update(display={"de": "versucht"}),
    "another definition": lambda s: s["object"].update(
        definition={"name": {"en": "Other"}}, objectType="Activity"
    ),
    "order of members": lambda s: s["actor"]["member"].reverse(),
    "name of a member": lambda s: s["actor"]["member"][0].update(name="Somebody", objectType="Agent"),
    "the same instant": lambda s: s.update(timestamp="2026-01-01T12:00:00.000+02:00"),
    "duration below 0.01 s": lambda s: s["result"].update(duration="PT1.239S"),
    "a whole number written as float": lambda s: s["result"]["score"].update(max=3.0),
    "a single context activity": lambda s: s["context"].update(
        contextActivities={"parent": {"id": "http://example.org/p"}}
    ),
    "case of a UUID": lambda s: s["context"].update(registration="AAAAAAAA-2222-4333-8444-555555555555"),
}
OTHER = {
    "verb": lambda s: s["verb"].update(id="http://example.org/w"),
    "actor": lambda s: s["actor"].update(mbox="mailto:h@example.org"),
    "member": lambda s: s["actor"]["member"].pop(),
    "object": lambda s: s["object"].update(id="http://example.org/o2"),
    "score": lambda s: s["result"]["score"].update(raw=1.6),
    "duration": lambda s: s["result"].update(duration="PT1.24S"),
    "timestamp": lambda s: s.update(timestamp="2026-01-01T10:00:00.000001Z"),
    "no timestamp": lambda s: s.pop("timestamp"),
    "extension": lambda s: s["result"]["extensions"].update({"http://e.org/x": 0}),
    "kind of context activity": lambda s: s["context"].update(
        contextActivities={"other": [{"id": "http://example.org/p"}]}
    ),
    "true for 1": lambda s: s["result"]["extensions"].update({"http://e.org/x": True}),
}


@pytest.mark.parametrize("change", SAME.values(), ids=SAME.keys())
def test_what_does_not_count_leaves_the_fingerprint_as_it_is(
    change: Callable[[dict[str, Any]], object],
) -> None:
    assert fingerprint(changed(change)) == fingerprint(BASE)


@pytest.mark.parametrize("change", OTHER.values(), ids=OTHER.keys())
def test_what_counts_changes_the_fingerprint(change: Callable[[dict[str, Any]], object]) -> None:
    assert fingerprint(changed(change)) != fingerprint(BASE)


def test_a_fingerprint_has_sixteen_bytes_and_leaves_the_statement_alone() -> None:
    value = copy.deepcopy(BASE)
    assert len(fingerprint(value)) == 16
    assert value == BASE


def test_a_substatement_is_compared_by_the_same_rules() -> None:
    sub = {key: BASE[key] for key in ("actor", "verb", "object")} | {"objectType": "SubStatement"}
    one = {**BASE, "object": sub}
    other = {**BASE, "object": {**sub, "verb": {"id": BASE["verb"]["id"], "display": {"fr": "essayé"}}}}
    assert fingerprint(one) == fingerprint(other)
    assert fingerprint(one) != fingerprint(BASE)
