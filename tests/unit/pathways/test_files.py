"""Pathway files: every problem with its place, and what could never be finished."""

import json
from typing import Any

import pytest

from lrs.competencies.shapes import Shape
from lrs.pathways.file import read_pathway
from lrs.pathways.model import pathway_from
from tests.reference import ROOT
from tests.unit.competencies.builders import FRAMEWORK, TWO_OF_THREE, a_framework

GOOD: dict[str, Any] = {
    "name": "tide",
    "title": "Tide Maker",
    "framework": FRAMEWORK,
    "steps": [
        {"id": "a", "title": "A", "needs": {"activity": "https://museum.example/*", "times": 2}},
        {"id": "b", "title": "B", "needs": {"item": "A1", "level": 2}, "after": ["a"]},
        {"id": "c", "title": "C", "required": False, "needs": {"voucher": ["mentor"], "minutes": 30}},
        {
            "id": "d",
            "title": "D",
            "required": False,
            "needs": {"k": 1, "of": [{"institution": ["Museum"], "completion": True}, {"item": "a"}]},
        },
    ],
    "minOptional": 1,
    "award": {"title": "T", "description": "D", "criteria": "C", "policy": "revoke"},
    "opens": ["The yard"],
}


def problems(value: object, levels: bool = True) -> list[tuple[str, str]]:
    shape = Shape()
    framework = a_framework(model=TWO_OF_THREE) if levels else a_framework()
    read_pathway(
        value,
        shape,
        lambda name: framework if name == FRAMEWORK else None,
        {"Museum": "mus0010001"}.get,
    )
    return [(one.path, one.rule) for one in shape.problems]


def changed(**changes: Any) -> dict[str, Any]:
    return {**GOOD, **changes}


def with_need(need: object) -> dict[str, Any]:
    return changed(steps=[{"id": "a", "title": "A", "needs": need}], minOptional=0)


def test_good_file_is_read_with_items_and_institutions_by_their_ids() -> None:
    shape = Shape()
    framework = a_framework(model=TWO_OF_THREE)
    value = read_pathway(GOOD, shape, lambda _: framework, {"Museum": "mus0010001"}.get)
    assert not shape.problems
    read = pathway_from({**value, "version": 1}, "mus0010001")
    assert value["steps"][1]["needs"] == {"item": "a1", "level": 2}
    assert value["steps"][3]["needs"]["of"][0]["institution"] == ["mus0010001"]
    assert [step.required for step in read.steps] == [True, True, False, False]
    assert read.award is not None
    assert (read.min_optional, read.award.policy, read.opens) == (1, "revoke", ("The yard",))


@pytest.mark.parametrize(
    ("value", "path", "rule"),
    [
        ([], "", "json.object"),
        (changed(name="a/b"), "/name", "name.slash"),
        (changed(more=1), "/more", "member.unknown"),
        (changed(framework="unknown"), "/framework", "framework.unknown"),
        (changed(steps=[]), "/steps", "array.short"),
        (changed(minOptional=3), "/minOptional", "pathway.never"),
        (changed(steps=GOOD["steps"][2:], minOptional=0), "/minOptional", "pathway.empty"),
        (changed(award={"title": "T", "description": "D"}), "/award", "member.required"),
        (changed(award={**GOOD["award"], "policy": "burn"}), "/award/policy", "award.policy"),
        (changed(steps=[*GOOD["steps"], GOOD["steps"][0]]), "/steps/4/id", "step.repeated"),
        (
            changed(steps=[{**GOOD["steps"][0], "after": ["z"]}, *GOOD["steps"][1:]]),
            "/steps/0/after/0",
            "step.unknown",
        ),
        (with_need({"item": "NOPE"}), "/steps/0/needs/item", "item.unknown"),
        (with_need({"item": "A1", "level": 9}), "/steps/0/needs/level", "need.never"),
        (with_need({"item": "A1", "verb": "x:y"}), "/steps/0/needs/verb", "member.unknown"),
        (with_need({"k": 3, "of": [{"verb": "x:y"}, {"verb": "x:z"}]}), "/steps/0/needs/k", "need.never"),
        (with_need({"k": 1, "of": [{"verb": "not an iri"}]}), "/steps/0/needs/of/0/verb/0", "iri.form"),
        (with_need({"of": [{"verb": "x:y"}]}), "/steps/0/needs", "member.required"),
        (with_need({"times": 3}), "/steps/0/needs", "need.empty"),
        (with_need({"verb": "x:y", "times": 0}), "/steps/0/needs/times", "number.whole"),
        (with_need({"verb": "x:y", "times": 1, "minutes": 2}), "/steps/0/needs", "need.both"),
        (with_need({"voucher": ["boss"]}), "/steps/0/needs/voucher/0", "voucher.unknown"),
        (with_need({"institution": ["Nobody"]}), "/steps/0/needs/institution/0", "institution.unknown"),
        (with_need({"verb": []}), "/steps/0/needs/verb", "array.short"),
        (with_need("walk"), "/steps/0/needs", "json.object"),
    ],
)
def test_problem_is_told_with_its_place(value: object, path: str, rule: str) -> None:
    assert (path, rule) in problems(value)


def test_items_need_a_framework_and_levels_one_that_has_levels() -> None:
    lone = {name: value for name, value in GOOD.items() if name != "framework"}
    assert ("/steps/1/needs/item", "framework.missing") in problems(lone)
    assert problems(GOOD, levels=False) == [("/steps/1/needs/level", "need.never")]


def test_steps_that_wait_for_each_other_are_all_named() -> None:
    need = {"verb": "x:y"}
    steps = [
        {"id": one, "title": one, "needs": need, "after": list(after)}
        for one, after in (("a", "b"), ("b", "c"), ("c", "a"), ("d", "a"), ("e", ""), ("f", "f"))
    ]
    found = problems(changed(steps=steps, minOptional=0))
    assert found == [(f"/steps/{index}/after", "step.cycle") for index in (0, 1, 2, 5)]


def test_all_problems_are_told_at_once() -> None:
    bad = changed(
        name="", minOptional=9, steps=[{"id": "a"}, {"id": "a", "title": "A", "needs": {"item": "x"}}]
    )
    rules = [rule for _, rule in problems(bad)]
    assert {"json.text", "member.required", "step.repeated", "item.unknown", "pathway.never"} <= set(rules)


def test_the_demo_citys_pathway_is_good() -> None:
    value = json.loads((ROOT / "profiles" / "demo_city" / "pathway.json").read_text())
    shape = Shape()
    read_pathway(value, shape, lambda _: None, lambda _: "x")
    assert [one.rule for one in shape.problems] == ["framework.unknown"]
