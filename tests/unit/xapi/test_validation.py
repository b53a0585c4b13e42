"""Every rule for statements, one broken place at a time: its pointer, its name, and nothing else."""

import copy
from typing import Any

import pytest

from lrs.xapi.rules import RULES
from lrs.xapi.statement import VOIDED, validate_batch, validate_statement
from lrs.xapi.versions import Version
from tests.factories import (
    make_activity,
    make_agent,
    make_full_statement,
    make_statement,
    make_statement_id,
)
from tests.unit.xapi.validation_cases import (
    BROKEN,
    BROKEN_CONTEXT_ACTORS,
    BROKEN_OBJECTS,
    DROP,
    LONG_SHA1,
    context_agent,
    context_group,
    group,
    statement_ref,
    substatement,
)

BOTH = tuple(Version)
V2 = (Version.V2_0_0,)


def change(value: Any, pointer: str, new: Any) -> Any:
    """A copy with one place replaced, added or (DROP) taken out."""
    changed = copy.deepcopy(value)
    tokens = [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]
    parent = changed
    for token in tokens[:-1]:
        parent = parent[int(token) if isinstance(parent, list) else token]
    last: Any = int(tokens[-1]) if isinstance(parent, list) else tokens[-1]
    if new is DROP:
        del parent[last]
    else:
        parent[last] = new
    return changed


def found(statement: object, version: Version, path: str = "") -> list[tuple[str, str]]:
    return [(problem.path, problem.rule) for problem in validate_statement(statement, version, path)]


@pytest.mark.parametrize("version", BOTH)
@pytest.mark.parametrize(("pointer", "value", "problems"), BROKEN)
def test_problem_is_told_when_one_place_is_wrong(
    version: Version, pointer: str, value: Any, problems: str | list[tuple[str, str]]
) -> None:
    expected = [(pointer, problems)] if isinstance(problems, str) else problems
    assert found(change(make_full_statement(), pointer, value), version) == expected


@pytest.mark.parametrize("version", BOTH)
@pytest.mark.parametrize(("object_", "problems"), BROKEN_OBJECTS)
def test_problem_is_told_when_an_object_of_another_kind_is_wrong(
    version: Version, object_: Any, problems: list[tuple[str, str]]
) -> None:
    assert found(make_statement(object=object_), version) == problems


@pytest.mark.parametrize(("context", "problems"), BROKEN_CONTEXT_ACTORS)
def test_problem_is_told_when_context_agents_are_wrong(
    context: dict[str, Any], problems: list[tuple[str, str]]
) -> None:
    assert found(make_statement(context=context), Version.V2_0_0) == problems


@pytest.mark.parametrize("version", BOTH)
@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/actor", {"mbox": "mailto:robin@example.org"}),
        ("/actor", {"mbox_sha1sum": LONG_SHA1.upper()}),
        ("/actor", {"openid": "https://robin.example.org/"}),
        ("/actor", {"account": {"homePage": "uuid://lms", "name": ""}}),
        ("/actor", group(mbox="mailto:g@example.org")),
        ("/actor", group(mbox="mailto:g@example.org", member=[])),
        ("/actor", group(member=[make_agent()])),
        ("/authority", make_agent()),
        ("/authority", group(member=[make_agent(1), make_agent(2)])),
        ("/verb", {"id": "tag:example.org,2026:verb"}),
        ("/verb/display", {}),
        ("/verb/display/zh-Hans-CN", ""),
        ("/object", {"id": "course-v1:EXAMPLE+00002+session01"}),
        ("/object/objectType", DROP),
        ("/object/definition", {}),
        ("/object/definition/correctResponsesPattern", []),
        ("/object/definition/scale", []),
        ("/object/definition/extensions", {"a:b": None, "a:c": {"": [None, {"x": {}}]}}),
        ("/result", {}),
        ("/result/score", {}),
        ("/result/score", {"scaled": -1, "raw": 1e300}),
        ("/result/score", {"scaled": 1.0, "min": -1, "raw": -1}),
        ("/result/duration", "P1DT12H36M0.12567S"),
        ("/context", {}),
        ("/context/instructor", group(member=[make_agent()])),
        ("/context/contextActivities", {}),
        ("/context/contextActivities/parent", []),
        ("/context/contextActivities/parent", make_activity()),
        ("/attachments", []),
        ("/attachments/0/fileUrl", DROP),
        ("/attachments/0/length", 0),
        ("/attachments/0/contentType", "text/plain; charset=ascii"),
        ("/attachments/0/contentType", 'multipart/mixed;boundary="a b"'),
        ("/attachments/0/sha2", "aB" * 64),
        ("/version", "1.0"),
        ("/version", "1.0.9"),
        ("/timestamp", "2999-03-02T09:30:00+00:00"),
        ("/id", make_statement_id(171).upper()),
        ("/id", DROP),
    ],
)
def test_statement_is_valid_when_a_place_is_only_unusual(version: Version, pointer: str, value: Any) -> None:
    assert found(change(make_full_statement(), pointer, value), version) == []


