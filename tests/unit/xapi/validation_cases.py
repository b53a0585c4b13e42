"""Valid statements with one broken place, and what must be found there.

Each case changes one place of a valid statement that uses nearly every property.
"""

from typing import Any

from tests.factories import (
    make_agent,
    make_attachment,
    make_statement,
    make_statement_id,
)

DROP = object()
LONG_SHA1 = "ebd31e95054c018b10727ccffd2ef2ec3a016ee9"


def group(**changes: Any) -> dict[str, Any]:
    return {"objectType": "Group", **changes}


def substatement(**changes: Any) -> dict[str, Any]:
    return {"objectType": "SubStatement", **make_statement(**changes)}


def statement_ref(**changes: Any) -> dict[str, Any]:
    return {"objectType": "StatementRef", "id": make_statement_id(9), **changes}


def context_agent(**changes: Any) -> dict[str, Any]:
    made = {
        "objectType": "contextAgent",
        "agent": make_agent(),
        "relevantTypes": ["https://example.org/types/mentor"],
    }
    return {**made, **changes}


def context_group(**changes: Any) -> dict[str, Any]:
    team = group(member=[make_agent()])
    made = {"objectType": "contextGroup", "group": team, "relevantTypes": ["https://example.org/types/class"]}
    return {**made, **changes}


