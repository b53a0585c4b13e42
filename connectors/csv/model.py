"""What the columns of a file mean, as plain values; ``config`` reads them."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from connectors.base import Json
from connectors.csv.table import Form, Limits
from connectors.csv.values import DateOrder

HOLE = re.compile(r"\{([^{}]+)\}")
"""A column that a text names."""


@dataclass(frozen=True, slots=True)
class Agent:
    """Where somebody stands: columns, or an agent that is the same in every line."""

    mbox: str | None = None
    mbox_sha1: str | None = None
    openid: str | None = None
    home_page: str | None = None
    account: str | None = None
    name: str | None = None
    fixed: Json | None = None


@dataclass(frozen=True, slots=True)
class GroupRule:
    """How several persons become one statement.

    Attributes:
        separator: Between several in one cell; empty where each stands in a line of its own.
        name: The text, or column in braces, that names the group.
        by: The columns that are the same in all lines of one group; empty for the usual ones.
    """

    separator: str = ""
    name: str = ""
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RosterRule:
    """Where a line says who somebody is: columns, beside those of the actor."""

    id: str
    birth_date: str | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """A value by what stands in a column, or the same one for every line (``otherwise`` alone)."""

    column: str | None
    table: Mapping[str, Any]
    otherwise: Any = None
    has_otherwise: bool = False


@dataclass(frozen=True, slots=True)
class Score:
    """Where a rating stands, and between what it lies."""

    column: str
    least: Decimal | None
    most: Decimal | None


@dataclass(frozen=True, slots=True)
class CsvConfig:
    """A configuration, checked; its columns are held against the file's when that is read."""

    form: Form
    limits: Limits
    decimal: str
    dates: DateOrder
    zone: ZoneInfo
    usual_time: time
    gives_all: bool
    language: str
    key: tuple[str, ...]
    skip: Mapping[str, frozenset[str]]
    actor: Agent
    group: GroupRule | None
    date: str
    time: str | None
    verb: Choice
    activity: Choice
    related: Mapping[str, Sequence[Json]]
    duration: tuple[str, str] | None
    score: Score | None
    success: Choice | None
    completion: Choice | None
    response: str | None
    instructor: Agent | None
    voucher: str | None
    platform: str | None
    extensions: Mapping[str, str]
    roster: RosterRule | None
    columns: Mapping[str, str] = field(default_factory=dict)
    """Every column that is named, with the pointer to where."""


def fill(template: str, cell: Callable[[str], str]) -> str:
    """Put what stands in the columns that a text names into it."""
    return HOLE.sub(lambda hole: cell(hole[1]), template)


def holes(template: str) -> Sequence[str]:
    """Return the columns that a text names in braces."""
    return HOLE.findall(template)
