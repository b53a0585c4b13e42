"""A file of attendance as a source: always read whole, its lines gathered by key."""

import json
from collections.abc import Callable, Iterator, Sequence

from connectors.base import Json, Page, Row, Sink
from connectors.csv.config import read_csv_config
from connectors.csv.mapping import map_row
from connectors.csv.model import Choice, CsvConfig, holes
from connectors.csv.table import Line, Table, read_table
from lrs.errors import InvalidBody, InvalidImport, Problem

PAGE_ROWS = 500


class CsvConnector:
    """See ``connectors.base.Connector``.

    Args:
        load: Gives the file's bytes.
        config: As docs/formats.md has it.

    Raises:
        InvalidImport: The configuration is wrong.
    """

    def __init__(self, load: Callable[[], bytes], config: object) -> None:
        """Read the configuration, and nothing else yet."""
        self._load = load
        self._config = read_csv_config(config)

    @property
    def gives_all(self) -> bool:
        """Whether the configuration says that every file is the whole (``full``)."""
        return self._config.gives_all

    def check(self) -> str:
        """Read the file once; say what is in it."""
        table = self._table()
        return f"{len(table.lines) + len(table.broken):,} lines with the columns {', '.join(table.columns)}."

    def read(self, cursor: Json | None) -> Iterator[Page]:  # noqa: ARG002 - a file has no place to go on from
        """Give the file's rows, in the order of their first lines."""
        rows = gather(self._table(), self._config)
        if self.gives_all and not rows:
            raise InvalidBody(
                "The file holds no lines; as the whole of a source that would delete everything."
            )
        for at in range(0, len(rows), PAGE_ROWS):
            yield Page(rows[at : at + PAGE_ROWS])

    def map(self, row: Row, sink: Sink) -> None:
        """Hand over what a row's lines become."""
        map_row(row, self._config, sink)

    def _table(self) -> Table:
        table = read_table(self._load(), self._config.form, self._config.limits)
        check_columns(table, self._config)
        return table


def check_columns(table: Table, config: CsvConfig) -> None:
    """Hold the columns that a configuration names against those of the file.

    Raises:
        InvalidImport: One is not there, or stands there twice.
    """
    problems = []
    there = ", ".join(map(repr, table.columns))
    for name, path in config.columns.items():
        count = table.columns.count(name)
        if count == 0:
            problems.append(
                Problem(path, "config.column", f"There is no column {name!r}; there are {there}.")
            )
        elif count > 1:
            problems.append(
                Problem(path, "config.column", f"The column {name!r} stands {count} times in the file.")
            )
    if problems:
        raise InvalidImport("The configuration names columns that the file does not have.", problems)


def gather(table: Table, config: CsvConfig) -> Sequence[Row]:
    """Gather lines by key: rows in the order of their first lines, broken lines last."""
    width = len(table.columns)
    named = key_columns(config)
    places = [table.columns.index(name) for name in named]
    by_key: dict[str, dict[str, dict[str, str]]] = {}
    broken = [(one.number, one.text, one.reason) for one in table.broken]
    for line in table.lines:
        if len(line.cells) > width and any(line.cells[width:]):
            reason = f"it has {len(line.cells)} cells, and the header {width}."
            broken.append((line.number, ";".join(line.cells), reason))
            continue
        key = json.dumps([_cell(line, at) for at in places], ensure_ascii=False)
        cells = {name: _cell(line, at) for at, name in enumerate(table.columns) if name and _cell(line, at)}
        by_key.setdefault(key, {})[str(line.number)] = cells
    rows = [Row(key, _place(list(lines)), {"lines": lines}, len(lines)) for key, lines in by_key.items()]
    return rows + [_broken_row(*one) for one in sorted(broken)]


def key_columns(config: CsvConfig) -> Sequence[str]:
    """Return the columns that say which row it is: named ones, or who, what and when."""
    if config.key or (config.group and config.group.by):
        return config.key or (config.group.by if config.group else ())
    found = [config.date, config.time, *_columns_of(config.activity)]
    if config.group:
        found += holes(config.group.name)
    else:
        actor = config.actor
        found += [actor.mbox, actor.mbox_sha1, actor.openid, actor.account]
    return list(dict.fromkeys(name for name in found if name))


def _columns_of(choice: Choice) -> Sequence[str | None]:
    things = [choice.otherwise, *choice.table.values()]
    return [choice.column, *(hole for thing in things if thing for hole in holes(thing["id"]))]


def _cell(line: Line, at: int) -> str:
    return line.cells[at] if at < len(line.cells) else ""


def _place(numbers: Sequence[str]) -> str:
    shown = ", ".join(numbers[:10]) + (", …" if len(numbers) > 10 else "")  # noqa: PLR2004 - enough to find them
    return f"line {shown}" if len(numbers) == 1 else f"lines {shown}"


def _broken_row(number: int, text: str, reason: str) -> Row:
    content = {"broken": {"line": number, "text": text, "reason": reason}}
    return Row(f"broken {text}", f"line {number}", content)
