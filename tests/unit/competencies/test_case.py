"""CASE packages in, leniently, and out, strictly; every fault has its place."""

import copy
import json
from typing import Any

import pytest

from lrs.competencies.case import keep_withdrawn, read_package, write_package
from lrs.competencies.model import ProgressModel, framework_from, model_value
from lrs.competencies.shapes import Shape, read_file
from lrs.errors import InvalidBody, InvalidImport
from tests.reference import reference_dir
from tests.unit.competencies.builders import (
    FRAMEWORK,
    a_child,
    a_framework,
    a_package,
    an_item,
    spine,
)


def problems_of(package: object) -> list[tuple[str, str]]:
    shape = Shape()
    read_package(package, shape)
    return [(one.path, one.rule) for one in shape.problems]


def recorded(package: dict[str, Any]) -> dict[str, Any]:
    shape = Shape()
    value = read_package(package, shape)
    assert shape.problems == []
    return value


def test_items_stand_in_the_order_of_the_tree_when_numbers_give_it() -> None:
    framework = a_framework()
    assert list(framework.items) == ["a", "a1", "a2", "b", "b1", "b2", "alone"]
    assert framework.children[FRAMEWORK] == ["a", "b", "alone"]
    assert framework.leaves[FRAMEWORK] == {"a1", "a2", "b1", "b2", "alone"}
    assert framework.leaves["b"] == {"b1", "b2"}
    assert framework.ancestors("b2") == {"b", FRAMEWORK}


def test_siblings_without_number_stand_behind_in_the_order_of_the_file() -> None:
    items = [an_item(one) for one in ("x", "y", "z")]
    package = a_package(items, [a_child("x", FRAMEWORK), a_child("y", FRAMEWORK), a_child("z", FRAMEWORK, 1)])
    assert list(a_framework(package).items) == ["z", "x", "y"]


def test_code_type_and_language_are_kept() -> None:
    package = a_package([an_item("x", CFItemType="Standard", language="cy", abbreviatedStatement="X")])
    item = a_framework(package).items["x"]
    assert (item.code, item.type, item.language, item.short) == ("X", "Standard", "cy", "X")


def test_item_with_two_parents_counts_once_above_both() -> None:
    items = [an_item(one) for one in ("top", "a", "b", "x")]
    edges = [("a", "top"), ("b", "top"), ("x", "a"), ("x", "b"), ("top", FRAMEWORK)]
    framework = a_framework(a_package(items, [a_child(*edge) for edge in edges]))
    assert framework.leaves["top"] == {"x"}
    assert framework.ancestors("x") == {"a", "b", "top", FRAMEWORK}


def test_missing_members_are_each_named_with_their_place() -> None:
    package = spine()
    del package["CFItems"][2]["fullStatement"]
    del package["CFItems"][4]["identifier"]
    del package["CFAssociations"][3]["destinationNodeURI"]
    del package["CFDocument"]["title"]
    found = problems_of(package)
    for path in ("/CFItems/2", "/CFItems/4", "/CFAssociations/3", "/CFDocument"):
        assert (path, "member.required") in found


def test_dangling_association_is_named_with_its_end() -> None:
    package = spine()
    package["CFAssociations"].append(a_child("a1", "nowhere"))
    assert problems_of(package) == [("/CFAssociations/6/destinationNodeURI", "case.dangling")]


def test_association_to_another_framework_is_no_fault_but_one_that_passes_this_by_is() -> None:
    package = spine()
    package["CFAssociations"] += [
        a_child("a1", "elsewhere", associationType="exactMatchOf", identifier="out"),
        a_child("far", "elsewhere", associationType="isRelatedTo", identifier="past"),
    ]
    assert problems_of(package) == [
        ("/CFAssociations/7/originNodeURI", "case.dangling"),
        ("/CFAssociations/7/destinationNodeURI", "case.dangling"),
    ]


def test_identifier_that_stands_twice_is_named_where_it_stands_again() -> None:
    package = spine()
    package["CFItems"].append(an_item("a1"))
    assert ("/CFItems/7/identifier", "case.duplicate") in problems_of(package)


@pytest.mark.parametrize("edges", [[("a", "a")], [("a", "a1")], [("b", "a1"), ("a", "b2")]])
def test_items_below_themselves_are_named_when_associations_close_a_circle(
    edges: list[tuple[str, str]],
) -> None:
    package = spine()
    package["CFAssociations"] += [
        a_child(*edge, identifier=f"again{edge}".replace(" ", "")) for edge in edges
    ]
    found = problems_of(package)
    assert len(found) == 1
    assert found[0][1] == "case.cycle"