# What stands at a pointer, and the rule that it breaks there, or (pointer, rule) of every problem.
BROKEN: list[tuple[str, Any, str | list[tuple[str, str]]]] = [
    # The statement as a whole.
    ("/actor", DROP, [("", "statement.required")]),
    ("/verb", DROP, [("", "statement.required")]),
    ("/object", DROP, [("", "statement.required")]),
    ("/actor", None, "json.null"),
    ("/verb", "completed", "json.type"),
    ("/object", [], "json.type"),
    ("/Id", make_statement_id(1), "property.unknown"),
    ("/extra", 1, "property.unknown"),
    ("/a~1b~0", 1, "property.unknown"),
    ("/voided", False, "property.unknown"),
    ("/id", 12345, "json.type"),
    ("/id", None, "json.null"),
    ("/id", make_statement_id(1) + "8", "uuid.form"),
    ("/id", "M" + make_statement_id(1)[1:], "uuid.form"),
    ("/timestamp", "yesterday", "timestamp.form"),
    ("/timestamp", "2026-03-02T09:30:00-00:00", "timestamp.form"),
    ("/timestamp", 1772443800, "json.type"),
    ("/stored", "", "timestamp.form"),
    ("/stored", None, "json.null"),
    ("/version", "0.9.9", "statement.version"),
    ("/version", "1.1.0", "statement.version"),
    ("/version", "text", "statement.version"),
    ("/version", 1.0, "json.type"),
    # Agents and Groups.
    ("/actor/mbox", DROP, [("/actor", "agent.one-ifi")]),
    ("/actor/openid", "https://robin.example.org/", [("/actor", "agent.one-ifi")]),
    ("/actor/mbox", "robin@example.org", "agent.mbox"),
    ("/actor/mbox", "ab=c://should.fail.example", "agent.mbox"),
    ("/actor/mbox", ["mailto:robin@example.org"], "json.type"),
    ("/actor", {"mbox_sha1sum": LONG_SHA1[1:]}, [("/actor/mbox_sha1sum", "agent.mbox-sha1sum")]),
    ("/actor", {"mbox_sha1sum": 7}, [("/actor/mbox_sha1sum", "json.type")]),
    ("/actor", {"openid": "robin"}, [("/actor/openid", "iri.form")]),
    ("/actor", {"account": {"name": "robin"}}, [("/actor/account", "account.required")]),
    ("/actor", {"account": {}}, [("/actor/account", "account.required")] * 2),
    ("/actor", {"account": {"homePage": "lms", "name": "robin"}}, [("/actor/account/homePage", "iri.form")]),
    ("/actor", {"account": {"homePage": "urn:lms", "name": 12}}, [("/actor/account/name", "json.type")]),
    ("/actor/name", 5, "json.type"),
    ("/actor/objectType", "agent", "agent.object-type"),
    ("/actor/objectType", "Activity", "agent.object-type"),
    ("/actor/objectType", 1, "json.type"),
    ("/actor/member", [make_agent()], "property.unknown"),
    ("/actor", group(), "group.member"),
    ("/actor", group(member=[]), "group.member"),
    ("/actor", group(member=make_agent()), [("/actor/member", "json.type")]),
    ("/actor", group(member=[group(member=[make_agent()])]), [("/actor/member/0", "group.member-agents")]),
    ("/actor", group(mbox="mailto:g@example.org", member=[{}]), [("/actor/member/0", "agent.one-ifi")]),
    ("/actor", group(mbox="mailto:g@example.org", openid="a:b"), "agent.one-ifi"),
    ("/actor", group(member=[make_agent(), "Robin"]), [("/actor/member/1", "json.type")]),
    ("/authority", {}, "agent.one-ifi"),
    ("/authority", group(member=[make_agent()]), [("/authority/member", "authority.members")]),
    ("/authority", group(member=[make_agent()] * 3), [("/authority/member", "authority.members")]),
    (
        "/authority",
        group(mbox="mailto:g@example.org", member=[make_agent(1), make_agent(2)]),
        [("/authority", "authority.anonymous")],
    ),
    # Verbs, language maps.
    ("/verb/id", DROP, [("/verb", "verb.required")]),
    ("/verb/id", "completed", "iri.form"),
    ("/verb/ID", "a:b", "property.unknown"),
    ("/verb/display", "completed", "json.type"),
    ("/verb/display", None, "json.null"),
    ("/verb/display/something", "x", "language.tag"),
    ("/verb/display/", "x", "language.tag"),
    ("/verb/display/fr", None, "json.null"),
    ("/verb/display/fr", {}, "json.type"),
    # Objects: Activities.
    ("/object/objectType", "activity", "object.object-type"),
    ("/object/objectType", None, "json.null"),
    ("/object/objectType", [], "json.type"),
    ("/object/id", DROP, [("/object", "activity.required")]),
    ("/object/id", "no scheme", "iri.form"),
    ("/object/name", {"en": "x"}, "property.unknown"),
    ("/object/definition", "x", "json.type"),
    ("/object/definition/type", "lesson", "iri.form"),
    ("/object/definition/moreInfo", "", "iri.form"),
    ("/object/definition/name", ["x"], "json.type"),
    ("/object/definition/description/a12345", "x", "language.tag"),
    ("/object/definition/extensions", None, "json.null"),
    ("/object/definition/extensions/grade", 1, "extensions.key"),
    ("/object/definition/interactionType", "Choice", "interaction.type"),
    ("/object/definition/interactionType", "true-faLse", "interaction.type"),
    ("/object/definition/interactionType", DROP, [("/object/definition", "interaction.type-required")]),
    ("/object/definition/correctResponsesPattern", "b", "json.type"),
    ("/object/definition/correctResponsesPattern/0", 1, "json.type"),
    ("/object/definition/choices", {}, "json.type"),
    ("/object/definition/choices/0", "a", "json.type"),
    ("/object/definition/choices/0/id", DROP, [("/object/definition/choices/0", "component.required")]),
    ("/object/definition/choices/0/id", 1, "json.type"),
    ("/object/definition/choices/1/id", "a", "component.distinct-ids"),
    ("/object/definition/choices/0/text", "x", "property.unknown"),
    ("/object/definition/choices/0/description/en_US", "x", "language.tag"),
    ("/object/definition/scale", [{}], [("/object/definition/scale/0", "component.required")]),
    ("/object/definition/source", [{}], [("/object/definition/source/0", "component.required")]),
    ("/object/definition/target", [{}], [("/object/definition/target/0", "component.required")]),
    ("/object/definition/steps", [{}], [("/object/definition/steps/0", "component.required")]),
    # Results and scores.
    ("/result", None, "json.null"),
    ("/result/Success", True, "property.unknown"),
    ("/result/success", "true", "json.type"),
    ("/result/success", 1, "json.type"),
    ("/result/completion", None, "json.null"),
    ("/result/response", 12, "json.type"),
    ("/result/duration", "PA1H0M0S", "duration.form"),
    ("/result/duration", 90, "json.type"),
    ("/result/extensions", [], "json.type"),
    ("/result/extensions/notes", 1, "extensions.key"),
    ("/result/score", 5, "json.type"),
    ("/result/score/percent", 5, "property.unknown"),
    ("/result/score/scaled", "0.5", "json.type"),
    ("/result/score/scaled", True, "json.type"),
    ("/result/score/scaled", 1.01, "score.scaled"),
    ("/result/score/scaled", -1.00001, "score.scaled"),
    ("/result/score/raw", 10.02, "score.raw"),
    ("/result/score/raw", -0.5, "score.raw"),
    ("/result/score/raw", None, "json.null"),
    ("/result/score/max", False, "json.type"),
    ("/result/score", {"min": 5, "max": 5}, [("/result/score/min", "score.min-max")]),
    ("/result/score", {"min": 9, "max": 5, "raw": 7},
     [("/result/score/min", "score.min-max"), *[("/result/score/raw", "score.raw")] * 2]),
    # Contexts.
    ("/context", [], "json.type"),
    ("/context/registration", "12345", "uuid.form"),
    ("/context/instructor", {"name": "Robin"}, "agent.one-ifi"),
    ("/context/instructor", group(), "group.member"),
    ("/context/team", make_agent(), "group.object-type"),
    ("/context/team", group(), "group.member"),
    ("/context/revision", 2, "json.type"),
    ("/context/platform", {}, "json.type"),
    ("/context/language", "en_GB", "language.tag"),
    ("/context/language", None, "json.null"),
    ("/context/statement", {"id": make_statement_id(9)}, "statement-ref.required"),
    ("/context/statement/id", DROP, [("/context/statement", "statement-ref.required")]),
    ("/context/statement/id", "x", "uuid.form"),
    ("/context/statement/objectType", "SubStatement", "statement-ref.object-type"),
    ("/context/extensions/room", 1, "extensions.key"),
    ("/context/contextActivities", [], "json.type"),
    ("/context/contextActivities/Parent", [], "property.unknown"),
    ("/context/contextActivities/parent", "x", "json.type"),
    ("/context/contextActivities/parent", None, "json.null"),
    ("/context/contextActivities/parent", make_agent(),
     [("/context/contextActivities/parent/objectType", "activity.object-type"),
      ("/context/contextActivities/parent/name", "property.unknown"),
      ("/context/contextActivities/parent/mbox", "property.unknown"),
      ("/context/contextActivities/parent", "activity.required")]),
    ("/context/contextActivities/parent/0", "a:b", "json.type"),
    ("/context/contextActivities/parent/0/id", "x", "iri.form"),
    # Attachments.
    ("/attachments", make_attachment(), "json.type"),
    ("/attachments/0", None, "json.null"),
    ("/attachments/0/usageType", DROP, [("/attachments/0", "attachment.required")]),
    ("/attachments/0/display", DROP, [("/attachments/0", "attachment.required")]),
    ("/attachments/0/contentType", DROP, [("/attachments/0", "attachment.required")]),
    ("/attachments/0/length", DROP, [("/attachments/0", "attachment.required")]),
    ("/attachments/0/sha2", DROP, [("/attachments/0", "attachment.required")]),
    ("/attachments/0/usageType", "photo", "iri.form"),
    ("/attachments/0/display", "photo", "json.type"),
    ("/attachments/0/description/something", "x", "language.tag"),
    ("/attachments/0/contentType", "png", "attachment.content-type"),
    ("/attachments/0/contentType", 999, "json.type"),
    ("/attachments/0/length", -1, "attachment.length"),
    ("/attachments/0/length", 1.5, "json.type"),
    ("/attachments/0/length", "27", "json.type"),
    ("/attachments/0/length", True, "json.type"),
    ("/attachments/0/sha2", "0" * 63, "attachment.sha2"),
    ("/attachments/0/fileUrl", "bench.png", "iri.form"),
    ("/attachments/0/url", "a:b", "property.unknown"),
]  # fmt: skip

