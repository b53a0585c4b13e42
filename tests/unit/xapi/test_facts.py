"""What a statement can be found by (xAPI 1.0.3 Communication 2.1.3)."""

from typing import Any

from lrs.xapi.facts import agent_key, facts_of, is_voiding, target_of
from lrs.xapi.ports import Fact, FactKind

AUTHORITY = {"objectType": "Agent", "account": {"homePage": "https://lrs.example.org", "name": "client1"}}
AUTHORITY_FACT = Fact(FactKind.AGENT, "account https://lrs.example.org client1", primary=False)


def statement(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "actor": {"mbox": "mailto:a@example.org"},
        "verb": {"id": "http://example.org/verbs/tried"},
        "object": {"id": "http://example.org/activities/1"},
    }
    return {**base, **changes}


def facts(value: dict[str, Any]) -> set[Fact]:
    listed = facts_of(value, AUTHORITY, "client1")
    assert len(listed) == len({(fact.kind, fact.value) for fact in listed})
    return set(listed)


def test_a_plain_statement_is_found_by_actor_verb_activity_authority_and_client() -> None:
    assert facts(statement()) == {
        Fact(FactKind.VERB, "http://example.org/verbs/tried"),
        Fact(FactKind.AGENT, "mbox mailto:a@example.org"),
        Fact(FactKind.ACTIVITY, "http://example.org/activities/1"),
        AUTHORITY_FACT,
        Fact(FactKind.CLIENT, "client1"),
    }


def test_members_of_a_group_actor_are_primary() -> None:
    group = {
        "objectType": "Group",
        "mbox": "mailto:g@example.org",
        "member": [{"openid": "http://m.example.org/"}, {"mbox_sha1sum": "AB" * 20}],
    }
    found = facts(statement(actor=group))
    assert Fact(FactKind.AGENT, "mbox mailto:g@example.org") in found
    assert Fact(FactKind.AGENT, "openid http://m.example.org/") in found
    assert Fact(FactKind.AGENT, "mbox_sha1sum " + "ab" * 20) in found


def test_an_agent_as_object_is_primary_and_no_activity() -> None:
    found = facts(statement(object={"objectType": "Agent", "mbox": "mailto:b@example.org"}))
    assert Fact(FactKind.AGENT, "mbox mailto:b@example.org") in found
    assert not [fact for fact in found if fact.kind is FactKind.ACTIVITY]


def test_context_is_related_only() -> None:
    context = {
        "registration": "AAAAAAAA-1111-4111-8111-AAAAAAAAAAAA",
        "instructor": {"mbox": "mailto:i@example.org"},
        "team": {"objectType": "Group", "member": [{"mbox": "mailto:t@example.org"}]},
        "contextActivities": {
            "parent": {"id": "http://example.org/p"},
            "other": [{"id": "http://example.org/o"}],
        },
        "contextAgents": [
            {
                "objectType": "contextAgent",
                "agent": {"mbox": "mailto:c@example.org"},
                "relevantTypes": ["http://x.y"],
            }
        ],
        "contextGroups": [
            {
                "objectType": "contextGroup",
                "group": {"objectType": "Group", "mbox": "mailto:cg@example.org"},
                "relevantTypes": ["http://x.y"],
            }
        ],
    }
    found = facts(statement(context=context))
    assert Fact(FactKind.REGISTRATION, "aaaaaaaa-1111-4111-8111-aaaaaaaaaaaa") in found
    for name in ("i", "t", "c", "cg"):
        assert Fact(FactKind.AGENT, f"mbox mailto:{name}@example.org", primary=False) in found
    for name in ("p", "o"):
        assert Fact(FactKind.ACTIVITY, f"http://example.org/{name}", primary=False) in found


def test_a_substatement_is_related_only_and_its_verb_and_registration_do_not_count() -> None:
    sub = {
        "objectType": "SubStatement",
        "actor": {"mbox": "mailto:s@example.org"},
        "verb": {"id": "http://example.org/verbs/sub"},
        "object": {"id": "http://example.org/sub"},
        "context": {
            "registration": "bbbbbbbb-1111-4111-8111-aaaaaaaaaaaa",
            "contextActivities": {"grouping": [{"id": "http://example.org/sg"}]},
        },
    }
    found = facts(statement(object=sub))
    assert Fact(FactKind.AGENT, "mbox mailto:s@example.org", primary=False) in found
    assert Fact(FactKind.ACTIVITY, "http://example.org/sub", primary=False) in found
    assert Fact(FactKind.ACTIVITY, "http://example.org/sg", primary=False) in found
    assert not [fact for fact in found if fact.value.endswith("verbs/sub")]
    assert not [fact for fact in found if fact.kind is FactKind.REGISTRATION]


def test_what_is_primary_and_related_is_listed_once_as_primary() -> None:
    context = {"contextActivities": {"other": [{"id": "http://example.org/activities/1"}]}}
    found = facts(statement(context=context))
    assert Fact(FactKind.ACTIVITY, "http://example.org/activities/1") in found
    assert Fact(FactKind.ACTIVITY, "http://example.org/activities/1", primary=False) not in found


def test_an_anonymous_group_has_no_key() -> None:
    assert agent_key({"objectType": "Group", "member": [{"mbox": "mailto:m@example.org"}]}) is None


def test_target_and_voiding_are_told_apart() -> None:
    ref = {"objectType": "StatementRef", "id": "CCCCCCCC-1111-4111-8111-AAAAAAAAAAAA"}
    commented = statement(object=ref)
    voiding = statement(object=ref, verb={"id": "http://adlnet.gov/expapi/verbs/voided"})
    assert target_of(commented) == "cccccccc-1111-4111-8111-aaaaaaaaaaaa"
    assert target_of(statement()) is None
    assert not is_voiding(commented)
    assert is_voiding(voiding)