@pytest.mark.parametrize("version", BOTH)
@pytest.mark.parametrize(
    "object_",
    [
        make_agent(),
        group(member=[make_agent()]),
        statement_ref(),
        substatement(),
        substatement(object=statement_ref()),
        substatement(object=make_agent()),
        substatement(context={"platform": "x", "contextActivities": {"other": make_activity()}}),
    ],
)
def test_statement_is_valid_when_its_object_is_of_any_kind(version: Version, object_: Any) -> None:
    assert found(make_statement(object=object_), version) == []


@pytest.mark.parametrize("version", BOTH)
@pytest.mark.parametrize(
    "object_", [make_agent(), group(member=[make_agent()]), statement_ref(), substatement()]
)
def test_revision_and_platform_are_refused_when_the_object_is_no_activity(
    version: Version, object_: Any
) -> None:
    statement = make_statement(object=object_, context={"revision": "1", "platform": "x"})
    assert found(statement, version) == [
        ("/context/revision", "context.activity-only"),
        ("/context/platform", "context.activity-only"),
    ]


@pytest.mark.parametrize("value", [None, True, 1, "x", [], [{}]])
@pytest.mark.parametrize("version", BOTH)
def test_whole_value_is_named_when_it_is_no_object(version: Version, value: object) -> None:
    rule = "json.null" if value is None else "json.type"
    assert found(value, version, "/7") == [("/7", rule)]


@pytest.mark.parametrize("version", BOTH)
def test_voiding_needs_a_statement_ref_as_object(version: Version) -> None:
    verb = {"id": VOIDED}
    assert found(make_statement(verb=verb, object=statement_ref()), version) == []
    for object_ in (make_activity(), make_agent(), substatement()):
        assert found(make_statement(verb=verb, object=object_), version) == [("/object", "statement.voiding")]
    # A SubStatement voids nothing: it did not happen.
    assert found(make_statement(object=substatement(verb=verb)), version) == []


def test_context_agents_are_known_to_2_0_and_unknown_before() -> None:
    context = {
        "contextAgents": [context_agent(), {"objectType": "contextAgent", "agent": make_agent()}],
        "contextGroups": [context_group()],
    }
    assert found(make_statement(context=context), Version.V2_0_0) == []
    assert found(make_statement(object=substatement(context=context)), Version.V2_0_0) == []
    assert found(make_statement(context=context), Version.V1_0_3) == [
        ("/context/contextAgents", "property.unknown"),
        ("/context/contextGroups", "property.unknown"),
    ]


@pytest.mark.parametrize(
    ("text", "versions"),
    [
        ("1.0", BOTH),
        ("1.0.0", BOTH),
        ("1.0.10", BOTH),
        ("2.0.0", V2),
        ("2.0", V2),
        ("2.1.0", ()),
        ("1", ()),
        ("", ()),
    ],
)
def test_statement_version_is_accepted_when_it_is_spoken(text: str, versions: tuple[Version, ...]) -> None:
    assert (
        tuple(version for version in Version if not found(make_statement(version=text), version)) == versions
    )


@pytest.mark.parametrize(
    "text", ["2026-03-02T09:30:00", "2026-03-02T09:30Z", "20260302T093000Z", "2026-03-02T09:30:00+0100"]
)
def test_timestamp_beyond_rfc_3339_is_taken_by_1_0_3_alone(text: str) -> None:
    statement = make_statement(timestamp=text)
    assert found(statement, Version.V1_0_3) == []
    assert found(statement, Version.V2_0_0) == [("/timestamp", "timestamp.rfc3339")]


