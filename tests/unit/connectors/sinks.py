"""A sink that remembers, and short ways to a CSV connector."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.base import Connector, Mapped, RosterFact, Row
from connectors.csv.connector import CsvConnector
from lrs.errors import Problem

ATTENDED = "http://adlnet.gov/expapi/verbs/attended"
CARDS = "https://museum.example.org/cards"
CONFIG: dict[str, Any] = {
    "actor": {
        "mbox": "E-Mail",
        "account": {"homePage": CARDS, "column": "Karte"},
        "name": "Kind",
    },
    "when": {"date": "Datum"},
    "zone": "Europe/Madrid",
    "dates": "day-first",
    "verb": ATTENDED,
    "activity": {"id": "https://museum.example.org/workshops/{Workshop}", "name": "{Workshop}"},
}
HEADER = "Datum;Kind;E-Mail;Karte;Workshop"


@dataclass
class Remembering:
    """What came through each inlet."""

    statements: list[dict[str, Any]] = field(default_factory=list)
    facts: list[RosterFact] = field(default_factory=list)
    wrong: list[tuple[str, Sequence[Problem]]] = field(default_factory=list)
    unwanted: list[str] = field(default_factory=list)

    def statement(self, row: Row, mapped: Mapped) -> None:
        self.statements.append(json.loads(mapped.text))

    def roster(self, row: Row, fact: RosterFact) -> None:
        self.facts.append(fact)

    def aside(self, row: Row, reason: str, problems: Sequence[Problem] = (), count: int = 1) -> None:
        if problems:
            self.wrong.append((reason, problems))
        else:
            self.unwanted.append(reason)

    @property
    def reasons(self) -> list[str]:
        return [reason for reason, _ in self.wrong]


def drain(connector: Connector, cursor: Any = None) -> Remembering:
    """Read everything, and map it."""
    sink = Remembering()
    for page in connector.read(cursor):
        for row in page.rows:
            connector.map(row, sink)
    return sink


def read_csv(*lines: str, encoding: str = "utf-8", header: str = HEADER, **changes: Any) -> Remembering:
    """Map lines under the usual header with the usual configuration and changes to it."""
    content = "\r\n".join([header, *lines]).encode(encoding)
    config = {name: value for name, value in {**CONFIG, **changes}.items() if value is not None}
    return drain(CsvConnector(lambda: content, config))
