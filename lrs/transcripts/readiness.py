"""Is a transcript ready, and what is missing: the first question of whoever sends one. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Left:
    """Something that is there and is not on the transcript; ``what`` names it, ``why`` says why not."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Readiness:
    """The answer.

    Attributes:
        missing: What must be there before a transcript can be sent, in words.
        left_out: What could not be translated, and may never be.
        not_shared: Partners of whom nothing is here.
    """

    missing: tuple[str, ...]
    left_out: tuple[Left, ...]
    not_shared: tuple[str, ...]

    @property
    def is_ready(self) -> bool:
        """Whether nothing stands against sending it."""
        return not self.missing

    @property
    def is_whole(self) -> bool:
        """Whether everything that was begun is on it."""
        return not self.missing and not self.left_out and not self.not_shared


def readiness_of(document: Json) -> Readiness:
    """Read the answer out of a transcript."""
    untranslated = document["untranslated"]
    return Readiness(
        missing=tuple(_missing(document)),
        left_out=tuple(Left(one["course"]["title"], one["why"]) for one in untranslated if "course" in one),
        not_shared=tuple(one["institution"] for one in untranslated if one["kind"] == "not-shared"),
    )


def _missing(document: Json) -> list[str]:
    learner = document["learner"]
    missing = []
    if not learner["onRoster"]:
        missing.append("This learner is not on the school's roster. Import the roster that has them.")
    else:
        if not learner["name"]:
            missing.append("The school's roster has no name for this learner.")
        if not learner["birthDate"]:
            missing.append("The school's roster has no birth date for this learner.")
    if not document["lines"] and not document["courses"]:
        missing.append("Nothing has led to a course or a credit yet.")
    return missing
