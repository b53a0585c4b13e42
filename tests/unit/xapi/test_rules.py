"""The table of rules that the documentation is made of."""

import re
from pathlib import Path

import pytest

from lrs.xapi.rules import RULES, make_problem
from lrs.xapi.versions import Version

SOURCES = Path(__file__).resolve().parents[3] / "lrs" / "xapi"
PURE = (
    "reader",
    "checks",
    "actor",
    "activity",
    "result",
    "context",
    "attachment",
    "attachments",
    "signature",
    "statement",
)


def test_every_rule_has_a_name_a_meaning_and_a_section_of_each_version() -> None:
    for name, rule in RULES.items():
        assert re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*\.[a-z0-9]+(?:-[a-z0-9]+)*", name)
        assert re.fullmatch(r"[A-Z].*\.", rule.meaning)
        assert set(rule.sections) == set(Version)
        assert all(
            re.fullmatch(r"(?:xAPI (?:1\.0\.3|2\.0)|RFC \d+) .+", text) for text in rule.sections.values()
        )


def test_problem_cannot_be_made_when_its_rule_is_not_listed() -> None:
    with pytest.raises(KeyError):
        make_problem(Version.V1_0_3, "", "statement.unheard-of", "No.")


def test_rules_that_the_code_names_are_those_that_are_listed() -> None:
    text = "".join((SOURCES / f"{name}.py").read_text() for name in PURE)
    prefixes = "|".join({name.partition(".")[0] for name in RULES})
    named = set(re.findall(rf'"((?:{prefixes})\.[a-z0-9-]+)"', text))
    assert named == set(RULES)