def test_every_problem_is_told_at_once_with_the_section_of_the_version() -> None:
    statement = make_statement(
        actor={"mbox": "x"}, verb={"display": {"en_US": 1}}, object={"id": "x"}, more=1
    )
    told = {version: validate_statement(statement, version, "/3") for version in Version}
    for version, problems in told.items():
        assert [(problem.path, problem.rule) for problem in problems] == [
            ("/3/actor/mbox", "agent.mbox"),
            ("/3/verb/display/en_US", "language.tag"),
            ("/3/verb/display/en_US", "json.type"),
            ("/3/verb", "verb.required"),
            ("/3/object/id", "iri.form"),
            ("/3/more", "property.unknown"),
        ]
        assert all(problem.spec.startswith(f"xAPI {version.removesuffix('.0')}") for problem in problems)
    assert told[Version.V1_0_3][0].spec == "xAPI 1.0.3 Data 2.4.2.3"
    assert told[Version.V2_0_0][0].spec == "xAPI 2.0 4.2.2.1"


def test_message_names_the_right_spelling_when_only_the_case_is_wrong() -> None:
    (problem,) = validate_statement(make_statement(Context={}), Version.V1_0_3)
    assert 'did you mean "context"' in problem.message


def test_message_says_no_more_than_needed_of_what_may_identify_a_person() -> None:
    actor = {
        "mbox": "mailto:quill of table 4@example.org",
        "openid": "quill of table 4",
        "mbox_sha1sum": "quill of table 4",
    }
    problems = validate_statement(make_statement(actor=actor), Version.V1_0_3)
    assert len(problems) == 4
    assert not any("quill" in problem.message for problem in problems)


def test_long_values_are_cut_in_messages() -> None:
    (problem,) = validate_statement(make_statement(timestamp="x" * 10_000), Version.V1_0_3)
    assert len(problem.message) < 250


@pytest.mark.parametrize("version", BOTH)
def test_statement_is_left_as_it_was_when_it_is_validated(version: Version) -> None:
    statement = make_full_statement(extra=None)
    before = copy.deepcopy(statement)
    validate_statement(statement, version)
    assert statement == before


@pytest.mark.parametrize("version", BOTH)
def test_batch_tells_every_bad_index_and_a_hundred_problems(version: Version) -> None:
    values: list[object] = [make_statement() if n % 2 else {"a": 1} for n in range(100)]
    problems, bad = validate_batch(values, version)
    assert bad == list(range(0, 100, 2))
    assert len(problems) == 100
    assert problems[0].path == "/0/a"
    assert problems[-1].path.startswith("/48")


@pytest.mark.parametrize("version", BOTH)
def test_batch_is_refused_when_an_id_comes_twice_in_whatever_case(version: Version) -> None:
    values = [
        make_statement(id=make_statement_id(171)),
        make_statement(),
        make_statement(id=make_statement_id(171).upper()),
        make_statement(id=make_statement_id(172)),
        make_statement(id=make_statement_id(171)),
        make_statement(),
    ]
    problems, bad = validate_batch(values, version)
    assert [(problem.path, problem.rule) for problem in problems] == [
        ("/2/id", "batch.unique-id"),
        ("/4/id", "batch.unique-id"),
    ]
    assert bad == [2, 4]
    assert (
        problems[0].spec
        == {
            Version.V1_0_3: "xAPI 1.0.3 Communication 2.1.2",
            Version.V2_0_0: "xAPI 2.0 4.1.6.1",
        }[version]
    )


def test_no_more_problems_are_looked_for_than_are_told() -> None:
    crowd = make_statement(actor={"objectType": "Group", "member": [1] * 1000})
    problems = validate_statement(crowd, Version.V1_0_3)
    assert [problem.path for problem in problems] == [f"/actor/member/{n}" for n in range(100)]
    told, bad = validate_batch([crowd, make_statement(), *[crowd] * 3], Version.V1_0_3)
    assert (len(told), told[99].path, bad) == (100, "/0/actor/member/99", [0, 2, 3, 4])


@pytest.mark.parametrize("values", [[], [make_statement()], [make_statement(), make_statement()]])
def test_batch_is_good_when_its_statements_are(values: list[object]) -> None:
    assert validate_batch(values, Version.V1_0_3) == ([], [])


def test_every_rule_for_statements_is_broken_by_a_case_here() -> None:
    tried = {problems for *_, problems in BROKEN if isinstance(problems, str)}
    for *_, problems in (*BROKEN, *BROKEN_OBJECTS, *BROKEN_CONTEXT_ACTORS):
        tried |= set() if isinstance(problems, str) else {rule for _, rule in problems}
    elsewhere = {"statement.voiding", "timestamp.rfc3339", "batch.unique-id", "group.identified"}
    elsewhere |= {rule for rule in RULES if rule.startswith(("body.", "part.", "signature."))}
    about_bytes = {"attachment.data", "attachment.refused"}
    assert tried | elsewhere | about_bytes == set(RULES)
