"""Agents and Groups by themselves, as a query parameter holds them."""

from typing import Any

import pytest

from lrs.xapi.actor import validate_agent
from lrs.xapi.versions import Version
from tests.factories import make_agent

ANONYMOUS = {"objectType": "Group", "member": [make_agent()]}
IDENTIFIED = {"objectType": "Group", "mbox": "mailto:table4@example.org"}


@pytest.mark.parametrize("version", list(Version))
@pytest.mark.parametrize("value", [make_agent(), IDENTIFIED, ANONYMOUS])
def test_agent_or_group_is_valid_by_itself(version: Version, value: dict[str, Any]) -> None:
    assert validate_agent(value, version, "") == []


def test_group_without_identifier_is_refused_when_it_must_be_identified() -> None:
    assert validate_agent(make_agent(), Version.V1_0_3, "agent", identified=True) == []
    assert validate_agent(IDENTIFIED, Version.V1_0_3, "agent", identified=True) == []
    (problem,) = validate_agent(ANONYMOUS, Version.V1_0_3, "agent", identified=True)
    assert (problem.path, problem.rule) == ("agent", "group.identified")
    assert problem.spec == "xAPI 1.0.3 Communication 2.1.3"


@pytest.mark.parametrize("identified", [True, False])
@pytest.mark.parametrize(
    ("value", "problems"),
    [
        ({}, [("agent", "agent.one-ifi")]),
        (None, [("agent", "json.null")]),
        ("mailto:robin@example.org", [("agent", "json.type")]),
        ({"mbox": "robin"}, [("agent/mbox", "agent.mbox")]),
        ({"objectType": "Group", "member": []}, [("agent", "group.member")]),
        ({"objectType": "Group", "member": [{}]}, [("agent/member/0", "agent.one-ifi")]),
        ({"name": ["x"]}, [("agent/name", "json.type"), ("agent", "agent.one-ifi")]),
        ({"objectType": "x"}, [("agent/objectType", "agent.object-type"), ("agent", "agent.one-ifi")]),
    ],
)
def test_problem_is_told_below_the_name_that_is_given(
    identified: bool, value: object, problems: list[tuple[str, str]]
) -> None:
    found = validate_agent(value, Version.V2_0_0, "agent", identified=identified)
    assert [(problem.path, problem.rule) for problem in found] == problems
