"""From the lines of one key to statements, by nothing but their cells and the configuration."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote

import orjson

from connectors.base import Json, Mapped, RosterFact, Row, Sink
from connectors.config import pointer
from connectors.csv.model import Agent, Choice, CsvConfig, RosterRule, Score, fill
from connectors.csv.values import (
    duration_text,
    fold,
    place_in_zone,
    plain,
    read_date,
    read_duration,
    read_moment,
    read_number,
    read_time,
    split_cell,
)
from lrs.errors import Problem
from lrs.vouchers import VOUCHER

_T = TypeVar("_T")
_MAIL = re.compile(r"[^\s@<>:,;\"()\[\]\\]+@[^\s@<>:,;\"()\[\]\\]+")
_SHA1 = re.compile(r"[0-9a-fA-F]{40}")
_SHOWN = 8

Cells = Mapping[str, str]


class Unwanted(Exception):
    """A line that the configuration says is not wanted."""


@dataclass(slots=True)
class _Line:
    """One line being read: what stands in it, and what is wrong with it."""

    number: str
    cells: Cells
    problems: list[Problem] = field(default_factory=list)

    def cell(self, column: str) -> str:
        return self.cells.get(column, "")

    def wrong(self, column: str, rule: str, message: str) -> None:
        path = pointer(pointer("/lines", self.number), column)
        self.problems.append(Problem(path, f"csv.{rule}", f"Line {self.number}, {column}: {message}"))

    def read(self, column: str, rule: str, reader: Callable[[str], _T], text: str | None = None) -> _T | None:
        """Read a cell, or a part of it; what is wrong with it is noted."""
        try:
            return reader(self.cell(column) if text is None else text)
        except ValueError as error:
            self.wrong(column, rule, str(error))
            return None


@dataclass(frozen=True, slots=True)
class _Told:
    """What a line tells: who, in what group, and everything else of the statement."""

    number: str
    people: Sequence[Json]
    group: str
    rest: Json


def map_row(row: Row, config: CsvConfig, sink: Sink) -> None:
    """Hand over what the lines of one key become.

    Lines that tell the same of several persons are one Group statement where groups are asked for.
    """
    if "broken" in row.content:
        _keep_broken(row, sink)
        return
    told: dict[str, list[_Told]] = {}
    for number, cells in row.content["lines"].items():
        one = _tell(row, _Line(number, cells), config, sink)
        if one is not None:
            told.setdefault(_alike(one, config), []).append(one)
    for alike in told.values():
        _note_repeated(row, alike, sink)
        for statement in _statements(alike, config):
            sink.statement(row, Mapped(_text(statement).encode()))


def _alike(told: _Told, config: CsvConfig) -> str:
    """Return a text that is the same for the lines that make one statement."""
    alone = sorted(map(_text, told.people)) if config.group and config.group.separator else []
    return _text({"group": told.group, "alone": alone, **told.rest})


def _keep_broken(row: Row, sink: Sink) -> None:
    broken = row.content["broken"]
    message = f"Line {broken['line']} cannot be read: {broken['reason']}"
    sink.aside(row, message, [Problem(f"/lines/{broken['line']}", "csv.line", message)])


def _tell(row: Row, line: _Line, config: CsvConfig, sink: Sink) -> _Told | None:
    try:
        told = _read_line(line, config)
    except Unwanted as reason:
        sink.aside(row, f"Line {line.number}: {reason}")
        return None
    fact = _roster_fact(line, config.roster, config) if config.roster is not None else None
    if line.problems:
        sink.aside(row, line.problems[0].message, line.problems)
        return None
    if fact is not None:
        sink.roster(row, fact)
    return told


def _note_repeated(row: Row, alike: Sequence[_Told], sink: Sink) -> None:
    """Keep aside the lines that say nothing that another one of their key has not said."""
    said: set[str] = set()
    for one in alike:
        people = set(map(_text, one.people))
        if people <= said:
            sink.aside(row, f"Line {one.number} says the same as a line before it.")
        said |= people


def _statements(alike: Sequence[_Told], config: CsvConfig) -> Sequence[Json]:
    """Join what is told alike of several; the order of lines does not matter."""
    people = {_text(person): person for one in alike for person in one.people}
    ordered = [people[text] for text in sorted(people)]
    rest = alike[0].rest
    if config.group is None or (config.group.separator and len(ordered) == 1):
        return [{"actor": person, **rest} for person in ordered]
    group: Json = {"objectType": "Group"}
    if alike[0].group:
        group["name"] = alike[0].group
    return [{"actor": {**group, "member": ordered}, **rest}]


def _read_line(line: _Line, config: CsvConfig) -> _Told:
    for column, unwanted in config.skip.items():
        if fold(line.cell(column)) in unwanted:
            raise Unwanted(f"{line.cell(column)!r} in {column} is not wanted.")
    people = _people(line, config)
    verb = _thing(line, config.verb, config.language, as_verb=True)
    activity = _thing(line, config.activity, config.language)
    rest: Json = {"verb": verb, "object": activity}
    if result := _result(line, config):
        rest["result"] = result
    if context := _context(line, config):
        rest["context"] = context
    rest["timestamp"] = _timestamp(line, config)
    group = fill(config.group.name, line.cell).strip() if config.group else ""
    return _Told(line.number, people, group, rest)


def _people(line: _Line, config: CsvConfig) -> Sequence[Json]:
    separator = config.group.separator if config.group else ""
    rule = config.actor
    if not separator:
        found = _agent(line, rule, line.cell)
        if found is None and not line.problems:
            columns = [name for name in (rule.mbox, rule.mbox_sha1, rule.openid, rule.account) if name]
            line.wrong(columns[0], "nobody", f"nobody can be identified: {', '.join(columns)} empty.")
        return [found] if found else []
    return _people_of_cells(line, rule, separator)


def _people_of_cells(line: _Line, rule: Agent, separator: str) -> Sequence[Json]:
    """Split the cells that name several; names go with identifiers where there are as many."""
    columns = [name for name in (rule.mbox, rule.mbox_sha1, rule.openid, rule.account) if name]
    column = next((one for one in columns if line.cell(one)), None)
    if column is None:
        line.wrong(columns[0], "nobody", f"nobody is named: {', '.join(columns)} empty.")
        return []
    parts = split_cell(line.cell(column), separator)
    names = split_cell(line.cell(rule.name), separator) if rule.name else []
    paired = names if len(names) == len(parts) else [""] * len(parts)
    found = []
    for part, name in zip(parts, paired, strict=True):
        cells = {column: part, **({rule.name: name} if rule.name else {})}
        agent = _agent(line, rule, _Line(line.number, cells).cell, column)
        if agent:
            found.append(agent)
    return found


def _agent(line: _Line, rule: Agent, cell: Callable[[str], str], where: str = "") -> Json | None:
    """Return who is named, None where nobody is."""
    if rule.fixed is not None:
        return rule.fixed
    found: Json = {"objectType": "Agent"}
    if rule.name and cell(rule.name):
        found["name"] = cell(rule.name)
    for column, read in (
        (rule.mbox, _mbox),
        (rule.mbox_sha1, _sha1),
        (rule.openid, lambda text: {"openid": text}),
        (rule.account, lambda text: {"account": {"homePage": rule.home_page, "name": text}}),
    ):
        if column and cell(column):
            identifier = line.read(where or column, "identifier", read, cell(column))
            return {**found, **identifier} if identifier else None
    return None


def _mbox(text: str) -> Json:
    bare = text.removeprefix("mailto:")
    if not _MAIL.fullmatch(bare):
        raise ValueError(f"{text[:60]!r} is no e-mail address.")
    return {"mbox": f"mailto:{bare}"}


def _sha1(text: str) -> Json:
    if not _SHA1.fullmatch(text):
        raise ValueError(f"{text[:60]!r} is no SHA-1 of a mailto IRI.")
    return {"mbox_sha1sum": text.lower()}


def _choose(line: _Line, choice: Choice) -> Any:
    """Return what a column's content means."""
    if choice.column is None:
        return choice.otherwise
    cell = line.cell(choice.column)
    found = choice.table.get(fold(cell), choice.otherwise if choice.has_otherwise else choice)
    if found is choice:
        known = ", ".join(list(choice.table)[:_SHOWN])
        line.wrong(
            choice.column, "unknown-value", f"the table does not know {cell[:60]!r}; it knows {known}."
        )
        return None
    return found


