"""A spreadsheet means the same in any order of its lines; whatever bytes come, the reader ends in words."""

import json
import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectors.csv.connector import CsvConnector
from connectors.csv.table import AUTO, Form, Limits, read_table
from lrs.errors import LrsError
from tests.unit.connectors.sinks import CONFIG, HEADER, drain

_CELLS = st.sampled_from(["", "Mia", "Bo", "x@example.org", "7", "8|9", "Löten; & Co", '"quoted"', "a\nb"])
_DAYS = st.sampled_from(["03.05.2026", "04.05.2026 10:30", "31.02.2026", "", "2026-05-03"])
_HOURS = st.sampled_from(["", "1", "1,5", "1:30", "-1", "x"])
_LINES = st.lists(st.tuples(_DAYS, _CELLS, _CELLS, _CELLS, _CELLS, _HOURS), max_size=12)
_GROUPS = st.sampled_from(
    [None, {"name": "{Workshop}"}, {"separator": "|"}, {"by": ["Datum", "Workshop"], "name": "Class"}]
)
_LIMITS = Limits(file_bytes=100_000, lines=500, cell=1000)


def _file(lines: list[tuple[str, ...]]) -> bytes:
    quoted = (";".join('"' + cell.replace('"', '""') + '"' for cell in line) for line in lines)
    return "\n".join([f"{HEADER};Std", *quoted]).encode()


def _mapped(lines: list[tuple[str, ...]], group: Any) -> tuple[list[str], int]:
    config = {**CONFIG, "duration": {"column": "Std"}, **({"group": group} if group else {})}
    sink = drain(CsvConnector(lambda: _file(lines), config))
    return sorted(map(json.dumps, sink.statements)), len(sink.wrong)


@given(_LINES, _GROUPS, st.randoms(use_true_random=False))
def test_lines_in_any_order_give_the_same_statements(lines: Any, group: Any, chance: random.Random) -> None:
    shuffled = list(lines)
    chance.shuffle(shuffled)
    assert _mapped(shuffled, group) == _mapped(lines, group)


@given(
    st.binary(max_size=2000) | st.text('";,\t\r\n\0aé1.', max_size=2000).map(str.encode),
    st.sampled_from([AUTO, ";", ",", "\t"]),
    st.sampled_from([AUTO, "utf-8", "cp1252"]),
)
def test_random_bytes_are_read_or_refused_in_words(content: bytes, delimiter: str, encoding: str) -> None:
    try:
        table = read_table(content, Form(delimiter, encoding), _LIMITS)
    except LrsError:
        return
    assert len(table.lines) + len(table.broken) <= _LIMITS.lines
    assert all(len(cell) <= _LIMITS.cell for line in table.lines for cell in line.cells)
    numbers = [one.number for one in (*table.lines, *table.broken)]
    assert len(set(numbers)) == len(numbers)


@given(st.binary(max_size=600))
def test_random_bytes_under_a_good_header_become_statements_or_reasons(content: bytes) -> None:
    try:
        sink = drain(CsvConnector(lambda: f"{HEADER};Std\n".encode() + content, CONFIG))
    except LrsError:
        return
    assert all(problem.path.startswith("/lines/") for _, problems in sink.wrong for problem in problems)


def test_many_quotation_marks_that_never_close_take_no_long_time() -> None:
    content = (f"{HEADER}\n" + ('"' + "x" * 70_000 + "\n") * 50).encode()
    table = read_table(content, Form(), Limits())
    assert not table.lines
    assert len(table.broken) == 50
