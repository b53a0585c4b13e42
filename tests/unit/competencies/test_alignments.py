"""Which acts are evidence of which item, and every fault of an alignment's file."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrs.competencies.alignment_file import read_alignment, read_model
from lrs.competencies.alignments import Evidence, alignment_from, evidence_from, evidence_of, evidence_row
from lrs.competencies.model import ProgressModel, model_from, model_value
from lrs.competencies.shapes import Shape
from lrs.learners.acts import Voucher
from lrs.learners.handles import IdentityId
from tests.unit.competencies.builders import (
    FRAMEWORK,
    TWO_OF_THREE,
    a_framework,
    a_package,
    an_act,
    an_item,
)

COMPLETED = "http://adlnet.gov/expapi/verbs/completed"


def a_file(*rules: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"name": "museum-to-spine", "framework": FRAMEWORK, "rules": list(rules), **changes}


def a_rule(**changes: Any) -> dict[str, Any]:
    return {"id": "r1", "item": "a1", "when": {"verb": [COMPLETED]}, "score": "scaled", **changes}


def read(value: object) -> tuple[dict[str, Any], Shape]:
    shape = Shape()
    frameworks = {FRAMEWORK: a_framework()}
    institutions = {"Museum": "museum", "School": "school"}
    return read_alignment(value, shape, frameworks.get, institutions.get), shape


def found_by(rule: dict[str, Any], **act: Any) -> list[Evidence]:
    value, shape = read(a_file(rule))
    assert shape.problems == []
    alignment = alignment_from(orjson.loads(orjson.dumps(value)) | {"version": 3}, "school")
    return evidence_of(an_act(**act), alignment)


def test_item_may_be_named_by_its_code_and_is_recorded_by_its_identifier() -> None:
    value, shape = read(a_file(a_rule(item="A1")))
    assert shape.problems == []
    assert value["rules"][0]["item"] == "a1"


def test_evidence_says_by_which_rule_of_which_version_it_is() -> None:
    (one,) = found_by(a_rule(), scaled="0.75", voucher=Voucher("mentor", "Mo"))
    assert (one.item, one.rule, one.alignment, one.version, one.owner) == (
        "a1",
        "r1",
        "museum-to-spine",
        3,
        "school",
    )
    assert (one.score, one.strength, one.institution) == ("0.75", "1", "museum")
    assert one.voucher == {"kind": "mentor", "name": "Mo"}
    assert evidence_from(evidence_row(IdentityId("i"), one)) == one


@pytest.mark.parametrize(
    ("when", "act", "meets"),
    [
        ({"verb": [COMPLETED, "urn:x"]}, {}, True),
        ({"verb": ["urn:x"]}, {}, False),
        ({"verb": ["http://adlnet.gov/*"]}, {}, True),
        ({"activity": "https://museum.example.org/activities/looms"}, {}, True),
        ({"activity": ["https://museum.example.org/*"]}, {}, True),
        ({"activity": ["https://museum.example.org/*"]}, {"object": None}, False),
        ({"activityType": ["urn:type"]}, {"type": "urn:type"}, True),
        ({"activityType": ["urn:type"]}, {}, False),
        ({"parent": ["urn:p"]}, {"parents": ("urn:o", "urn:p")}, True),
        ({"grouping": ["urn:p"]}, {"parents": ("urn:p",)}, False),
        ({"grouping": ["urn:p"]}, {"groupings": ("urn:p",)}, True),
        ({"category": ["urn:c/*"]}, {"categories": ("urn:c/1",)}, True),
        ({"institution": ["Museum"]}, {}, True),
        ({"institution": ["School"]}, {}, False),
        ({"success": True}, {"success": True}, True),
        ({"success": True}, {}, False),
        ({"success": False}, {"success": False}, True),
        ({"completion": True}, {"completion": False}, False),
        ({"voucher": ["mentor"]}, {"voucher": Voucher("mentor")}, True),
        ({"voucher": ["mentor"]}, {}, False),
        ({"minMinutes": 60}, {"seconds": 3600}, True),
        ({"minMinutes": 60}, {"seconds": 3599}, False),
        ({"minMinutes": 60}, {}, False),
        ({"verb": [COMPLETED], "success": True}, {"success": True}, True),
        ({"verb": [COMPLETED], "success": True}, {"success": False}, False),
    ],
)
def test_every_condition_must_hold(when: dict[str, Any], act: dict[str, Any], meets: bool) -> None:
    assert bool(found_by(a_rule(when=when), **act)) is meets


@pytest.mark.parametrize(
    ("score", "act", "expected"),
    [
        ("scaled", {"scaled": "0.10"}, "0.1"),
        ("scaled", {"scaled": "1"}, "1"),
        ("scaled", {}, None),
        ("scaled", {"raw": "7", "max": "10"}, "0.7"),
        ("scaled", {"raw": "7", "min": "5", "max": "10"}, "0.4"),
        ("scaled", {"raw": "7", "min": "5", "max": "5"}, None),
        ("scaled", {"raw": "7"}, None),
        ("success", {"success": True}, "1"),
        ("success", {"success": False}, "0"),
        ("success", {}, None),
        ("completion", {"completion": True}, "1"),
        ({"fixed": "0.8"}, {}, "0.8"),
        ({"raw": {"of": "5"}}, {"raw": "4"}, "0.8"),
        ({"raw": {"of": "3"}}, {"raw": "2"}, "0.666666667"),
        ({"raw": {"of": "5"}}, {"raw": "9"}, "1"),
        ({"raw": {"of": "5"}}, {"raw": "1e300"}, "1"),
        ({"raw": {"of": "5"}}, {"raw": "-1e300"}, "-1"),
        ({"raw": {"of": "5"}}, {}, None),
    ],
)
def test_score_is_read_as_the_rule_says(score: Any, act: dict[str, Any], expected: str | None) -> None:
    assert [one.score for one in found_by(a_rule(score=score), **act)] == [expected]


def test_every_rule_that_names_something_unknown_is_listed() -> None:
    _, shape = read(
        a_file(
            a_rule(item="nothing"),
            a_rule(id="r2"),
            a_rule(id="r3", item="NOWHERE", when={"institution": ["Museum", "Nobody"], "voucher": ["uncle"]}),
        )
    )
    assert [(one.path, one.rule) for one in shape.problems] == [
        ("/rules/0/item", "item.unknown"),
        ("/rules/2/item", "item.unknown"),
        ("/rules/2/when/voucher/0", "voucher.unknown"),
        ("/rules/2/when/institution/1", "institution.unknown"),
    ]


def test_framework_that_was_never_imported_is_told() -> None:
    _, shape = read(a_file(a_rule(), framework="other"))
    assert [(one.path, one.rule) for one in shape.problems] == [("/framework", "framework.unknown")]


def test_code_that_two_items_share_names_neither() -> None:
    shape = Shape()
    items = [an_item("x", humanCodingScheme="S"), an_item("y", humanCodingScheme="S")]
    framework = a_framework(a_package(items))
    read_alignment(a_file(a_rule(item="S")), shape, lambda _: framework, lambda _: None)
    assert [one.message for one in shape.problems] == ["2 items have the code S; name one by its identifier."]


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        (a_rule(when={}), "/rules/0/when"),
        (a_rule(when={"colour": 1}), "/rules/0/when/colour"),
        (a_rule(when={"verb": []}), "/rules/0/when/verb"),
        (a_rule(when={"verb": [1]}), "/rules/0/when/verb/0"),
        (a_rule(when={"success": "yes"}), "/rules/0/when/success"),
        (a_rule(when={"minMinutes": 0}), "/rules/0/when/minMinutes"),
        (a_rule(score="best"), "/rules/0/score"),
        (a_rule(score={}), "/rules/0/score"),
        (a_rule(score={"fixed": "1.2"}), "/rules/0/score/fixed"),
        (a_rule(score={"raw": {"of": "0"}}), "/rules/0/score/raw/of"),
        (a_rule(strength="0"), "/rules/0/strength"),
        (a_rule(strength="NaN"), "/rules/0/strength"),
        (a_rule(strength=True), "/rules/0/strength"),
        (a_rule(id="has space"), "/rules/0/id"),
        (a_rule(sort=1), "/rules/0/sort"),
        ({"id": "r1", "item": "a1"}, "/rules/0"),
        (7, "/rules/0"),
    ],
)
def test_fault_of_a_rule_is_told_with_its_place(rule: Any, path: str) -> None:
    _, shape = read(a_file(rule))
    assert path in [one.path for one in shape.problems]


@pytest.mark.parametrize(
    ("value", "paths"),
    [
        (a_file(), ["/rules"]),
        (a_file(a_rule(), a_rule()), ["/rules/1/id"]),
        (a_file(a_rule(), name="a/b"), ["/name"]),
        (a_file(a_rule(), more=1), ["/more"]),
        ([], ["", "/rules"]),
    ],
)
def test_fault_of_a_file_is_told_with_its_place(value: object, paths: list[str]) -> None:
    _, shape = read(value)
    assert [one.path for one in shape.problems] == paths


def test_model_is_read_and_written_alike() -> None:
    shape = Shape()
    value = model_value(TWO_OF_THREE)
    assert read_model(value, "", shape) == TWO_OF_THREE
    assert model_from(value) == TWO_OF_THREE
    assert read_model({"name": "coverage"}, "", shape) == ProgressModel() == model_from({"name": "coverage"})
    assert shape.problems == []


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"k": 4}, "/k"),
        ({"n": 0}, "/n"),
        ({"levels": []}, "/levels"),
        ({"name": "elo"}, "/name"),
        ({"extra": 1}, "/extra"),
        ({"levels": [{"level": 1, "name": "x", "threshold": "2"}]}, "/levels/0/threshold"),
        (
            {
                "levels": [
                    {"level": 1, "name": "x", "threshold": "0.5"},
                    {"level": 2, "name": "y", "threshold": "0.5"},
                ]
            },
            "/levels/1",
        ),
    ],
)
def test_fault_of_a_model_is_told_with_its_place(changes: dict[str, Any], path: str) -> None:
    shape = Shape()
    read_model({**model_value(TWO_OF_THREE), **changes}, "", shape)
    assert path in [one.path for one in shape.problems]


TEXTS = st.sampled_from(["urn:a", "urn:b", "urn:a/*", "urn:*", "urn:a/1"])
WHENS = st.dictionaries(
    st.sampled_from(["verb", "activity", "activityType", "parent", "category"]),
    st.lists(TEXTS, min_size=1, max_size=2),
    min_size=1,
    max_size=3,
)
ONE = st.sampled_from(["urn:a", "urn:b", "urn:a/1", "other"])
MANY = st.lists(ONE, max_size=2).map(tuple)


@given(
    st.lists(WHENS, min_size=1, max_size=6),
    st.fixed_dictionaries(
        {"verb": ONE, "object": st.none() | ONE, "type": st.none() | ONE, "parents": MANY, "categories": MANY}
    ),
)
def test_rules_are_found_as_if_each_were_tried(whens: list[dict[str, Any]], act: dict[str, Any]) -> None:
    value, shape = read(a_file(*(a_rule(id=f"r{number}", when=when) for number, when in enumerate(whens))))
    assert shape.problems == []
    alignment = alignment_from(value | {"version": 1}, "school")
    tried = [rule.id for rule in alignment.rules if rule.meets(an_act(**act))]
    assert [one.rule for one in evidence_of(an_act(**act), alignment)] == tried


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["name", "framework", "rules", "id", "item", "when", "verb", "score", "raw", "fixed"]
            )
            | st.text(max_size=4),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_no_json_breaks_the_reading_of_alignments_and_models(value: Any) -> None:
    for one in (value, a_file(value), a_file(a_rule(when=value)), a_file(a_rule(score=value))):
        read(one)
    read_model(value, "", Shape())
    read_model({**model_value(TWO_OF_THREE), "levels": value, "k": value}, "", Shape())