def _thing(line: _Line, choice: Choice, language: str, *, as_verb: bool = False) -> Json:
    """Make the verb, or an activity."""
    before = len(line.problems)
    found = _choose(line, choice)
    if found is None:
        if len(line.problems) > before:
            return {}
        raise Unwanted(f"{line.cell(choice.column or '')!r} in {choice.column} is not wanted.")
    return _make_thing(line, found, language, as_verb=as_verb)


def _make_thing(line: _Line, thing: Json, language: str, *, as_verb: bool = False) -> Json:
    made: Json = {"id": fill(thing["id"], lambda column: _in_iri(line, column))}
    name = thing.get("name")
    names = {language: name} if isinstance(name, str) else name
    display = {tag: text for tag, one in (names or {}).items() if (text := fill(one, line.cell).strip())}
    if as_verb:
        return {**made, "display": display} if display else made
    definition: Json = {"name": display} if display else {}
    if "type" in thing:
        definition["type"] = fill(thing["type"], lambda column: _in_iri(line, column))
    made["objectType"] = "Activity"
    return {**made, "definition": definition} if definition else made


def _in_iri(line: _Line, column: str) -> str:
    text = line.cell(column)
    if not text:
        line.wrong(column, "empty", "something must stand here; it is part of an IRI.")
    return quote(text, safe="")


