"""Every error, its status and its code stand in docs/errors.md."""

from lrs import errors
from lrs.web.kinds import KINDS
from tests.docs.pages import ERRORS, render_errors


def subclasses(cls: type[errors.LrsError]) -> set[type[errors.LrsError]]:
    return {cls}.union(*(subclasses(one) for one in cls.__subclasses__() if one.__module__ == "lrs.errors"))


def test_page_says_what_the_tables_say() -> None:
    assert ERRORS.read_text(encoding="utf-8") == render_errors(), "python -m tests.docs.pages writes it"


def test_every_error_of_the_tree_has_its_line_and_a_code_of_its_own() -> None:
    tree = subclasses(errors.LrsError)
    assert tree == set(KINDS)
    assert len({one.code for one in tree}) == len(tree)
