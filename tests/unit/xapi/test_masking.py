"""What is kept of a refusal holds nothing that looks like more than a name."""

import pytest

from lrs.errors import InvalidStatement, Problem
from lrs.xapi.checks import show
from lrs.xapi.masking import mask_detail, mask_pointer, mask_problem
from lrs.xapi.statement import validate_statement
from lrs.xapi.versions import Version


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("", ""),
        ("/actor/mbox", "/actor/mbox"),
        ("/3/object/definition/name/en-US", "/3/object/definition/name/en-US"),
        ("/context/extensions/http:~1~1example.org~1x", "/context/extensions/http:~1~1example.org~1x"),
        ("/actor/maria@example.org", "/actor/…"),
        ("/Maria Example/mbox", "/…/mbox"),
        ("/a/" + "x" * 64, "/a/" + "x" * 64),
        ("/a/" + "x" * 65 + "/b", "/a/…/b"),
        ("/a/mailto:maria%40example.org", "/a/…"),
        ("statementId", "statementId"),
        ("maria@example.org", "…"),
    ],
)
def test_pointer_is_kept_without_what_may_be_about_a_person(path: str, kept: str) -> None:
    assert mask_pointer(path) == kept


NAMES = [
    "maria@example.org",
    "Maria Example",
    'it\'s Maria "Example"',
    "a/b~c@example.org",
    "x" * 70 + "maria",
    "Maria\n" + "y" * 100,
    "é@\u0007",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("at", ["", "verb", "object"])
def test_refusal_is_kept_without_the_name_of_an_unknown_property(name: str, at: str) -> None:
    statement = {
        "actor": {"mbox": "mailto:a@example.org"},
        "verb": {"id": "http://example.org/v"},
        "object": {"id": "http://example.org/o"},
    }
    (statement[at] if at else statement)[name] = 1  # type: ignore[index]
    [problem] = validate_statement(statement, Version.V1_0_3)
    assert show(name) in problem.message
    kept = mask_problem(problem)
    assert kept.message.startswith("… is not a property of ")
    assert kept.path == (f"/{at}/…" if at else "/…")
    assert mask_detail(problem.message, [problem]) == kept.message


@pytest.mark.parametrize("value", NAMES)
def test_refusal_is_kept_without_the_value_that_a_message_quotes(value: str) -> None:
    statement = {
        "id": value,
        "actor": {"mbox": "mailto:a@example.org"},
        "verb": {"id": "http://example.org/v", "display": {value: "x"}},
        "object": {"id": "http://example.org/o"},
    }
    kept = [mask_problem(one) for one in validate_statement(statement, Version.V1_0_3)]
    assert [one.path for one in kept] == ["/id", "/verb/display/…"]
    assert [one.message.partition(":")[0] for one in kept] == ["…", "…"]
    assert all(len(one.message) > 30 for one in kept)


def test_message_is_kept_whole_when_it_quotes_nothing_but_plain_names() -> None:
    for message in ('"actor" is missing; a statement needs it.', "'PT1': this is not RFC 5646's form."):
        problem = Problem("/actor", "x", message)
        assert mask_problem(problem) == problem


def test_detail_is_kept_without_the_place_that_it_names() -> None:
    problem = Problem("/a/maria~1@example.org", "body.duplicate-key", "This name comes twice.")
    error = InvalidStatement(f"A name comes twice, first at {problem.path}; give it once.", [problem])
    assert mask_detail(error.detail, error.problems) == "A name comes twice, first at /a/…; give it once."


def test_message_stands_when_a_name_is_a_mere_blank() -> None:
    problem = Problem("/ ", "property.unknown", "' ' is not a property of a verb; so it is.")
    assert mask_problem(problem).message == "… is not a property of a verb; so it is."