def _result(line: _Line, config: CsvConfig) -> Json:
    result: Json = {}
    if config.score is not None and line.cell(config.score.column):
        score = config.score
        found = line.read(score.column, "score", lambda text: _score(text, score, config.decimal))
        if found:
            result["score"] = found
    for name, choice in (("success", config.success), ("completion", config.completion)):
        flag = _choose(line, choice) if choice is not None else None
        if flag is not None:
            result[name] = flag
    if config.response and line.cell(config.response):
        result["response"] = line.cell(config.response)
    if config.duration is not None and line.cell(config.duration[0]):
        column, unit = config.duration
        seconds = line.read(column, "duration", lambda text: read_duration(text, unit, config.decimal))
        if seconds is not None:
            result["duration"] = duration_text(seconds)
    return result


def _score(text: str, score: Score, decimal: str) -> Json:
    raw = read_number(text, decimal)
    found: Json = {"raw": plain(raw)}
    if (score.least is not None and raw < score.least) or (score.most is not None and raw > score.most):
        raise ValueError(f"{text!r} is not between {score.least} and {score.most}.")
    if score.least is not None:
        found["min"] = plain(score.least)
    if score.most is not None:
        found["max"] = plain(score.most)
    if score.least is not None and score.most is not None:
        scaled = (raw - score.least) / (score.most - score.least)
        found["scaled"] = plain(round(scaled, 4))
    return found


def _context(line: _Line, config: CsvConfig) -> Json:
    context: Json = {}
    if config.instructor is not None:
        instructor = _agent(line, config.instructor, line.cell)
        if instructor:
            context["instructor"] = instructor
    if config.platform:
        context["platform"] = config.platform
    if config.related:
        context["contextActivities"] = {
            kind: [_make_thing(line, one, config.language) for one in things]
            for kind, things in config.related.items()
        }
    extensions = {iri: text for iri, column in config.extensions.items() if (text := line.cell(column))}
    if config.voucher:
        extensions[VOUCHER] = config.voucher
    if extensions:
        context["extensions"] = extensions
    return context


def _timestamp(line: _Line, config: CsvConfig) -> str:
    if not line.cell(config.date):
        line.wrong(config.date, "date", "the date is missing.")
        return ""
    if config.time and line.cell(config.time):
        day = line.read(config.date, "date", lambda text: read_date(text, config.dates))
        at = line.read(config.time, "time", read_time)
        if day is None or at is None:
            return ""
        moment = line.read(config.time, "time", lambda _: place_in_zone(day, at, config.zone))
    else:
        moment = line.read(
            config.date, "date", lambda text: read_moment(text, config.dates, config.usual_time, config.zone)
        )
    return moment.isoformat().replace("+00:00", "Z") if moment else ""


def _roster_fact(line: _Line, rule: RosterRule, config: CsvConfig) -> RosterFact | None:
    """Return every identifier that the line gives one person, with what it says of them."""
    if not line.cell(rule.id):
        return None
    actor = config.actor
    readers: Sequence[tuple[str | None, Callable[[str], str]]] = (
        (actor.mbox, lambda text: f"mbox {_mbox(text)['mbox']}"),
        (actor.mbox_sha1, lambda text: f"mbox_sha1sum {_sha1(text)['mbox_sha1sum']}"),
        (actor.openid, lambda text: f"openid {text}"),
        (actor.account, lambda text: f"account {actor.home_page} {text}"),
    )
    identifiers = [
        found
        for column, read in readers
        if column and line.cell(column) and (found := line.read(column, "identifier", read))
    ]
    born = None
    if rule.birth_date and line.cell(rule.birth_date):
        born = line.read(rule.birth_date, "date", lambda text: str(read_date(text, config.dates)))
    name = line.cell(actor.name) if actor.name else ""
    groups = (line.cell(rule.group),) if rule.group and line.cell(rule.group) else ()
    return RosterFact(line.cell(rule.id), name, tuple(identifiers), born, groups)


def _text(value: Json) -> str:
    return orjson.dumps(value).decode()