# A whole object of another kind than an Activity, in a statement without revision and platform.
BROKEN_OBJECTS: list[tuple[Any, list[tuple[str, str]]]] = [
    (
        {"mbox": "mailto:robin@example.org"},
        [("/object/mbox", "property.unknown"), ("/object", "activity.required")],
    ),
    ({"objectType": "Agent", "name": "Robin"}, [("/object", "agent.one-ifi")]),
    (group(), [("/object", "group.member")]),
    ({"objectType": "StatementRef"}, [("/object", "statement-ref.required")]),
    (statement_ref(id="x"), [("/object/id", "uuid.form")]),
    (statement_ref(name="x"), [("/object/name", "property.unknown")]),
    (
        {"objectType": "statementref", "id": make_statement_id(9)},
        [("/object/objectType", "object.object-type")],
    ),
    ({"objectType": "Person"}, [("/object/objectType", "object.object-type")]),
    (substatement(actor=None), [("/object", "substatement.required")]),
    (substatement(id=make_statement_id(1)), [("/object/id", "substatement.forbidden")]),
    (substatement(stored="2026-03-02T09:30:00Z"), [("/object/stored", "substatement.forbidden")]),
    (substatement(version="1.0.0"), [("/object/version", "substatement.forbidden")]),
    (substatement(authority=make_agent()), [("/object/authority", "substatement.forbidden")]),
    (substatement(object=substatement()), [("/object/object", "substatement.nested")]),
    (substatement(actor={"mbox": "x"}), [("/object/actor/mbox", "agent.mbox")]),
    (substatement(timestamp="x"), [("/object/timestamp", "timestamp.form")]),
    (substatement(extra=1), [("/object/extra", "property.unknown")]),
    (substatement(result={"score": {"scaled": 2}}), [("/object/result/score/scaled", "score.scaled")]),
    (substatement(attachments=[{}]), [("/object/attachments/0", "attachment.required")] * 5),
    (
        substatement(object=statement_ref(), context={"revision": "1", "platform": "x"}),
        [
            ("/object/context/revision", "context.activity-only"),
            ("/object/context/platform", "context.activity-only"),
        ],
    ),
    (
        substatement(object=make_agent(), context={"platform": "x"}),
        [("/object/context/platform", "context.activity-only")],
    ),
]

