"""Frameworks, acts and evidence for tests; all invented."""

from decimal import Decimal
from typing import Any

from lrs.competencies.alignments import Evidence
from lrs.competencies.case import read_package
from lrs.competencies.model import (
    COVERAGE,
    K_OF_N,
    Framework,
    Level,
    ProgressModel,
    framework_from,
    model_value,
)
from lrs.competencies.shapes import Shape
from lrs.learners.acts import Act, Voucher

BASE = "https://case.example.org/ims/case/v1p1"
CHANGED = "2026-09-01T08:00:00+00:00"
FRAMEWORK = "7a1f0c8e-0000-4000-8000-000000000001"
TWO_OF_THREE = ProgressModel(
    K_OF_N,
    2,
    3,
    (
        Level(1, "Emerging", Decimal("0.4")),
        Level(2, "Developing", Decimal("0.6")),
        Level(3, "Proficient", Decimal("0.8")),
    ),
)


def an_item(identifier: str, **changes: Any) -> dict[str, Any]:
    return {
        "identifier": identifier,
        "fullStatement": f"Can do {identifier}",
        "humanCodingScheme": identifier.upper(),
        "uri": f"{BASE}/CFItems/{identifier}",
        "lastChangeDateTime": CHANGED,
        **changes,
    }


def a_child(child: str, parent: str, number: int | None = None, **changes: Any) -> dict[str, Any]:
    identifier = f"{child}-in-{parent}"
    made = {
        "identifier": identifier,
        "associationType": "isChildOf",
        "uri": f"{BASE}/CFAssociations/{identifier}",
        "originNodeURI": {"title": child, "identifier": child, "uri": f"{BASE}/CFItems/{child}"},
        "destinationNodeURI": {"title": parent, "identifier": parent, "uri": f"{BASE}/CFItems/{parent}"},
        "lastChangeDateTime": CHANGED,
    }
    if number is not None:
        made["sequenceNumber"] = number
    return made | changes


def a_package(
    items: list[dict[str, Any]], associations: list[dict[str, Any]] | None = None, **document: Any
) -> dict[str, Any]:
    return {
        "CFDocument": {
            "identifier": FRAMEWORK,
            "uri": f"{BASE}/CFDocuments/{FRAMEWORK}",
            "creator": "Demo City",
            "title": "A spine",
            "lastChangeDateTime": CHANGED,
            **document,
        },
        "CFItems": items,
        "CFAssociations": associations or [],
    }


def spine() -> dict[str, Any]:
    """A package: two branches of two leaves each, and an item that stands alone."""
    items = [an_item(one) for one in ("b2", "a", "a1", "a2", "b", "b1", "alone")]
    below = [("a", FRAMEWORK), ("b", FRAMEWORK), ("a2", "a"), ("a1", "a"), ("b1", "b"), ("b2", "b")]
    numbers = {"a": 1, "b": 2, "a1": 1, "a2": 2, "b1": 1, "b2": 2}
    return a_package(items, [a_child(child, parent, numbers[child]) for child, parent in below])


def a_framework(
    package: dict[str, Any] | None = None, model: ProgressModel | None = None, version: int = 1
) -> Framework:
    shape = Shape()
    value = read_package(package or spine(), shape)
    assert not shape.problems
    value |= {"model": model_value(model or ProgressModel(COVERAGE)), "version": version}
    return framework_from(value, "school")


def an_act(**changes: Any) -> Act:
    values: dict[str, Any] = {
        "id": "00000000-0000-4000-8000-000000000001",
        "institution": "museum",
        "at": 1_700_000_000_000_000,
        "identifier": "mbox mailto:ada@example.org",
        "name": None,
        "group": None,
        "verb": "http://adlnet.gov/expapi/verbs/completed",
        "verb_name": {},
        "object": "https://museum.example.org/activities/looms",
        "object_name": {},
        "type": None,
        "parents": (),
        "groupings": (),
        "categories": (),
        "scaled": None,
        "raw": None,
        "min": None,
        "max": None,
        "success": None,
        "completion": None,
        "seconds": None,
        "narrative": None,
        "voucher": Voucher("machine"),
        "client": "",
    }
    return Act(**(values | changes))


def some_evidence(item: str, number: int, score: str | None = "0.7", **changes: Any) -> Evidence:
    statement = f"00000000-0000-4000-8000-{number:012d}"
    values: dict[str, Any] = {
        "framework": FRAMEWORK,
        "item": item,
        "owner": "school",
        "alignment": "to-spine",
        "version": 1,
        "rule": "r1",
        "statement": statement,
        "institution": "museum",
        "at": 1_700_000_000_000_000 + number,
        "strength": "1",
        "score": score,
        "voucher": {"kind": "machine"},
        "act": f"{number:018d} {statement} museum",
    }
    return Evidence(**(values | changes))
