"""Plain builders of examples; every value is invented."""

from typing import Any

VERB_ID = "http://adlnet.gov/expapi/verbs/completed"
ACTIVITY_ID = "https://school.example.org/activities/fractions"


def make_agent(n: int = 1) -> dict[str, Any]:
    """An Agent, another one for each number."""
    return {"objectType": "Agent", "name": f"Learner {n}", "mbox": f"mailto:learner{n}@example.org"}


def make_activity(n: int = 1) -> dict[str, Any]:
    """An Activity with a definition, another one for each number."""
    return {
        "objectType": "Activity",
        "id": f"{ACTIVITY_ID}/{n}",
        "definition": {
            "type": "http://adlnet.gov/expapi/activities/lesson",
            "name": {"en-US": f"Fractions {n}", "es": f"Fracciones {n}"},
        },
    }


def make_statement_id(n: int) -> str:
    """A UUID, another one for each number."""
    return f"00000000-0000-4000-8000-{n:012x}"


def make_statement(**changes: Any) -> dict[str, Any]:
    """A valid statement without an id; a change replaces a property, None takes it out."""
    statement: dict[str, Any] = {
        "actor": make_agent(),
        "verb": {"id": VERB_ID, "display": {"en-US": "completed"}},
        "object": make_activity(),
        "timestamp": "2026-03-02T09:30:00.125Z",
    }
    statement.update(changes)
    return {name: value for name, value in statement.items() if value is not None}


def make_full_statement(**changes: Any) -> dict[str, Any]:
    """A statement that uses nearly every property that version 1.0.3 knows."""
    full: dict[str, Any] = {
        "id": make_statement_id(1),
        "result": {
            "score": {"scaled": 0.8, "raw": 8, "min": 0, "max": 10},
            "success": True,
            "completion": True,
            "response": "b",
            "duration": "PT1M30.5S",
            "extensions": {"https://example.org/ext/notes": {"kept": None, "empty": {}}},
        },
        "context": {
            "registration": make_statement_id(2),
            "instructor": make_agent(2),
            "team": {"objectType": "Group", "name": "Table 4", "member": [make_agent(3), make_agent(4)]},
            "contextActivities": {
                "parent": [make_activity(2)],
                "grouping": [{"id": "course-v1:EXAMPLE+00001+session01"}],
                "category": [],
                "other": make_activity(3),
            },
            "revision": "2",
            "platform": "Example platform",
            "language": "en-GB",
            "statement": {"objectType": "StatementRef", "id": make_statement_id(3)},
            "extensions": {"https://example.org/ext/room": 12},
        },
        "stored": "2026-03-02T09:30:01Z",
        "authority": {"account": {"homePage": "https://lrs.example.org", "name": "key-1"}},
        "version": "1.0.0",
        "attachments": [make_attachment()],
    }
    full["object"] = make_activity()
    full["object"]["definition"].update(
        description={"en": "Parts of a whole."},
        moreInfo="https://school.example.org/fractions",
        interactionType="choice",
        correctResponsesPattern=["b"],
        choices=[{"id": "a", "description": {"en": "A half"}}, {"id": "b"}],
        extensions={"https://example.org/ext/grade": None},
    )
    full.update(changes)
    return make_statement(**full)


def make_attachment(**changes: Any) -> dict[str, Any]:
    """The metadata of an attachment that lies elsewhere."""
    attachment: dict[str, Any] = {
        "usageType": "http://id.tincanapi.com/attachment/supporting_media",
        "display": {"en-US": "A photograph"},
        "description": {"en-US": "The finished bench"},
        "contentType": "image/png",
        "length": 4096,
        "sha2": "0" * 64,
        "fileUrl": "https://museum.example.org/files/bench.png",
    }
    attachment.update(changes)
    return {name: value for name, value in attachment.items() if value is not None}