def test_every_fault_is_listed_at_once_and_nothing_is_read() -> None:
    package = spine()
    package["CFItems"][0]["fullStatement"] = 7
    package["CFItems"][1]["lastChangeDateTime"] = "yesterday"
    package["CFAssociations"][0]["associationType"] = "isUncleOf"
    shape = Shape()
    assert read_package(package, shape) == {}
    assert [one.path for one in shape.problems] == [
        "/CFItems/0/fullStatement",
        "/CFItems/1/lastChangeDateTime",
        "/CFAssociations/0/associationType",
    ]
    with pytest.raises(InvalidImport) as caught:
        shape.refuse_if_wrong("The framework")
    assert caught.value.detail == "The framework was not imported, and nothing was changed: 3 problems."
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize("value", [None, [], "x", {}, {"CFDocument": {}}, {"CFDocument": 1, "CFItems": 2}])
def test_other_json_is_refused(value: object) -> None:
    assert problems_of(value)


def test_text_that_is_no_json_is_refused_with_its_place() -> None:
    with pytest.raises(InvalidBody, match="not JSON"):
        read_file(b"{]")


def test_unknown_members_and_those_of_servers_are_skipped() -> None:
    package = spine()
    package["CFItems"][0] |= {"CFDocumentURI": {"title": "t"}, "colour": "red", "notes": None, "language": ""}
    value = recorded(package)
    assert not {"CFDocumentURI", "colour", "notes", "language"} & set(value["items"][0])


def test_item_that_a_later_version_dropped_stays_marked_withdrawn() -> None:
    before = recorded(spine())
    package = spine()
    package["CFItems"] = [one for one in package["CFItems"] if one["identifier"] != "b2"]
    package["CFAssociations"] = [
        one for one in package["CFAssociations"] if one["originNodeURI"]["identifier"] != "b2"
    ]
    after = keep_withdrawn(before, recorded(package))
    framework = framework_from(after | {"version": 2, "model": model_value(ProgressModel())}, "school")
    assert framework.items["b2"].withdrawn
    assert framework.leaves["b"] == {"b1"}
    assert "b2" not in framework.leaves[FRAMEWORK]
    assert [one["identifier"] for one in write_package(after, "x")["CFItems"]] == list(framework.items)[:-1]


def test_withdrawn_item_comes_back_when_a_version_has_it_again() -> None:
    full = recorded(spine())
    short = {**full, "items": full["items"][:2], "associations": []}
    again = keep_withdrawn(keep_withdrawn(full, short), full)
    assert again == full


def test_package_that_is_written_and_read_again_is_the_same() -> None:
    package = spine()
    package["CFDocument"]["version"] = "2nd edition"
    value = recorded(package)
    assert write_package(value, "x")["CFDocument"]["version"] == "2nd edition"
    assert recorded(write_package(value, "x")) == value | {"creator": "Demo City"}


def reference_packages() -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = []
    for file in sorted((reference_dir() / "case10" / "smarter-balanced").glob("*.json")):
        value = json.loads(file.read_bytes())
        packages = value if isinstance(value, list) else [value]
        found += [(file.name, one) for one in packages]
    return found


def strict_schema() -> Any:
    jsonschema = pytest.importorskip("jsonschema_rs")
    name = "case_v1p1_cfpackage-jsonschema1.json"
    schema = json.loads((reference_dir() / "case11" / "schema" / name).read_bytes())
    return jsonschema.Draft201909Validator(schema)


@pytest.mark.reference
def test_real_packages_of_case_1_0_are_imported_whole() -> None:
    packages = reference_packages()
    assert packages
    for name, package in packages:
        value = recorded(package)
        assert len(value["items"]) == len(package["CFItems"]), name
        assert len(value["associations"]) == len(package["CFAssociations"]), name
        tree = framework_from(value | {"version": 1, "model": model_value(ProgressModel())}, "school")
        reached = {below for children in tree.children.values() for below in children}
        assert reached == set(tree.items), name


@pytest.mark.reference
def test_real_packages_are_written_as_strict_case_1_1() -> None:
    schema = strict_schema()
    for name, package in reference_packages():
        assert not schema.is_valid(package), f"{name}: it has members that 1.1 does not know"
        written = write_package(recorded(package), "A school")
        assert [error.message for error in schema.iter_errors(written)] == [], name


@pytest.mark.reference
def test_own_packages_are_written_as_strict_case_1_1_when_they_say_little() -> None:
    package = a_package([{"identifier": "aa", "fullStatement": "Can"}])
    for name in ("uri", "creator"):
        del package["CFDocument"][name]
    errors = [error.message for error in strict_schema().iter_errors(write_package(recorded(package), "S"))]
    assert [one for one in errors if "format" not in one and "uuid" not in one] == []


@pytest.mark.reference
def test_fault_in_a_real_package_is_found() -> None:
    name, whole = reference_packages()[0]
    package = copy.deepcopy(whole)
    tree = [one for one in package["CFAssociations"] if one["associationType"] == "isChildOf"]
    tree[0]["destinationNodeURI"]["identifier"] = "11111111-2222-4333-8444-555555555555"
    assert [rule for _, rule in problems_of(package)] == ["case.dangling"], name