TEAM = "/context/contextAgents/0"
CLASS = "/context/contextGroups/0"
BROKEN_CONTEXT_ACTORS: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    ({"contextAgents": context_agent()}, [("/context/contextAgents", "json.type")]),
    ({"contextAgents": [make_agent()]},
     [(f"{TEAM}/objectType", "context-agents.object-type"), (f"{TEAM}/name", "property.unknown"),
      (f"{TEAM}/mbox", "property.unknown"), (TEAM, "context-agents.required")]),
    ({"contextAgents": [context_agent(objectType="contextGroup")]},
     [(f"{TEAM}/objectType", "context-agents.object-type")]),
    ({"contextAgents": [{"agent": make_agent()}]}, [(TEAM, "context-agents.required")]),
    ({"contextAgents": [context_agent(agent={})]}, [(f"{TEAM}/agent", "agent.one-ifi")]),
    ({"contextAgents": [context_agent(agent=group(member=[make_agent()]))]},
     [(f"{TEAM}/agent", "agent.object-type")]),
    ({"contextAgents": [context_agent(relevantTypes=[])]},
     [(f"{TEAM}/relevantTypes", "context-agents.relevant-types")]),
    ({"contextAgents": [context_agent(relevantTypes=["abc"])]}, [(f"{TEAM}/relevantTypes/0", "iri.form")]),
    ({"contextAgents": [context_agent(relevantTypes="a:b")]}, [(f"{TEAM}/relevantTypes", "json.type")]),
    ({"contextGroups": [context_group(objectType="contextAgent")]},
     [(f"{CLASS}/objectType", "context-agents.object-type")]),
    ({"contextGroups": [context_group(group=group())]}, [(f"{CLASS}/group", "group.member")]),
    ({"contextGroups": [context_group(group={"mbox": "mailto:g@example.org"})]},
     [(f"{CLASS}/group", "group.object-type")]),
    ({"contextGroups": [context_group(relevantTypes=[])]},
     [(f"{CLASS}/relevantTypes", "context-agents.relevant-types")]),
]  # fmt: skip
